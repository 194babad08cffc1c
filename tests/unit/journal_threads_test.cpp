// The broker's thread and the one behind it, at once; for the thread sanitizer as well.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "journal_harness.h"

namespace restante {
namespace {

using namespace test;

// Gives the other threads a turn, at most 20 s long.
bool eventually(const std::function<bool()>& holds) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

class journal_threads : public testing::Test, protected journal_on_a_disk {
 protected:
  journal_threads() {
    settings.sync_us = 100;
    settings.segment_bytes = 8'192;
    settings.limit_bytes = 1 << 20;
  }
  ~journal_threads() override {
    if (port) port->hang_syncs(false);
  }
  void run() {
    ASSERT_EQ(open(), "");
    const auto refused = records->start(file_journal::behind::thread);
    ASSERT_FALSE(refused) << refused->line;
  }
  journal_status write(std::uint64_t number) {
    const auto at = records->end();
    const auto record = a_message(number);
    const auto status = append(*records, record);
    if (status != journal_status::ok) return status;
    const auto flushed = records->flush();
    if (flushed == journal_status::ok) written.push_back({at, text_of(record)});
    return flushed;
  }

  std::vector<told> written;
};

TEST_F(journal_threads, write_sync_trim_and_read_at_once) {
  run();
  std::size_t trimmed = 0, read_up_to = 0;
  journal_position reading = 0;
  for (std::uint64_t number = 0; number < 20'000; ++number) {
    ASSERT_TRUE(eventually([&] {
      const auto status = write(number);
      if (status != journal_status::full) return status == journal_status::ok;
      time.pass(settings.dedupe_us);  // fingerprints take room, too
      records->trim(reading);
      records->flush();
      return false;
    })) << records->why_failed();
    if (number % 3 != 0) continue;
    const auto chunk = records->read(reading, 1'000);
    ASSERT_FALSE(chunk.failed) << records->why_failed();
    for (const auto& [at, record] : chunk.records) {
      const told found{at, text_of(record)};
      ASSERT_EQ(found, written[read_up_to]);
      ++read_up_to;
    }
    reading = chunk.next;
    if (number % 100 == 0) {
      trimmed = read_up_to;
      records->trim(reading);
    }
    ASSERT_LE(records->size_bytes(), settings.limit_bytes);
  }
  close();
  run();
  EXPECT_LE(records->begin(), reading);
  const auto left = read_all(*records, reading);
  EXPECT_EQ(left, std::vector<told>(written.begin() + static_cast<long>(read_up_to), written.end()));
  EXPECT_GT(trimmed, 10'000U);
}

TEST_F(journal_threads, sync_what_was_flushed_without_being_asked) {
  run();
  ASSERT_EQ(write(1), journal_status::ok);
  const auto syncs_all = [&] {
    simulated_disk left;
    port->with_the_disk([&](const simulated_disk& now) { left = now; });
    for (auto& file : left.files) file.seen = file.durable;
    left.seen = left.durable;
    simulated_files another(left);
    auto opened = file_journal::open(settings, another, time);
    return opened.index() == 0 && std::get<0>(opened)->end() >= records->end();
  };
  EXPECT_TRUE(eventually(syncs_all));
}

TEST_F(journal_threads, refuse_messages_while_a_sync_hangs_and_take_them_again_after_it) {
  run();
  port->hang_syncs(true);
  ASSERT_EQ(write(1), journal_status::ok);
  ASSERT_TRUE(eventually([&] { return port->is_hanging(); }));
  EXPECT_EQ(write(2), journal_status::ok);
  time.pass(50 * settings.sync_us + 1);
  EXPECT_EQ(records->flush(), journal_status::ok) << "as in each loop";
  EXPECT_EQ(write(3), journal_status::full);
  EXPECT_EQ(append(*records, removal_list{"bert", {1}}), journal_status::ok);
  EXPECT_EQ(records->flush(), journal_status::ok) << "the broker's thread does not wait";
  port->hang_syncs(false);
  EXPECT_TRUE(
      eventually([&] { return records->flush() == journal_status::ok && write(4) == journal_status::ok; }));
}

TEST_F(journal_threads, make_segments_without_the_brokers_thread) {
  settings.segment_bytes = 64 << 10;
  run();
  const auto here = std::this_thread::get_id();
  std::atomic<int> created_here{0};
  port->on_create = [&] {
    if (std::this_thread::get_id() == here) ++created_here;
  };
  for (std::uint64_t number = 0; number < 2'000; ++number) {
    ASSERT_EQ(write(number), journal_status::ok);
    // The next one is not needed before the one behind had its turn.
    if (number % 100 == 0) {
      ASSERT_TRUE(eventually([&] {
        bool has_spare = false;
        port->with_the_disk([&](const simulated_disk& now) { has_spare = now.seen.count("spare") > 0; });
        return has_spare;
      }));
    }
  }
  EXPECT_EQ(created_here, 0);
}

TEST_F(journal_threads, end_with_all_of_it_on_disk) {
  run();
  for (std::uint64_t number = 0; number < 100; ++number) ASSERT_EQ(write(number), journal_status::ok);
  close();
  for (auto& file : disk.files) file.seen = file.durable;
  disk.seen = disk.durable;
  run();
  EXPECT_EQ(read_all(*records, 0), written);
}

}  // namespace
}  // namespace restante
