// Reads what waits in mailboxes, in order: several in one round trip, since what a statement costs by itself,
// with a partition for each day, is more than most pages do.
//
// Rows are not trusted: one that cannot be a message is passed over, and said.
//
// Threads: that of the connection.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/ports.h"
#include "postgres/account_ids.h"
#include "postgres/connection.h"

namespace restante {

struct page_reading {
  page read;
  std::size_t size_bytes = 0;           // about what the rows take in memory
  std::vector<std::string> complaints;  // rows that were passed over
};

// A page for each of `wanted`, in their order; where there are several, they share 16 MB of payload. What has
// outlived `retention_us` or its own expiry is not there any more, whether or not it was moved yet.
result<std::vector<page_reading>> read_pages(connection& from, std::span<const page_request> wanted,
                                             account_ids& ids, std::int64_t retention_us);

}  // namespace restante
