#include "threads/background_thread.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <future>

namespace restante {
namespace {

// Begins, waits for word to end, and is joined.
class waiting_thread {
 public:
  explicit waiting_thread(std::vector<int> given) {
    auto began = began_.get_future();
    thread_ = start_background_thread(std::move(given), [this] {
      began_.set_value();
      may_end_.get_future().wait();
    });
    began.wait();
  }
  ~waiting_thread() {
    may_end_.set_value();
    thread_.join();
  }

 private:
  std::promise<void> began_, may_end_;
  std::thread thread_;
};

TEST(background_thread, keeps_no_file_of_others_open) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const waiting_thread beside({});
  close(ends[1]);
  pollfd watched{ends[0], POLLIN, 0};
  EXPECT_EQ(poll(&watched, 1, 10'000), 1);
  char byte;
  EXPECT_EQ(read(ends[0], &byte, 1), 0);
  close(ends[0]);
}

TEST(background_thread, can_use_the_descriptors_that_it_is_given_and_no_others) {
  const int first = eventfd(0, 0), between = eventfd(0, 0), last = eventfd(0, 0);
  bool has_given = false, has_between = true;
  start_background_thread({last, first}, [&] {
    const std::uint64_t one = 1;
    has_given = write(first, &one, sizeof one) == sizeof one && write(last, &one, sizeof one) == sizeof one;
    has_between = fcntl(between, F_GETFD) != -1;
  }).join();
  EXPECT_TRUE(has_given);
  EXPECT_EQ(has_between, !may_leave_shared_files);
  for (const int each : {first, between, last}) {
    EXPECT_NE(fcntl(each, F_GETFD), -1);
    close(each);
  }
}

TEST(background_thread, opens_files_that_nobody_else_sees) {
  int opened = -1;
  bool is_seen = true;
  std::promise<void> open_now, looked_at;
  auto thread = start_background_thread({}, [&] {
    opened = fcntl(STDIN_FILENO, F_DUPFD, 700);
    open_now.set_value();
    looked_at.get_future().wait();
  });
  open_now.get_future().wait();
  is_seen = fcntl(opened, F_GETFD) != -1;
  looked_at.set_value();
  thread.join();
  EXPECT_GE(opened, 700);
  EXPECT_EQ(is_seen, !may_leave_shared_files);
}

TEST(background_thread, receives_no_signals) {
  sigset_t blocked;
  sigemptyset(&blocked);
  start_background_thread({}, [&] { pthread_sigmask(SIG_SETMASK, nullptr, &blocked); }).join();
  EXPECT_EQ(sigismember(&blocked, SIGTERM), 1);
  EXPECT_EQ(sigismember(&blocked, SIGURG), 1);
  sigset_t ours;
  pthread_sigmask(SIG_SETMASK, nullptr, &ours);
  EXPECT_EQ(sigismember(&ours, SIGTERM), 0);
}

}  // namespace
}  // namespace restante
