// The end of every script: faults end, everybody comes back, and everything owed must arrive.
#include <algorithm>

#include "core/filter.h"
#include "world.h"

namespace restante::model {

bool world::is_owed(const client& to) const {
  const auto hears = [&](const std::string& topic) {
    return std::any_of(to.filters.begin(), to.filters.end(), [&](const auto& each) {
      return each.second > 0 && filter_matches(each.first, topic);
    });
  };
  for (const auto number : truth_.owed_to(to.account)) {
    // A request that is accepted for one account may be stored for another.
    const auto& topic = truth_.what(number).topic;
    if (hears(topic) && (first_level(topic) != "service" || to.account == granted_)) return true;
  }
  return false;
}

void world::run_until_nothing_is_owed(bool hears_all) {
  for (int round = 0; round < 1000 && truth_.broken().empty(); ++round) {
    do_loop(10'000);
    while (store_.work(round % 2 == 0) || deliver_result()) {
    }
    bool owed = false;
    for (auto& each : clients_) {
      if (!each.connected) continue;
      client_reads(each, each.outgoing.size(), true);
      std::vector<message_key> keys;
      auto& mine = received_[each.account];
      std::erase_if(mine,
                    [&](const message_key& key) { return !truth_.may_be_acknowledged(each.account, key); });
      std::sort(mine.begin(), mine.end());
      mine.erase(std::unique(mine.begin(), mine.end()), mine.end());
      for (const auto& key : mine) {
        if (keys.size() < 5) keys.push_back(key);
      }
      if (!keys.empty()) acknowledge_keys(each, keys);
      owed |= is_owed(each);
      // Who left a group and came back may be given what was withdrawn meanwhile: allowed, and not owed.
      owed |= hears_all && !store_.rows(each.account).empty();
    }
    if (!owed && office_->is_drained() && store_.is_idle()) return;
  }
  for (const auto& each : clients_) {
    if (each.connected && is_owed(each)) {
      return truth_.violate("never handed over to " + each.id + ": " +
                            truth_.name_of(truth_.owed_to(each.account).front()));
    }
  }
  truth_.violate("the mailbox does not come to rest");
}

void world::settle() {
  journal_.full = journal_.unreadable = false;
  for (auto& each : clients_) {
    const bool stays = each.id == each.account + "-phone";
    if (!stays) do_disconnect(each);
    if (stays && !each.connected) do_connect(each, false);
  }
  // First what the filters of resumed sessions ask for, then everything.
  run_until_nothing_is_owed(false);
  for (auto& each : clients_) {
    if (!each.connected) continue;
    for (const auto& filter : filters_for(each.account)) do_subscribe(each, filter, 1);
  }
  run_until_nothing_is_owed(true);
  for (const auto& account : accounts) {
    if (!truth_.owed_to(account).empty()) {
      truth_.violate("never handed over to " + account + ": " +
                     truth_.name_of(truth_.owed_to(account).front()));
    }
    if (!store_.rows(account).empty()) truth_.violate("a row is left behind for " + account);
  }
  if (office_->queued_entries() != 0) truth_.violate("the queue is not empty in the end");
}

}  // namespace restante::model
