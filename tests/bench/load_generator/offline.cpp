#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "office.h"
#include "scenarios.h"

namespace restante::bench {
namespace {

// Recipients come first in the accounts, then senders. Each recipient has one sender, each sender every
// `senders`-th recipient. A sender whose connection breaks comes back, and repeats what it has no PUBACK for.
class offline {
 public:
  explicit offline(const settings& how)
      : office_(how), sent_(how.recipients), turn_(how.senders), unconfirmed_(how.senders) {
    for (std::size_t i = 0; i < how.recipients; ++i) {
      const auto index = how.first_account + i;
      recipients_.push_back(&office_.add(index, {"direct/" + account_name(index) + "/#"}, true));
    }
    for (std::size_t i = 0; i < how.senders; ++i) {
      const auto index = how.first_account + how.recipients + i;
      senders_.push_back(&office_.add(index, {}, false));
      turn_[i] = i;
    }
    for (std::size_t i = 0; i < how.recipients; ++i) {
      topics_.push_back("direct/" + account_name(how.first_account + i) + "/" +
                        account_name(senders_[i % how.senders]->index()) + "/");
    }
  }

  nlohmann::json run() {
    office_.connect(recipients_, office_.how().connect_parallel);
    for (auto* each : recipients_) each->client().close();
    office_.connect(senders_, office_.how().connect_parallel);
    office_.loop().in_each_round = [this] { round(); };
    office_.begin();
    const bool has_number = office_.how().per_recipient > 0;
    office_.loop().run_until([this] { return is_sent(); },
                             has_number ? office_.how().patience_ns : office_.how().time_ns);
    is_sending_ = false;
    office_.loop().run_until([this] { return is_confirmed(); }, office_.how().patience_ns);
    office_.end();
    return office_.report({});
  }

 private:
  void round() {
    for (std::size_t i = 0; i < senders_.size(); ++i) {
      if (!is_back(i)) continue;
      auto& client = senders_[i]->client();
      const auto inflight = std::min(office_.how().inflight, client.receive_maximum());
      while (is_sending_ && client.mail().underway() < inflight && may_send(turn_[i])) send(i);
    }
  }

  // Whether the sender is connected, with all repeated that has to be.
  bool is_back(std::size_t i) {
    auto& client = senders_[i]->client();
    auto& [letters, is_gone] = unconfirmed_[i];
    if (!is_gone) {
      while (letters.size() > client.mail().underway()) letters.pop_front();
      if (client.is_ready()) return true;
      is_gone = true;
      office_.loop().keep_opening(client);
    }
    if (!client.is_ready()) return false;
    is_gone = false;
    for (const auto& each : letters) {
      senders_[i]->repeat(topics_[each.recipient], recipients_[each.recipient]->index(), each.number,
                          each.id);
    }
    return true;
  }

  bool may_send(std::size_t recipient) const {
    return recipient < sent_.size() &&
           (office_.how().per_recipient == 0 || sent_[recipient] < office_.how().per_recipient);
  }

  void send(std::size_t i) {
    const auto recipient = turn_[i];
    const auto number = sent_[recipient]++;
    const auto id = senders_[i]->send(topics_[recipient], recipients_[recipient]->index(), number);
    unconfirmed_[i].letters.push_back({.recipient = recipient, .number = number, .id = id});
    turn_[i] += senders_.size();
    if (turn_[i] >= sent_.size()) turn_[i] = i;
  }

  bool is_sent() const {
    if (office_.how().per_recipient == 0) return false;
    return std::all_of(sent_.begin(), sent_.end(),
                       [this](std::uint64_t each) { return each == office_.how().per_recipient; });
  }
  bool is_confirmed() const {
    return std::all_of(senders_.begin(), senders_.end(), [](participant* each) {
      return each->client().is_ready() && each->client().mail().underway() == 0;
    });
  }

  struct posted {
    std::size_t recipient = 0;
    std::uint64_t number = 0, id = 0;
  };
  struct unconfirmed {
    std::deque<posted> letters;  // oldest first
    bool is_gone = false;        // its connection broke
  };

  office office_;
  std::vector<participant*> recipients_, senders_;
  std::vector<std::uint64_t> sent_;       // to each recipient
  std::vector<std::size_t> turn_;         // of each sender, the recipient who is next
  std::vector<unconfirmed> unconfirmed_;  // of each sender
  std::vector<std::string> topics_;       // to each recipient, without the message id
  bool is_sending_ = true;
};

class drain {
 public:
  explicit drain(const settings& how) : office_(how) {
    for (std::size_t i = 0; i < how.recipients; ++i) {
      const auto index = how.first_account + i;
      office_.add(index, {"direct/" + account_name(index) + "/#"}, true);
    }
  }

  nlohmann::json run() {
    office_.loop().in_each_round = [this] {
      const auto now = now_ns();
      for (const auto& each : office_.participants()) each->acknowledge_due(now, false);
    };
    office_.begin();
    office_.connect_all();
    office_.finish([this] { return is_done(); });
    office_.end();
    std::vector<office::stream_name> streams;
    for (std::size_t i = 0; i < office_.participants().size(); ++i) {
      const auto sender = office_.how().first_account + office_.how().recipients + i % office_.how().senders;
      streams.push_back({.sender = static_cast<std::uint32_t>(sender),
                         .recipient = office_.participants()[i].get(),
                         .sent = office_.how().per_recipient});
    }
    return office_.report(streams);
  }

 private:
  bool is_done() {
    const auto& all = office_.participants();
    // Asked once a round: what is not done is looked for where it was not done the last time.
    for (; done_ < all.size(); ++done_) {
      if (all[done_]->received() < office_.how().per_recipient || !all[done_]->is_done()) return false;
    }
    return true;
  }

  office office_;
  std::size_t done_ = 0;
};

}  // namespace

nlohmann::json run_offline(const settings& how) { return offline(how).run(); }
nlohmann::json run_drain(const settings& how) { return drain(how).run(); }

}  // namespace restante::bench
