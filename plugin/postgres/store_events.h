// What the store's thread tells the broker's.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/ports.h"

namespace restante {

// Connected, alone on the database, partitions made.
struct store_ready {
  message_number stored_through = 0;
  std::int64_t database_clock_offset_us = 0;  // the server's clock less ours
};

// Not, or no more. Said once for each reason; a batch that was given is kept and written later.
struct store_lost {
  std::string why;
};

struct batch_stored {
  batch_result result;
};

struct page_ready {
  page read;
};

struct page_unreadable {
  std::uint64_t token = 0;
};

// Each is to be answered by an envelope that names its `dead_letter`; else it comes again after half a
// minute.
struct expired_due {
  std::vector<expired_delivery> expired;
};

// For the operator's log.
struct log_line {
  log_level level = log_level::info;
  std::string text;
};

using store_event =
    std::variant<store_ready, store_lost, batch_stored, page_ready, page_unreadable, expired_due, log_line>;

}  // namespace restante
