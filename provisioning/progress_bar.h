// How far long work is, on standard error, when that is a terminal; nothing otherwise.
//
//   [##########----------]  51 %  51,200 of 100,000, 840 a second, 58 s to go
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace restante {

class progress_bar {
 public:
  progress_bar();
  ~progress_bar();  // takes it off the terminal
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  void note(const std::string& text);  // before it is known how much there is
  void begin(std::int64_t total);
  void left(std::int64_t count);

  // The line, for `done` of `total` after that time.
  static std::string line(std::int64_t done, std::int64_t total, std::chrono::duration<double> elapsed);

 private:
  void show(const std::string& text);

  const bool is_shown_;
  bool has_written_ = false;
  std::int64_t total_ = 0;
  std::chrono::steady_clock::time_point began_{};
};

}  // namespace restante
