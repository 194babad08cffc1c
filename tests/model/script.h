// What happens to the mailbox, as a list of small steps that can be printed, replayed and shortened.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace restante::model {

enum class action {
  publish,  // a: client, b: whom to, which includes the service and who asks it, c: quality and kind of id
  publish_again,   // a: client, b: which of its earlier publishes, c: same topic or another
  acknowledge,     // a: client, b: which of what it received, c: how many lines
  receipt,         // a: client, b: which of what it received, c: state, quality, or a false claim
  connect,         // a: client, b: clean or not
  disconnect,      // a: client
  subscribe,       // a: client, b: which filter, c: quality
  unsubscribe,     // a: client, b: which of its filters
  client_reads,    // a: client, b: how many messages its network takes and confirms
  loop,            // one loop of the broker, b: milliseconds that pass
  store_works,     // the store runs its next job, b: a batch or a page first
  store_doubts,    // the store commits the batch, does not hear so, and will store it again
  store_answers,   // the store's next result reaches the broker's thread
  store_fails,     // the next page cannot be read
  expire,          // a: account, b: which row
  leave_group,     // a: account, b: group
  join_group,      // a: account, b: group
  grant_service,   // b: to whom, or to nobody
  restart_broker,  // b: whether the broker keeps sessions
  journal_fills,   // the journal refuses until it is emptied
  journal_empties,
  journal_breaks,  // the journal cannot be read back until it mends or the broker is restarted, b: one in
                   // four
  journal_mends,
};
inline constexpr int action_count = static_cast<int>(action::journal_mends) + 1;

struct step {
  action what;
  std::uint32_t a, b, c;
};
using script = std::vector<step>;

// The n-th of the random scripts; the same on every machine.
script random_script(std::uint64_t seed, std::size_t steps);

// One word a step: action:a:b:c. parse_script() takes what print_script() gives.
std::string print_script(const script& steps);
script parse_script(const std::string& text);

}  // namespace restante::model
