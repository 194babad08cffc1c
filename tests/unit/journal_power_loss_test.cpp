// The machine loses power, or the process is killed, between any two changes of the disk, again and again on
// one journal. What was on disk is there; what comes back is how what was written began.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "journal_harness.h"

namespace restante {
namespace {

using namespace test;

enum class loss { of_power, of_the_process };

// One journal, what it should hold, and a moment at which all ends.
class doomed_journal : private journal_on_a_disk {
 public:
  doomed_journal(std::uint32_t seed, loss how, std::int64_t sync_us) : random_(seed), how_(how) {
    settings.sync_us = sync_us;
    settings.segment_bytes = 1'024 << random_() % 3;
    settings.dedupe_us = random_() % 2 == 0 ? 0 : 600'000'000;
  }

  void live_and_die() {
    const bool at_the_start = random_() % 3 == 0;
    prepare = [this, at_the_start](simulated_files& port) {
      port.maps = random_() % 3 != 0;
      if (at_the_start) die_within(random_() % 8);
    };
    if (const auto error = start(); !error.empty()) {
      ADD_FAILURE() << error;
      return;
    }
    if (!left_) check();
    if (testing::Test::HasFailure()) return;
    if (!at_the_start) die_within(1 + random_() % 120);
    while (!left_) step();
    prepare = nullptr;
    close();
    disk = *left_;
    left_.reset();
  }
  void check_once_more() {
    ASSERT_EQ(start(), "");
    check();
    close();
  }
  std::size_t lost() const { return lost_; }
  std::size_t survived() const { return survived_; }

 private:
  void die_within(std::uint64_t changes) {
    const std::uint64_t last = port->changes() + changes;
    port->most_at_once = random_() % 4 == 0 ? 100 : SIZE_MAX;
    port->before_change = [this, last](std::uint64_t now) {
      if (now == last) left_ = how_ == loss::of_power ? disk.after_power_loss(random_) : disk;
    };
  }

  void step() {
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const auto at = records->end();
        const auto record = any_record();
        if (append(*records, record) == journal_status::ok) appended_.push_back({at, text_of(record)});
        break;
      }
      case 4:
      case 5: {
        const bool ok = records->flush() == journal_status::ok;
        EXPECT_TRUE(ok);
        if (!left_ && ok) {
          kept_flushed_ = kept_asked_;
          // Killed, the system still has what was written.
          if (settings.sync_us == 0 || how_ == loss::of_the_process) {
            safe_ = appended_.size();
            kept_safe_ = kept_flushed_;
          }
          flushed_ = appended_.size();
        }
        break;
      }
      case 6:
        records->tend();
        if (!left_) {
          safe_ = std::max(safe_, flushed_);
          kept_safe_ = kept_flushed_;
        }
        break;
      case 7:
        if (flushed_ > 0 && random_() % 3 == 0) {
          const auto kept = random_() % (flushed_ + 1);
          const auto keep = kept == appended_.size() ? records->end() : appended_[kept].at;
          records->trim(keep);
          kept_asked_ = std::max(kept_asked_, keep);
        }
        break;
    }
  }

  journal_record any_record() {
    const auto number = ++numbers_;
    switch (random_() % 5) {
      case 0:
        return removal_list{"bert", {static_cast<message_number>(number)}};
      case 1:
        return used_once{{number, 3}, time.now_us()};
      case 2:
        return a_message(number, random_() % 20 == 0 ? 5'000 : 300);
      default:
        return a_message(number);
    }
  }

  void check() {
    const auto begin = records->begin();
    EXPECT_GE(begin, kept_safe_) << "what was trimmed for good comes back";
    EXPECT_LE(begin, kept_asked_) << "what was never trimmed is gone";
    const auto found = read_all(*records, begin);
    std::size_t first = 0;
    while (first < appended_.size() && appended_[first].at < begin) ++first;
    ASSERT_LE(first + found.size(), appended_.size());
    ASSERT_GE(first + found.size(), safe_) << "what was on disk is lost";
    for (std::size_t index = 0; index < found.size(); ++index)
      ASSERT_EQ(found[index], appended_[first + index]);
    lost_ += appended_.size() - first - found.size();
    survived_ += found.size();
    appended_.resize(first + found.size());
    flushed_ = safe_ = appended_.size();
    kept_safe_ = kept_flushed_ = kept_asked_ = begin;
  }

  std::mt19937 random_;
  const loss how_;
  std::optional<simulated_disk> left_;
  std::uint64_t numbers_ = 0;
  std::vector<told> appended_;
  std::size_t flushed_ = 0, safe_ = 0;  // how many of them
  journal_position kept_asked_ = 0, kept_flushed_ = 0, kept_safe_ = 0;
  std::size_t lost_ = 0, survived_ = 0;
};

std::uint32_t seeds() { return std::getenv("RESTANTE_LONG") != nullptr ? 100'000 : 500; }

struct totals {
  std::size_t lost = 0, survived = 0;
};

totals live_and_die_often(loss how, std::int64_t sync_us) {
  totals all;
  for (std::uint32_t seed = 0; seed < seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    doomed_journal doomed(seed, how, sync_us);
    for (int life = 0; life < 6 && !testing::Test::HasFailure(); ++life) doomed.live_and_die();
    if (!testing::Test::HasFailure()) doomed.check_once_more();
    if (testing::Test::HasFailure()) break;
    all.lost += doomed.lost();
    all.survived += doomed.survived();
  }
  return all;
}

TEST(journal_power_loss, leaves_what_was_synced_and_a_beginning_of_the_rest) {
  const auto all = live_and_die_often(loss::of_power, 10'000);
  EXPECT_GT(all.survived, 10'000U);
  EXPECT_GT(all.lost, 1'000U) << "the disk never lost anything: this proves nothing";
}

TEST(journal_power_loss, loses_nothing_that_was_flushed_when_each_flush_waits_for_the_disk) {
  const auto all = live_and_die_often(loss::of_power, 0);
  EXPECT_GT(all.survived, 10'000U);
}

TEST(journal_kill, loses_nothing_that_was_flushed) {
  const auto all = live_and_die_often(loss::of_the_process, 10'000);
  EXPECT_GT(all.survived, 10'000U);
}

}  // namespace
}  // namespace restante
