// What all scenarios share: the loop, the participants, the measured interval and its report.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "loop.h"
#include "participant.h"
#include "processor_time.h"
#include "settings.h"
#include "tally.h"

namespace restante::bench {

class office {
 public:
  explicit office(const settings& how);

  const settings& how() const { return how_; }
  bench::loop& loop() { return loop_; }
  tally& counts() { return counts_; }

  // Adds an account that is not connected yet. `lasting`: its session outlives the connection.
  participant& add(std::size_t index, std::vector<std::string> filters, bool lasting);
  std::vector<std::unique_ptr<participant>>& participants() { return participants_; }

  // Throws std::runtime_error when not all of them can log in.
  void connect(const std::vector<participant*>& which, std::size_t parallel);
  void connect_all();

  // Rounds until it is done, or until nothing has come for ten seconds: what then is missing is lost.
  void finish(const std::function<bool()>& is_done);

  // The measured interval.
  void begin();
  void end();
  bool has_begun() const { return began_.at_ns > 0; }

  // `sent(recipient, sender)` is how many messages were sent in that stream; streams are those received plus
  // those named.
  struct stream_name {
    std::uint32_t sender = 0;
    participant* recipient = nullptr;
    std::uint64_t sent = 0;
  };
  // Everything that is known, as one JSON object. Rates are of the measured interval, counts of the whole
  // run.
  nlohmann::json report(const std::vector<stream_name>& streams) const;

 private:
  struct moment {
    std::int64_t at_ns = 0;
    processor_time broker_loop{}, broker{}, generator{};
    std::uint64_t published = 0, confirmed = 0, delivered = 0, lines = 0, receipts = 0;
  };
  moment take() const;
  nlohmann::json interval() const;

  settings how_;
  tally counts_;
  bench::loop loop_;
  std::vector<std::unique_ptr<participant>> participants_;
  moment began_, ended_;
};

}  // namespace restante::bench
