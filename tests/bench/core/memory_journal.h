// A journal in memory, which is read back as the real one is and costs as little as that can: the records'
// bytes, and no disk.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/ports.h"
#include "journal/journal_format.h"

namespace restante {

class memory_journal final : public journal {
 public:
  journal_status append(const envelope& accepted, const fingerprint& known) override {
    return add([&](std::string& to) { return journal_format::encode(to, seal_, end_, accepted, known); });
  }
  journal_status append(const removal_list& gone) override {
    return add([&](std::string& to) { return journal_format::encode(to, seal_, end_, gone); });
  }
  journal_status append(const removal_by_key& gone) override {
    return add([&](std::string& to) { return journal_format::encode(to, seal_, end_, gone); });
  }
  journal_status append(const unresolved_receipt& told) override {
    return add([&](std::string& to) { return journal_format::encode(to, seal_, end_, told, 0); });
  }
  journal_status append(const used_once& publish) override {
    return add([&](std::string& to) { return journal_format::encode(to, seal_, end_, publish); });
  }
  journal_position end() const override { return end_; }
  journal_status flush() override { return journal_status::ok; }

  journal_chunk read(journal_position from, std::size_t bytes) override {
    journal_chunk chunk;
    chunk.next = from;
    auto block = std::find_if(blocks_.begin(), blocks_.end(),
                              [&](const auto& each) { return from < each.first + each.second.size(); });
    std::size_t taken = 0;
    for (; block != blocks_.end() && taken < bytes; ++block) {
      auto rest = std::string_view(block->second).substr(chunk.next - block->first);
      while (!rest.empty() && taken < bytes) {
        const auto frame = journal_format::read_frame(rest, seal_, chunk.next);
        const auto& found = std::get<journal_format::framed>(frame);
        chunk.records.emplace_back(chunk.next, *journal_format::decode_record(found));
        chunk.next += found.size;
        taken += found.size;
        rest.remove_prefix(found.size);
      }
    }
    bytes_read += taken;
    return chunk;
  }

  void trim(journal_position keep) override {
    while (blocks_.size() > 1 && blocks_[1].first <= keep) blocks_.pop_front();
  }
  std::uint64_t size_bytes() const override { return end_; }

  std::size_t bytes_read = 0;

 private:
  static constexpr std::size_t block_bytes = 1u << 20, longest_bytes = 64u << 10;

  template <typename Encode>
  journal_status add(Encode encode) {
    if (blocks_.empty() || blocks_.back().second.size() + longest_bytes > block_bytes) {
      blocks_.emplace_back(end_, std::string());
      blocks_.back().second.reserve(block_bytes);
    }
    auto& to = blocks_.back().second;
    const auto before = to.size();
    if (!encode(to)) return journal_status::full;
    end_ += to.size() - before;
    return journal_status::ok;
  }

  journal_format::seal seal_{hash_key{3, 4}};
  std::deque<std::pair<journal_position, std::string>> blocks_;  // by where they begin
  journal_position end_ = 0;
};

}  // namespace restante
