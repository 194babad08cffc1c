// Stores the messages of a batch, or a part of them, within the pipeline given.
// Threads: that of the connection.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "postgres/account_ids.h"
#include "postgres/batch_statements.h"
#include "postgres/outgoing.h"
#include "postgres/pipeline.h"

namespace restante {

// Bodies and deliveries, dead letters for whom it cannot be delivered to, dead letters settled. `ids` must
// have looked up all that the messages speak of.
void store_messages(pipeline& to, std::span<const outgoing> messages, account_ids& ids,
                    std::int64_t retention_us, attempt_kind kind);

// Older receipts that those among `messages` replace, of these messages included. Nothing: none can be.
std::vector<newer_receipt> receipts_among(std::span<const outgoing> messages, account_ids& ids);

// Everybody the messages speak of.
std::vector<std::string_view> names_in(std::span<const outgoing> messages);

}  // namespace restante
