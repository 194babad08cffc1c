// A disk in memory, which loses power, runs full, refuses and hangs.
//
// `simulated_disk` is what is stored: what programs see, and what would be left after a power loss. It is
// copied to freeze a moment. `simulated_files` is one process's view of a disk, the port of the journal.
#pragma once

#include <errno.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "journal/files.h"

namespace restante::test {

struct simulated_file {
  std::string seen;             // what programs read
  std::string durable;          // what is on the platters
  std::set<std::size_t> dirty;  // sectors of `seen` that may not be
  bool size_changed = false;
};

inline constexpr std::size_t sector_bytes = 512;

struct simulated_disk {
  std::vector<simulated_file> files;
  std::map<std::string, std::size_t> seen, durable;  // names

  // Any of the sectors and names that were not synced may be there, others not.
  simulated_disk after_power_loss(std::mt19937& random) const {
    simulated_disk left;
    left.files = files;
    std::set<std::string> names;
    for (const auto& [name, index] : seen) names.insert(name);
    for (const auto& [name, index] : durable) names.insert(name);
    const auto mood = random() % 4;  // none, all, any twice
    const auto survives = [&] { return mood == 0 ? false : mood == 1 ? true : random() % 2 == 0; };
    for (const auto& name : names) {
      const auto& from = survives() ? seen : durable;
      if (const auto found = from.find(name); found != from.end()) left.seen[name] = found->second;
    }
    for (auto& file : left.files) {
      std::string kept = file.durable;
      if (file.size_changed && survives()) kept.resize(file.seen.size(), '\0');
      for (const auto sector : file.dirty) {
        const std::size_t begin = sector * sector_bytes;
        if (!survives()) continue;
        const std::size_t end = std::min({begin + sector_bytes, kept.size(), file.seen.size()});
        for (std::size_t at = begin; at < end; ++at) kept[at] = file.seen[at];
      }
      file = {kept, kept, {}, false};
    }
    left.durable = left.seen;
    return left;
  }

  std::string* content(const std::string& name) {
    const auto found = seen.find(name);
    return found == seen.end() ? nullptr : &files[found->second].seen;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, index] : seen) all.push_back(name);
    return all;
  }
  bool same_as(const simulated_disk& other) const {
    return names() == other.names() && std::all_of(seen.begin(), seen.end(), [&](const auto& name_and_index) {
             return files[name_and_index.second].seen ==
                    other.files[other.seen.at(name_and_index.first)].seen;
           });
  }
  std::uint64_t bytes() const {
    std::uint64_t all = 0;
    for (const auto& [name, index] : seen) all += files[index].seen.size();
    return all;
  }
};

class simulated_files final : public files {
 public:
  explicit simulated_files(simulated_disk& disk, std::shared_ptr<bool> locked = nullptr)
      : disk_(disk), locked_(std::move(locked)) {}
  ~simulated_files() override {
    if (holds_lock_ && locked_) *locked_ = false;
  }

  // What goes wrong; to be set when nothing runs, but for `hang_syncs`.
  int open_error = 0;    // every opening
  int make_error = 0;    // every create, rename, and opening to write
  int create_error = 0;  // every create
  int write_error = 0;   // every write
  int sync_error = 0;
  int permission_bits = 0700;
  std::uint64_t room_bytes = UINT64_MAX;  // of all files
  std::size_t most_at_once = SIZE_MAX;    // bytes in one write or read
  bool maps = false;                      // whether a file can be memory
  bool store_fails = false;
  // Called before each change of the disk, with how many there were before it.
  std::function<void(std::uint64_t)> before_change;

  void hang_syncs(bool hang) {
    {
      const std::lock_guard lock(guard_);
      hanging_ = hang;
    }
    released_.notify_all();
  }
  bool is_hanging() {
    const std::lock_guard lock(guard_);
    return waiting_ > 0;
  }
  std::function<void()> on_create;  // on the thread that creates

  void with_the_disk(const std::function<void(const simulated_disk&)>& look) {
    const std::lock_guard lock(guard_);
    look(disk_);
  }
  std::uint64_t changes() const { return changes_; }
  std::uint64_t syncs() const { return syncs_; }

