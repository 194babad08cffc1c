// What the store's thread is told when it is made.
#pragma once

#include <cstdint>
#include <string>

namespace restante {

struct store_settings {
  std::string database;  // libpq's conninfo or URI
  std::int64_t retention_us = 0;
  std::int64_t dead_letter_us = 0;
  std::int64_t mailbox_limit = 0;  // deliveries that wait for one account
  std::string topic_prefix;        // as operators see it
  std::string version;
};

}  // namespace restante
