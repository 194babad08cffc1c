#include "threads/cancellation_off.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <optional>
#include <semaphore>

namespace restante {
namespace {

struct kind {
  int state = 0, type = 0;
  friend bool operator==(const kind&, const kind&) = default;
};

kind kind_of_this_thread() {
  kind found;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &found.state);
  pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &found.type);
  int was = 0;
  pthread_setcanceltype(found.type, &was);
  pthread_setcancelstate(found.state, &was);
  return found;
}

TEST(cancellation_off, gives_a_thread_back_what_it_had) {
  const auto before = kind_of_this_thread();
  {
    const cancellation_off off;
    EXPECT_EQ(kind_of_this_thread(), (kind{PTHREAD_CANCEL_DISABLE, PTHREAD_CANCEL_ASYNCHRONOUS}));
  }
  EXPECT_EQ(kind_of_this_thread(), before);
}

struct cancelled_thread {
  std::binary_semaphore is_off{0}, is_cancelled{0};
  bool went_on = false, was_behind = false;
};

// With pthread_create(), as std::thread would end the program.
void* be_cancelled(void* given) {
  auto& mine = *static_cast<cancelled_thread*>(given);
  std::optional<cancellation_off> off;
  off.emplace();
  mine.is_off.release();
  mine.is_cancelled.acquire();
  pthread_testcancel();
  mine.went_on = true;
  off.reset();
  pthread_testcancel();
  mine.was_behind = true;
  return nullptr;
}

TEST(cancellation_off, puts_off_a_cancellation_until_it_is_gone) {
  cancelled_thread told;
  pthread_t thread{};
  ASSERT_EQ(pthread_create(&thread, nullptr, be_cancelled, &told), 0);
  told.is_off.acquire();
  ASSERT_EQ(pthread_cancel(thread), 0);
  told.is_cancelled.release();
  void* result = nullptr;
  ASSERT_EQ(pthread_join(thread, &result), 0);
  EXPECT_TRUE(told.went_on);
  EXPECT_FALSE(told.was_behind);
  EXPECT_EQ(result, PTHREAD_CANCELED);
}

}  // namespace
}  // namespace restante
