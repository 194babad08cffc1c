// An account at work: sends mail, checks what it gets, and acknowledges it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "client.h"
#include "letter.h"
#include "settings.h"
#include "stream_check.h"
#include "tally.h"

namespace restante::bench {

std::string account_name(std::size_t index);

class participant final : private client_events {
 public:
  // `how` and `counts` outlive it.
  participant(std::size_t index, client_settings login, const settings& how, tally& counts,
              std::vector<client*>& written);

  class client& client() {
    return client_;
  }
  std::uint32_t index() const { return index_; }

  // `topic` ends where the message id begins: direct/{to}/{me}/. Returns what the id was made of.
  std::uint64_t send(std::string_view topic, std::uint32_t recipient, std::uint64_t number);
  // The same message once more.
  void repeat(std::string_view topic, std::uint32_t recipient, std::uint64_t number, std::uint64_t id);

  // Sends the lines that have waited long enough. `all`: those that have not, too.
  void acknowledge_due(std::int64_t now, bool all);
  // Nothing more has to be acknowledged or confirmed.
  bool is_done() const { return lines_ == 0 && client_.acknowledgements().underway() == 0; }

  // Of the mail that came from `sender`.
  const stream_check& stream(std::uint32_t sender) const;
  std::uint64_t received() const { return received_; }
  // Of these the ones that the broker has confirmed the acknowledgement of, where there are such.
  std::uint64_t settled();

 private:
  void on_mail(const publish_view& mail) override;
  void on_confirmed() override { ++counts_.confirmed; }
  void on_refused() override { ++counts_.refused; }
  void on_broken(const char* why) override;
  stream_check& stream_from(std::uint32_t sender);
  void acknowledge(std::string_view topic, std::uint32_t sender);
  void send_lines();

  std::uint32_t index_;
  const settings& how_;
  tally& counts_;
  bench::client client_;
  std::uint64_t sent_ = 0, received_ = 0;
  std::vector<std::pair<std::uint32_t, stream_check>> streams_;  // few
  std::string topic_, payload_;                                  // kept for their memory
  std::string acknowledge_topic_, line_text_;
  std::size_t lines_ = 0;
  std::uint64_t lines_sent_ = 0, settled_ = 0;
  std::uint64_t confirmed_publishes_ = 0;
  std::deque<std::uint64_t> lines_sent_by_;  // after each publish that is not confirmed yet
  std::int64_t first_line_ns_ = 0;
};

}  // namespace restante::bench
