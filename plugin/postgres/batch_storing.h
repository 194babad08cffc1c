// Stores the messages of a batch, or a part of them, within the transaction that is open.
// Threads: that of the connection.
#pragma once

#include <cstdint>
#include <span>

#include "postgres/connection.h"
#include "postgres/outgoing.h"

namespace restante {

// Bodies and deliveries, dead letters for whom it cannot be delivered to, older receipts removed, dead
// letters settled.
result<void> store_messages(connection& to, std::span<const outgoing> messages, std::int64_t retention_us);

}  // namespace restante
