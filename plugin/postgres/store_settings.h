// What the store's thread is told when it is made.
#pragma once

#include <chrono>
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
  // How long one statement may take before it is given up; longer once one was, for the batch that needs it.
  std::chrono::milliseconds statement_timeout{15'000};
};

}  // namespace restante
