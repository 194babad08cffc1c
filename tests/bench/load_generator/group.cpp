#include <algorithm>
#include <string>
#include <vector>

#include "office.h"
#include "scenarios.h"

namespace restante::bench {
namespace {

class group {
 public:
  explicit group(const settings& how) : office_(how) {
    const auto sender = account_name(how.first_account);
    topic_ = "group/" + how.group + "/" + sender + "/";
    // A broker without the plugin would send the sender its own messages.
    office_.add(how.first_account, {"direct/" + sender + "/#"}, false);
    for (std::size_t i = 1; i <= how.recipients; ++i) {
      office_.add(how.first_account + i, {"group/" + how.group + "/#"}, false);
    }
  }

  nlohmann::json run() {
    office_.connect_all();
    office_.loop().in_each_round = [this] { round(); };
    office_.loop().run_for(office_.how().warm_up_ns);
    office_.begin();
    office_.loop().run_for(office_.how().time_ns);
    office_.end();
    is_sending_ = false;
    office_.finish([this] { return is_done(); });
    std::vector<office::stream_name> streams;
    for (std::size_t i = 1; i < office_.participants().size(); ++i) {
      streams.push_back(
          {.sender = sender().index(), .recipient = office_.participants()[i].get(), .sent = sent_});
    }
    return office_.report(streams);
  }

 private:
  participant& sender() { return *office_.participants().front(); }

  // Messages that the last of the recipients has not settled. The broker reads one packet of each client in a
  // loop: a sender that waited for less would leave acknowledgements behind in sockets, ever more of them.
  std::uint64_t underway() {
    std::uint64_t settled = sent_;
    for (std::size_t i = 1; i < office_.participants().size(); ++i) {
      settled = std::min(settled, office_.participants()[i]->settled());
    }
    return sent_ - settled;
  }

  void round() {
    auto& client = sender().client();
    const auto inflight = std::min(office_.how().inflight, client.receive_maximum());
    while (is_sending_ && client.is_ready() && client.mail().underway() < inflight &&
           underway() < office_.how().underway) {
      sender().send(topic_, letter::everybody, sent_++);
    }
    const auto now = now_ns();
    for (const auto& each : office_.participants()) each->acknowledge_due(now, !is_sending_);
  }

  bool is_done() {
    if (underway() > 0 || sender().client().mail().underway() > 0) return false;
    return std::all_of(office_.participants().begin(), office_.participants().end(),
                       [](const auto& each) { return each->is_done(); });
  }

  office office_;
  std::string topic_;
  std::uint64_t sent_ = 0;
  bool is_sending_ = true;
};

}  // namespace

nlohmann::json run_group(const settings& how) { return group(how).run(); }

}  // namespace restante::bench
