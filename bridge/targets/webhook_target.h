// A receiver of our own making: one signed POST for each change.
//
//   {"account":"anna","event":"profile.updated","profile":{…},"version":7}
//   events: profile.updated, profile.deactivated, profile.deleted; the latter two without a profile
//
//   X-Restante-Delivery    the same for each repetition of this change: drop what you know. Changes come in
//   order X-Restante-Timestamp   seconds since 1970 when it was sent; refuse what is old X-Restante-Signature
//   sha256= and HMAC-SHA-256 of "{timestamp}.{body}" in hexadecimal digits
//
// Answers: 2xx taken; 410 never again for this account; 401 the secret is wrong, everything waits; 403 the
// same, or, once anything was taken, this account's failure; 408, 429, 5xx later; others: parked.
#pragma once

#include <string>

#include "bridge/core/ports.h"
#include "bridge/core/target.h"
#include "bridge/targets/avatar_template.h"
#include "bridge/targets/departure.h"

namespace restante {

struct webhook_settings {
  std::string url;
  std::string secret;
  departure left;
  avatar_template avatar;
};

class webhook_target final : public target {
 public:
  // What is wrong with the settings, one line; empty: nothing.
  static std::string problem_of(const webhook_settings& settings);

  // Throws std::invalid_argument with problem_of(). `clock` is to outlive it.
  webhook_target(webhook_settings settings, const bridge_clock& clock);

  std::span<const target_operation> operations() const override;
  sync_step next_step(const sync_job& job) const override;
  http_request request(std::size_t operation, std::span<const sync_item> items) const override;
  http_request task_request(std::string_view task) const override;
  sync_answer judge(std::size_t operation, std::span<const sync_item> items, const http_response& response,
                    bool of_task) const override;
  void renew_credentials() override {}
  std::string_view credentials_remedy() const override;

 private:
  webhook_settings settings_;
  const bridge_clock& clock_;
};

}  // namespace restante