  int make_directory(const std::string&) override { return -EEXIST; }
  int open_directory(const std::string&) override { return 0; }
  int permissions() override { return permission_bits; }
  int lock() override {
    if (locked_ && *locked_) return -EWOULDBLOCK;
    if (locked_) *locked_ = true;
    holds_lock_ = true;
    return 0;
  }
  int list(std::vector<entry>& into) override {
    const std::lock_guard lock(guard_);
    for (const auto& [name, index] : disk_.seen) into.push_back({name, disk_.files[index].seen.size()});
    return 0;
  }
  int sync_directory() override {
    wait_while_hanging();
    const std::lock_guard lock(guard_);
    change();
    if (sync_error != 0) return -sync_error;
    disk_.durable = disk_.seen;
    return 0;
  }
  handle create(const std::string& name) override {
    if (create_error != 0) return -create_error;
    const std::lock_guard lock(guard_);
    if (make_error != 0) return -make_error;
    if (on_create) on_create();
    change();
    if (const auto found = disk_.seen.find(name); found != disk_.seen.end()) {
      resize(found->second, 0);
      return open_index(found->second);
    }
    disk_.files.emplace_back();
    disk_.seen[name] = disk_.files.size() - 1;
    return open_index(disk_.files.size() - 1);
  }
  handle open(const std::string& name) override {
    if (make_error != 0) return -make_error;
    return open_to_read(name);
  }
  handle open_to_read(const std::string& name) override {
    const std::lock_guard lock(guard_);
    if (open_error != 0) return -open_error;
    const auto found = disk_.seen.find(name);
    return found == disk_.seen.end() ? -ENOENT : open_index(found->second);
  }
  void close(handle file) override {
    const std::lock_guard lock(guard_);
    open_.erase(file);
    if (file == mapped_) mapped_ = none;
  }
  std::size_t open_handles() {
    const std::lock_guard lock(guard_);
    return open_.size();
  }
  int rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(guard_);
    if (make_error != 0) return -make_error;
    const auto found = disk_.seen.find(from);
    if (found == disk_.seen.end()) return -ENOENT;
    change();
    const auto index = found->second;
    disk_.seen.erase(from);
    disk_.seen[to] = index;
    return 0;
  }
  int unlink(const std::string& name) override {
    const std::lock_guard lock(guard_);
    if (disk_.seen.count(name) == 0) return -ENOENT;
    change();
    disk_.seen.erase(name);
    return 0;
  }
  std::int64_t write(handle file, std::string_view bytes, std::uint64_t offset) override {
    const std::lock_guard lock(guard_);
    if (write_error != 0) return -write_error;
    const auto index = open_.at(file);
    auto& content = disk_.files[index];
    bytes = bytes.substr(0, most_at_once);
    const std::uint64_t others = disk_.bytes() - content.seen.size();
    if (others + std::max<std::uint64_t>(content.seen.size(), offset + bytes.size()) > room_bytes) {
      const std::uint64_t fits = room_bytes > others + offset ? room_bytes - others - offset : 0;
      if (fits == 0) return -ENOSPC;
      bytes = bytes.substr(0, fits);
    }
    change();
    if (offset + bytes.size() > content.seen.size()) resize(index, offset + bytes.size());
    put(index, bytes, offset);
    return static_cast<std::int64_t>(bytes.size());
  }
  int map(handle file, std::size_t size_bytes) override {
    const std::lock_guard lock(guard_);
    if (!maps || disk_.files[open_.at(file)].seen.size() != size_bytes) return -EOPNOTSUPP;
    mapped_ = file;
    return 0;
  }
  bool store(handle file, std::string_view bytes, std::uint64_t offset) override {
    const std::lock_guard lock(guard_);
    const auto index = open_.at(file);
    const auto& content = disk_.files[index].seen;
    if (file != mapped_ || store_fails || offset + bytes.size() > content.size()) {
      mapped_ = none;
      return false;
    }
    // A copy has no order that anybody can rely on.
    const auto middle = bytes.size() / 2;
    change();
    put(index, bytes.substr(middle), offset + middle);
    change();
    put(index, bytes.substr(0, middle), offset);
    return true;
  }
  std::int64_t read(handle file, char* into, std::size_t count, std::uint64_t offset) override {
    const std::lock_guard lock(guard_);
    const auto& content = disk_.files[open_.at(file)].seen;
    if (offset >= content.size()) return 0;
    count = std::min({count, content.size() - static_cast<std::size_t>(offset), most_at_once});
    std::copy_n(content.data() + offset, count, into);
    return static_cast<std::int64_t>(count);
  }
  int truncate(handle file, std::uint64_t size_bytes) override {
    const std::lock_guard lock(guard_);
    change();
    resize(open_.at(file), size_bytes);
    return 0;
  }
  int allocate(handle, std::uint64_t size_bytes) override {
    const std::lock_guard lock(guard_);
    return disk_.bytes() + size_bytes > room_bytes ? -ENOSPC : 0;
  }
  void will_need(handle, std::uint64_t, std::uint64_t) override {}
  int sync_data(handle file) override {
    wait_while_hanging();
    const std::lock_guard lock(guard_);
    change();
    ++syncs_;
    auto& content = disk_.files[open_.at(file)];
    if (sync_error != 0) {
      content.dirty.clear();  // as Linux does: the next sync says yes, and nothing was written
      return -sync_error;
    }
    content.durable = content.seen;
    content.dirty.clear();
    content.size_changed = false;
    return 0;
  }
  int random(char* into, std::size_t count) override {
    std::fill_n(into, count, '\x5A');
    return 0;
  }

 private:
  handle open_index(std::size_t index) {
    open_[next_handle_] = index;
    return next_handle_++;
  }
  void resize(std::size_t index, std::size_t size_bytes) {
    auto& content = disk_.files[index];
    if (size_bytes > content.seen.size()) {
      for (std::size_t sector = content.seen.size() / sector_bytes; sector * sector_bytes < size_bytes;
           ++sector)
        content.dirty.insert(sector);
    }
    content.seen.resize(size_bytes, '\0');
    content.size_changed = true;
  }
  void put(std::size_t index, std::string_view bytes, std::uint64_t offset) {
    auto& content = disk_.files[index];
    content.seen.replace(offset, bytes.size(), bytes);
    for (std::size_t sector = offset / sector_bytes; sector * sector_bytes < offset + bytes.size(); ++sector)
      content.dirty.insert(sector);
  }
  void change() {
    if (before_change) before_change(changes_);
    ++changes_;
  }
  void wait_while_hanging() {
    std::unique_lock lock(guard_);
    ++waiting_;
    released_.wait(lock, [&] { return !hanging_; });
    --waiting_;
  }

  simulated_disk& disk_;
  std::shared_ptr<bool> locked_;
  bool holds_lock_ = false;
  std::mutex guard_;
  std::condition_variable released_;
  bool hanging_ = false;
  int waiting_ = 0;
  std::map<handle, std::size_t> open_;
  handle mapped_ = none;
  handle next_handle_ = 0;
  std::uint64_t changes_ = 0, syncs_ = 0;
};

}  // namespace restante::test
