// What it costs the broker's thread to get a record to the system, and what it costs to be sure of it: the
// journal as it is, a bare pwrite, and a shared mapping, each while another thread syncs every ten
// milliseconds.
//
// Usage: write_paths DIRECTORY [SECONDS]
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "journal/file_journal.h"
#include "journal/posix_files.h"

namespace {

using namespace restante;
using steady = std::chrono::steady_clock;

constexpr std::size_t record_bytes = 300, file_bytes = 64 << 20;
constexpr int records_at_once = 20;  // then a pause, as a broker waits for its sockets

double since_us(steady::time_point begin) {
  return std::chrono::duration<double, std::micro>(steady::now() - begin).count();
}

void report(const char* what, std::vector<double>& times_us) {
  if (times_us.empty()) return;
  std::sort(times_us.begin(), times_us.end());
  const auto at = [&](double part) {
    return times_us[static_cast<std::size_t>(part * double(times_us.size() - 1))];
  };
  const double mean_us = std::accumulate(times_us.begin(), times_us.end(), 0.0) / double(times_us.size());
  std::printf("| %-38s | %8zu | %8.2f | %8.2f | %8.2f | %9.1f | %9.1f |\n", what, times_us.size(), mean_us,
              at(0.5), at(0.99), at(0.999), times_us.back());
}

void pause_for(std::chrono::microseconds time) {
  std::mutex guard;
  std::unique_lock lock(guard);
  std::condition_variable nobody_wakes;
  nobody_wakes.wait_for(lock, time);
}

// Calls `write` for so many seconds or records, and `sync` every ten milliseconds beside it.
void measure(const char* what, double seconds, const std::function<void(std::size_t)>& write,
             const std::function<void()>& sync) {
  std::atomic<bool> over{false};
  std::vector<double> writes_us, syncs_us;
  writes_us.reserve(file_bytes / record_bytes);
  std::thread beside([&] {
    while (!over) {
      pause_for(std::chrono::milliseconds(10));
      const auto begin = steady::now();
      sync();
      syncs_us.push_back(since_us(begin));
    }
  });
  const auto begin = steady::now();
  for (std::size_t index = 0; index < file_bytes / record_bytes && since_us(begin) < seconds * 1e6; ++index) {
    const auto start = steady::now();
    write(index);
    writes_us.push_back(since_us(start));
    if (index % records_at_once == 0) pause_for(std::chrono::microseconds(300));
  }
  over = true;
  beside.join();
  report(what, writes_us);
  report("  its syncs", syncs_us);
}

enum class space { none, kept, written };

void measure_file(const char* what, const std::string& folder, double seconds, space ahead, bool mapped) {
  const std::string name = folder + "/write_paths.tmp";
  const int file = ::open(name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) std::exit(1);
  if (ahead == space::kept && ::fallocate(file, FALLOC_FL_KEEP_SIZE, 0, file_bytes) != 0) std::exit(1);
  if (ahead == space::written) {
    const std::string zeros(1 << 20, '\0');
    for (std::size_t at = 0; at < file_bytes; at += zeros.size()) {
      if (::pwrite(file, zeros.data(), zeros.size(), static_cast<off_t>(at)) < 0) std::exit(1);
    }
  }
  ::fsync(file);
  char* map = nullptr;
  if (mapped) {
    map = static_cast<char*>(::mmap(nullptr, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    if (map == MAP_FAILED) std::exit(1);
  }
  const std::string record(record_bytes, 'r');
  measure(
      what, seconds,
      [&](std::size_t index) {
        if (mapped) {
          std::memcpy(map + index * record_bytes, record.data(), record_bytes);
        } else if (::pwrite(file, record.data(), record_bytes, static_cast<off_t>(index * record_bytes)) <
                   0) {
          std::exit(1);
        }
      },
      [&] { ::fdatasync(file); });
  if (mapped) ::munmap(map, file_bytes);
  ::close(file);
  ::unlink(name.c_str());
}

struct machine_clock final : restante::clock {
  std::int64_t now_us() const override {
    using namespace std::chrono;
    return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
  }
  std::int64_t steady_us() const override {
    using namespace std::chrono;
    return duration_cast<microseconds>(steady::now().time_since_epoch()).count();
  }
};

void measure_journal(const std::string& folder, double seconds) {
  const machine_clock time;
  auto files_here = std::make_unique<posix_files>();
  journal_settings settings;
  settings.directory = folder + "/write_paths.journal";
  std::filesystem::remove_all(settings.directory);
  auto opened = file_journal::open(settings, *files_here, time);
  if (opened.index() != 0) std::exit(1);
  auto& records = *std::get<0>(opened);
  if (records.start()) std::exit(1);
  message what;
  what.topic = "direct/bert/anna/m123456789";
  what.key = {"anna", "m123456789"};
  what.payload.assign(200, 'p');
  envelope letter;
  letter.what = std::make_shared<const message>(what);
  letter.recipients = {"bert"};
  std::vector<double> appends_us, flushes_us;
  const auto begin = steady::now();
  for (std::uint64_t number = 1; since_us(begin) < seconds * 1e6; ++number) {
    const auto start = steady::now();
    if (records.append(letter, {number, 1}) != journal_status::ok) std::exit(1);
    appends_us.push_back(since_us(start));
    const auto appended = steady::now();
    if (records.flush() != journal_status::ok) std::exit(1);
    flushes_us.push_back(since_us(appended));
    if (number % 10'000 == 0) records.trim(records.end());
    if (number % records_at_once == 0) pause_for(std::chrono::microseconds(300));
  }
  report("the journal: append", appends_us);
  report("  flush of one record", flushes_us);

  const auto before = records.end();
  for (std::uint64_t number = 1; number <= 100'000; ++number) {
    if (records.append(letter, {number, 2}) != journal_status::ok) std::exit(1);
    if (number % 1'000 == 0 && records.flush() != journal_status::ok) std::exit(1);
  }
  const auto reading = steady::now();
  std::size_t count = 0;
  for (auto at = before; at < records.end();) {
    const auto chunk = records.read(at, 1 << 20);
    count += chunk.records.size();
    at = chunk.next;
  }
  std::printf("\nread back: %.2f us a record\n", since_us(reading) / double(count));
  std::get<0>(opened).reset();
  files_here.reset();  // and with it the lock
  posix_files again;
  const auto opening = steady::now();
  auto reopened = file_journal::open(settings, again, time);
  if (reopened.index() != 0) std::exit(1);
  const auto bytes = std::get<0>(reopened)->size_bytes();
  std::printf("opened and checked: %.0f ms for %.0f MB\n", since_us(opening) / 1e3, double(bytes) / 1e6);
  std::get<0>(reopened).reset();
  std::filesystem::remove_all(settings.directory);
}

}  // namespace

int main(int count, char** values) {
  if (count < 2) return 2;
  const std::string folder = values[1];
  const double seconds = count > 2 ? std::atof(values[2]) : 5;
  std::printf("| %-38s | %8s | %8s | %8s | %8s | %9s | %9s |\n", "microseconds", "how many", "mean", "median",
              "99 %", "99.9 %", "worst");
  std::printf("|---|---:|---:|---:|---:|---:|---:|\n");
  measure_file("pwrite, no space ahead", folder, seconds, space::none, false);
  measure_file("pwrite, space kept ahead", folder, seconds, space::kept, false);
  measure_file("pwrite, zeros written ahead", folder, seconds, space::written, false);
  measure_file("shared mapping, zeros written ahead", folder, seconds, space::written, true);
  measure_journal(folder, seconds);
}
