#include "progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace restante {
namespace {

constexpr std::int64_t width = 30;

std::string with_commas(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

}  // namespace

progress_bar::progress_bar() : is_shown_(isatty(STDERR_FILENO) == 1) {}

progress_bar::~progress_bar() {
  if (has_written_) std::fputs("\r\033[K", stderr);
}

void progress_bar::note(const std::string& text) { show(text); }

void progress_bar::begin(std::int64_t total) {
  total_ = total;
  began_ = std::chrono::steady_clock::now();
}

void progress_bar::left(std::int64_t count) {
  // What became due meanwhile counts too.
  total_ = std::max(total_, count);
  show(line(total_ - count, total_, std::chrono::steady_clock::now() - began_));
}

std::string progress_bar::line(std::int64_t done, std::int64_t total, std::chrono::duration<double> elapsed) {
  const std::int64_t of = std::max<std::int64_t>(total, 1);
  const std::int64_t filled = total == 0 ? width : done * width / of;
  const std::int64_t percent = total == 0 ? 100 : done * 100 / of;
  std::string text = "[" + std::string(static_cast<std::size_t>(filled), '#') +
                     std::string(static_cast<std::size_t>(width - filled), '-') + "] " +
                     (percent < 10    ? "  "
                      : percent < 100 ? " "
                                      : "") +
                     std::to_string(percent) + " %  " + with_commas(done) + " of " + with_commas(total);
  if (elapsed.count() > 0 && done > 0) {
    const double rate = static_cast<double>(done) / elapsed.count();
    text += ", " + with_commas(static_cast<std::int64_t>(rate)) + " a second";
    if (done < total) {
      text += ", " + with_commas(static_cast<std::int64_t>(static_cast<double>(total - done) / rate)) +
              " s to go";
    }
  }
  return text;
}

void progress_bar::show(const std::string& text) {
  if (!is_shown_) return;
  std::fprintf(stderr, "\r%s\033[K", text.c_str());
  has_written_ = true;
}

}  // namespace restante
