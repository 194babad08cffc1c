// The mailbox core against a simple reference, over random interleavings of all that can happen to it.
//
// A violation is printed as a script, shortened as far as it goes; replay one with
//   RESTANTE_SCRIPT='seed connect:0:0:0 publish:1:0:5 ...' model_tests
//   --gtest_filter='*from_the_environment*'
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>
#include <string>

#include "world.h"

namespace restante::model {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_slow = true;
#else
constexpr bool is_slow = false;
#endif

std::string violation_of(std::uint64_t seed, const script& steps, world::totals* counted = nullptr) {
  world all(settings_of(seed));
  // Nothing happens before the store is reached; a restart is how the script reaches it.
  all.apply({action::restart_broker, 0, 0, 0});
  for (const auto& each : steps) all.apply(each);
  if (all.broken().empty()) all.settle();
  if (counted != nullptr) *counted = all.counted();
  return all.broken();
}

// Leaves out ever smaller runs of steps while the violation stays.
script shorten(std::uint64_t seed, script steps) {
  for (std::size_t run = steps.size() / 2; run > 0; run /= 2) {
    for (std::size_t at = 0; at + run <= steps.size();) {
      script without = steps;
      const auto from = without.begin() + static_cast<std::ptrdiff_t>(at);
      without.erase(from, from + static_cast<std::ptrdiff_t>(run));
      if (violation_of(seed, without).empty()) {
        at += run;
      } else {
        steps = std::move(without);
      }
    }
  }
  return steps;
}

TEST(mailbox_model, keeps_its_promises_over_random_interleavings) {
  const bool is_long = std::getenv("RESTANTE_LONG") != nullptr;
  const std::uint64_t scripts = is_long ? 200'000 : is_slow ? 500 : 4'000;
  const std::size_t steps_each = 400;
  world::totals sum;
  for (std::uint64_t seed = 1; seed <= scripts; ++seed) {
    const auto steps = random_script(seed, steps_each);
    world::totals counted;
    const auto violation = violation_of(seed, steps, &counted);
    if (!violation.empty()) {
      const auto shorter = shorten(seed, steps);
      FAIL() << violation_of(seed, shorter) << "\nRESTANTE_SCRIPT='" << seed << ' ' << print_script(shorter)
             << "'";
    }
    sum.accepted += counted.accepted;
    sum.handed_over += counted.handed_over;
    sum.acknowledged += counted.acknowledged;
    sum.pages += counted.pages;
    sum.routed += counted.routed;
    sum.resent += counted.resent;
    sum.busy += counted.busy;
    sum.told_unkept += counted.told_unkept;
  }
  std::printf(
      "%zu steps: %zu accepted, %zu handed over (%zu by routing), %zu resent, %zu pages, %zu acknowledged, "
      "%zu turned away, %zu told of what was heard at QoS 0\n",
      static_cast<std::size_t>(scripts) * steps_each, sum.accepted, sum.handed_over, sum.routed, sum.resent,
      sum.pages, sum.acknowledged, sum.busy, sum.told_unkept);
  // The interleavings must reach every path, or the promises are kept by doing nothing.
  EXPECT_GT(sum.accepted, scripts * 10);
  EXPECT_GT(sum.handed_over, scripts * 10);
  EXPECT_GT(sum.routed, scripts * 3);
  EXPECT_GT(sum.resent, scripts / 2);
  EXPECT_GT(sum.pages, scripts * 5);
  EXPECT_GT(sum.busy, scripts / 10);
  EXPECT_GT(sum.told_unkept, scripts / 8);
}

TEST(mailbox_model, keeps_its_promises_in_the_script_from_the_environment) {
  const char* given = std::getenv("RESTANTE_SCRIPT");
  std::istringstream in(given != nullptr ? given : "1 connect:0:0:0 publish:0:1:5 loop:0:1:0");
  std::uint64_t seed = 0;
  std::string rest;
  in >> seed;
  std::getline(in, rest);
  EXPECT_EQ(violation_of(seed, parse_script(rest)), "");
}

}  // namespace
}  // namespace restante::model
