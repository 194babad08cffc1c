// A batch made ready to be written: whom each message is for, which mailboxes are full, what has expired
// already. Decided once, so that a batch that must be written again is not judged anew.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ports.h"
#include "postgres/connection.h"
#include "postgres/mailbox_room.h"

namespace restante {

using name_list = std::shared_ptr<const std::vector<std::string>>;

struct outgoing {
  shared_message what;
  name_list recipients;                       // shared by all messages to a large group
  bool but_sender = false;                    // the sender may be among them, and is passed over
  std::vector<bool> full;                     // for each of `recipients`; empty: none is
  bool is_group = false;                      // its body stands apart
  bool has_expired = false;                   // on its way here
  std::optional<std::int64_t> expires_at_us;  // nothing: with its day
  std::int64_t dead_letter = 0;               // settled by it

  bool is_for(std::size_t recipient) const {
    return !but_sender || (*recipients)[recipient] != what->key.sender;
  }
  bool is_full(std::size_t recipient) const { return !full.empty() && full[recipient]; }
};

// Expiries by the day are as coarse as a day: below two days of retention every message has its own.
std::optional<std::int64_t> expiry_of(const message& what, std::int64_t retention_us);

// Reads members and counts; writes nothing. `server_now_us`: by the server's clock.
result<std::vector<outgoing>> make_ready(connection& with, const std::vector<envelope>& messages,
                                         mailbox_room& room, std::int64_t retention_us,
                                         std::int64_t server_now_us);

}  // namespace restante
