#include "script.h"

#include <array>
#include <sstream>
#include <stdexcept>

namespace restante::model {
namespace {

constexpr std::array<const char*, action_count> names{
    "publish",        "publish_again", "acknowledge",     "receipt",        "connect",      "disconnect",
    "subscribe",      "unsubscribe",   "client_reads",    "loop",           "store_works",  "store_doubts",
    "store_answers",  "store_fails",   "expire",          "leave_group",    "join_group",   "grant_service",
    "restart_broker", "journal_fills", "journal_empties", "journal_breaks", "journal_mends"};

// How often each happens, in the order of `action`.
constexpr std::array<std::uint32_t, action_count> weights{300, 20, 220, 60, 40, 25, 50, 6, 260, 320, 260, 10,
                                                          320, 12, 6,   4,  4,  5,  4,  2, 30,  3,   20};

// xorshift64*, Vigna 2016: small, and the same everywhere, unlike the standard distributions.
class random_numbers {
 public:
  explicit random_numbers(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 0x1234567ULL) {}
  std::uint32_t below(std::uint32_t bound) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<std::uint32_t>(((state_ * 0x2545F4914F6CDD1DULL) >> 33) % bound);
  }

 private:
  std::uint64_t state_;
};

}  // namespace

script random_script(std::uint64_t seed, std::size_t steps) {
  random_numbers random(seed);
  std::array<std::uint32_t, action_count> own = weights;
  // Each script has its own temper: some actions are rare in it, some frequent.
  std::uint32_t total = 0;
  for (auto& each : own) {
    each *= 1 + random.below(4);
    total += each;
  }
  script made;
  const auto add = [&](action what) {
    made.push_back({what, random.below(1000), random.below(1000), random.below(1000)});
  };
  for (int i = 0; i < 8; ++i) add(action::connect);
  for (int i = 0; i < 16; ++i) add(action::subscribe);
  while (made.size() < steps) {
    auto drawn = random.below(total);
    int what = 0;
    while (drawn >= own[static_cast<std::size_t>(what)]) drawn -= own[static_cast<std::size_t>(what++)];
    add(static_cast<action>(what));
  }
  return made;
}

std::string print_script(const script& steps) {
  std::ostringstream out;
  for (const auto& each : steps) {
    out << names[static_cast<std::size_t>(each.what)] << ':' << each.a << ':' << each.b << ':' << each.c
        << ' ';
  }
  return out.str();
}

script parse_script(const std::string& text) {
  script made;
  std::istringstream in(text);
  std::string word;
  while (in >> word) {
    std::istringstream parts(word);
    std::string name;
    step read{};
    char colon = 0;
    std::getline(parts, name, ':');
    parts >> read.a >> colon >> read.b >> colon >> read.c;
    int what = 0;
    while (what < action_count && name != names[static_cast<std::size_t>(what)]) ++what;
    if (what == action_count || !parts) throw std::runtime_error("not a step: " + word);
    read.what = static_cast<action>(what);
    made.push_back(read);
  }
  return made;
}

}  // namespace restante::model
