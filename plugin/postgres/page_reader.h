// Reads what waits in one mailbox, in order.
//
// Rows are not trusted: one that cannot be a message is passed over, and said.
//
// Threads: that of the connection.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ports.h"
#include "postgres/connection.h"

namespace restante {

struct page_reading {
  page read;
  std::size_t size_bytes = 0;           // about what the rows take in memory
  std::vector<std::string> complaints;  // rows that were passed over
};

// What has outlived `retention_us` or its own expiry is not there any more, whether or not it was moved yet.
result<page_reading> read_page(connection& from, const page_request& wanted, std::int64_t retention_us);

}  // namespace restante
