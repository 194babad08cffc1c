// Stream (getstream.io): users of its chat, video and feeds, by the server-side API v2.
//
// Two ways to write a user. `replace`: POST /api/v2/users with the whole user, which removes what is not in
// it; for profiles that nobody else writes. `patch`: PATCH with the fields that are ours; what others own
// stays. Then it is first asked which users are there, and those that are not are made.
//
// Accounts that are blocked or deleted: departure.h. Stream does these by tasks, which are asked for.
#pragma once

#include <string>
#include <vector>

#include "bridge/core/target.h"
#include "bridge/targets/avatar_template.h"
#include "bridge/targets/departure.h"
#include "bridge/targets/stream_answer.h"

namespace restante {

struct stream_settings {
  std::string api_key;
  std::string api_secret;
  std::string base_url = "https://chat.stream-io-api.com";  // without a slash at its end
  enum class writing { replace, patch };
  writing mode = writing::replace;
  std::vector<std::string> owned;  // of patch: problem_of_owned_field() says what may be here
  departure left;
  avatar_template avatar;
};

class stream_target final : public target {
 public:
  // What is wrong with the settings, one line; empty: nothing.
  static std::string problem_of(const stream_settings& settings);

  // Throws std::invalid_argument with problem_of().
  explicit stream_target(stream_settings settings);

  std::span<const target_operation> operations() const override;
  sync_step next_step(const sync_job& job) const override;
  http_request request(std::size_t operation, std::span<const sync_item> items) const override;
  http_request task_request(std::string_view task) const override;
  sync_answer judge(std::size_t operation, std::span<const sync_item> items, const http_response& response,
                    bool of_task) const override;
  void renew_credentials() override;
  std::string_view credentials_remedy() const override;

  // GET /api/v2/rate_limits: takes a signature and changes nothing; to try the connection with.
  http_request probe() const;

 private:
  sync_step write_step(const sync_job& job) const;
  sync_step leave_step(const sync_job& job) const;
  sync_step to(stream_request what, std::string content, remote_state after, std::string hash) const;
  http_request make(const char* method, const std::string& path, std::string body,
                    const std::string& query = {}) const;

  stream_settings settings_;
  std::string token_;
};

}  // namespace restante
