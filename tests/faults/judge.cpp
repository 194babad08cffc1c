#include "judge.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "load/board.h"

namespace restante::faults {
namespace {

constexpr std::size_t most_examples = 10;

struct history {
  std::int64_t accepted_ns = 0, first_handed_over_ns = 0;  // 0: never
  bool acknowledged = false;
  bool keeps_order = false;  // QoS 1, published once
};

std::uint64_t key_of(const ledger_entry& entry) {
  return std::uint64_t{entry.sender} << 48 | std::uint64_t{entry.recipient} << 32 | entry.number;
}

std::string name_of(const ledger_entry& entry) {
  return name_of_publisher(entry.sender) + " to " + name_of_recipient(entry.recipient) + " number " +
         std::to_string(entry.number);
}

}  // namespace

verdict judge(std::span<const ledger_entry> accepted, std::span<const ledger_entry> received,
              std::span<const std::int64_t> faults_ns) {
  verdict found;
  const auto accuse = [&](std::uint64_t& count, const char* what, const ledger_entry& entry) {
    ++count;
    if (found.examples.size() < most_examples)
      found.examples.push_back(std::string(what) + ": " + name_of(entry));
  };
  std::unordered_map<std::uint64_t, history> messages;
  messages.reserve(accepted.size());
  for (const auto& entry : accepted) {
    messages[key_of(entry)] = {.accepted_ns = entry.at_ns,
                               .keeps_order = entry.qos == 1 && entry.repeated == 0};
  }
  found.accepted = messages.size();
  std::map<std::pair<std::uint16_t, std::uint16_t>, std::uint32_t> next_number;
  for (const auto& entry : received) {
    auto& message = messages[key_of(entry)];
    if (entry.what == seen::acknowledged) {
      message.acknowledged = true;
    } else if (message.acknowledged) {
      accuse(found.duplicated, "duplicated", entry);
    } else if (message.first_handed_over_ns != 0) {
      ++found.repeats;
    } else {
      message.first_handed_over_ns = entry.at_ns;
      if (!message.keeps_order) continue;
      auto& next = next_number[{entry.sender, entry.recipient}];
      if (entry.number < next) accuse(found.out_of_order, "out of order", entry);
      next = std::max(next, entry.number + 1);
    }
  }
  for (const auto& entry : accepted) {
    const auto& message = messages[key_of(entry)];
    if (message.first_handed_over_ns == 0) {
      accuse(found.lost, "lost", entry);
    } else if (std::ranges::any_of(faults_ns, [&](std::int64_t fault_ns) {
                 return message.accepted_ns < fault_ns && fault_ns < message.first_handed_over_ns;
               })) {
      ++found.recovered;
    }
  }
  return found;
}

std::string describe(const verdict& what) {
  return std::to_string(what.accepted) + " accepted, lost " + std::to_string(what.lost) + ", duplicated " +
         std::to_string(what.duplicated) + ", repeats " + std::to_string(what.repeats) + ", recovered " +
         std::to_string(what.recovered) + ", out of order " + std::to_string(what.out_of_order);
}

}  // namespace restante::faults
