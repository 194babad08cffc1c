#include <algorithm>
#include <string>
#include <vector>

#include "office.h"
#include "scenarios.h"

namespace restante::bench {
namespace {

class ring {
 public:
  explicit ring(const settings& how) : office_(how), sent_(how.senders), topics_(how.senders) {
    const auto first = how.first_account;
    for (std::size_t i = 0; i < how.senders; ++i) {
      const auto me = account_name(first + i);
      std::vector<std::string> filters{"direct/" + me + "/#"};
      if (how.acknowledge == acknowledge_by::receipt) filters.push_back("receipt/" + me + "/#");
      office_.add(first + i, std::move(filters), false);
      topics_[i] = "direct/" + account_name(first + next(i)) + "/" + me + "/";
    }
  }

  nlohmann::json run() {
    office_.connect_all();
    began_ns_ = now_ns();
    office_.loop().in_each_round = [this] { round(); };
    office_.loop().run_for(office_.how().warm_up_ns);
    office_.begin();
    office_.loop().run_for(office_.how().time_ns);
    office_.end();
    is_sending_ = false;
    office_.loop().wake_at_ns = 0;
    office_.finish([this] { return is_done(); });
    return report();
  }

 private:
  std::size_t next(std::size_t i) const { return (i + 1) % sent_.size(); }
  participant& member(std::size_t i) { return *office_.participants()[i]; }
  std::uint64_t underway(std::size_t i) {
    const auto received = member(next(i)).received();
    return sent_[i] - std::min(received, sent_[i]);
  }

  void round() {
    const auto now = now_ns();
    if (is_sending_ && office_.how().rate > 0) {
      send_as_due(now);
    } else if (is_sending_) {
      for (std::size_t i = 0; i < sent_.size(); ++i) {
        while (may_send(i)) send(i);
      }
    }
    for (const auto& each : office_.participants()) each->acknowledge_due(now, !is_sending_);
  }

  bool may_send(std::size_t i) {
    auto& client = member(i).client();
    const auto inflight = std::min(office_.how().inflight, client.receive_maximum());
    return client.is_ready() && client.mail().underway() < inflight && underway(i) < office_.how().underway;
  }

  void send(std::size_t i) { member(i).send(topics_[i], member(next(i)).index(), sent_[i]++); }

  // One after another, at equal distances; late ones at once.
  void send_as_due(std::int64_t now) {
    const double interval_ns = static_cast<double>(second_ns) / office_.how().rate;
    for (;; ++turn_) {
      const auto due_ns = began_ns_ + static_cast<std::int64_t>(static_cast<double>(turn_) * interval_ns);
      office_.loop().wake_at_ns = due_ns;
      if (due_ns > now) return;
      if (may_send(turn_ % sent_.size())) send(turn_ % sent_.size());
    }
  }

  bool is_done() {
    for (std::size_t i = 0; i < sent_.size(); ++i) {
      auto& each = member(i);
      if (each.client().now() == client::state::broken) continue;  // nothing more will come
      if (underway(i) > 0 || each.client().mail().underway() > 0 || !each.is_done()) return false;
    }
    return office_.counts().receipts >= office_.counts().receipts_sent;
  }

  nlohmann::json report() {
    std::vector<office::stream_name> streams;
    for (std::size_t i = 0; i < sent_.size(); ++i) {
      streams.push_back({.sender = member(i).index(), .recipient = &member(next(i)), .sent = sent_[i]});
    }
    return office_.report(streams);
  }

  office office_;
  std::vector<std::uint64_t> sent_;
  std::vector<std::string> topics_;  // of each, to the next, without the message id
  bool is_sending_ = true;
  std::int64_t began_ns_ = 0;
  std::uint64_t turn_ = 0;
};

}  // namespace

nlohmann::json run_ring(const settings& how) { return ring(how).run(); }

}  // namespace restante::bench
