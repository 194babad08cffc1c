// SIGBUS within a guarded range is an answer; everywhere else it is what it was before.
#include "journal/bus_guard.h"

#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "journal_mapped_file.h"

namespace restante {
namespace {

using namespace test;

constexpr std::size_t range_bytes = 1 << 16;

sigjmp_buf after_the_fault;
int called = 0;
void jump_back(int) {
  ++called;
  siglongjmp(after_the_fault, 1);
}

// Two mappings of a file that is empty: each store to them raises SIGBUS.
class a_bus_guard : public testing::Test {
 protected:
  a_bus_guard() {
    ::sigaction(SIGBUS, nullptr, &before_);
    called = 0;
  }
  ~a_bus_guard() override {
    ::sigaction(SIGBUS, &before_, nullptr);
    ::munmap(guarded, range_bytes);
    ::munmap(other, range_bytes);
    std::filesystem::remove_all(folder_);
  }
  static void store(char* to) { *static_cast<volatile char*>(to) = 'x'; }
  static void handle(void (*how)(int)) {
    struct sigaction action {};
    action.sa_handler = how;
    ::sigaction(SIGBUS, &action, nullptr);
  }
  static void (*handler())(int) {
    struct sigaction now {};
    ::sigaction(SIGBUS, nullptr, &now);
    return now.sa_handler;
  }

 private:
  char* map() const {
    return static_cast<char*>(
        ::mmap(nullptr, range_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.handle(), 0));
  }
  const std::filesystem::path folder_ = new_folder();
  const scratch_file file_{folder_};
  struct sigaction before_ {};

 protected:
  char* const guarded = map();
  char* const other = map();
};

TEST_F(a_bus_guard, trips_on_a_store_to_its_range_once) {
  bus_guard guard(guarded, range_bytes);
  ASSERT_TRUE(guard.ok());
  EXPECT_FALSE(guard.take_tripped());
  store(guarded + range_bytes - 1);
  store(guarded);
  EXPECT_TRUE(guard.take_tripped());
  EXPECT_FALSE(guard.take_tripped());
}

TEST_F(a_bus_guard, passes_every_other_fault_on_to_the_handler_before) {
  handle(jump_back);
  bus_guard guard(guarded, range_bytes);
  if (sigsetjmp(after_the_fault, 1) == 0) store(other);
  EXPECT_EQ(called, 1);
  EXPECT_FALSE(guard.take_tripped());
  store(guarded);
  EXPECT_TRUE(guard.take_tripped());
  EXPECT_EQ(called, 1);
}

TEST_F(a_bus_guard, saves_nobody_from_any_other_fault) {
  EXPECT_EXIT(
      {
        handle(SIG_DFL);
        const bus_guard guard(guarded, range_bytes);
        store(other);
      },
      testing::KilledBySignal(SIGBUS), "");
  EXPECT_EXIT(
      {
        handle(SIG_IGN);  // as the kernel has it, for faults
        const bus_guard guard(guarded, range_bytes);
        store(other);
      },
      testing::KilledBySignal(SIGBUS), "");
}

TEST_F(a_bus_guard, saves_nobody_from_a_signal_that_was_sent) {
  EXPECT_EXIT(
      {
        handle(SIG_DFL);
        const bus_guard guard(guarded, range_bytes);
        ::raise(SIGBUS);
      },
      testing::KilledBySignal(SIGBUS), "");
}

TEST_F(a_bus_guard, ignores_a_signal_that_was_sent_and_ignored_before) {
  handle(SIG_IGN);
  const bus_guard guard(guarded, range_bytes);
  ::raise(SIGBUS);
}

TEST_F(a_bus_guard, puts_the_handler_before_back_when_the_last_one_ends) {
  handle(jump_back);
  {
    std::optional<bus_guard> first(std::in_place, guarded, range_bytes);
    const bus_guard second(other, range_bytes);
    first.reset();
    EXPECT_NE(handler(), jump_back);
  }
  EXPECT_EQ(handler(), jump_back);
}

TEST_F(a_bus_guard, leaves_a_handler_that_came_after_it) {
  handle(SIG_DFL);
  {
    const bus_guard guard(guarded, range_bytes);
    handle(jump_back);
  }
  EXPECT_EQ(handler(), jump_back);
}

TEST_F(a_bus_guard, says_when_there_are_too_many) {
  std::vector<std::unique_ptr<bus_guard>> guards;
  while (guards.size() < 100 && (guards.empty() || guards.back()->ok()))
    guards.push_back(std::make_unique<bus_guard>(guarded, range_bytes));
  EXPECT_LT(guards.size(), 100U);
}

}  // namespace
}  // namespace restante
