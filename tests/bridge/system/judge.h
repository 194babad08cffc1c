// Whether what the stand-in has is what the database says.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "support/stream/stand_in_process.h"

namespace restante::bridge_system {

struct judgement {
  std::size_t accounts = 0;
  std::size_t right = 0;
  std::vector<std::string> wrong;  // the first few: what was wanted and what is there
  bool is_all_right() const { return accounts > 0 && right == accounts; }
};

// Every account: an active one's user is exactly its profile; a blocked one's is deactivated or was never
// there; a deleted one's is deleted or was never there. `owner`: conninfo that may read everything.
judgement judge(const std::string& owner, const stream_stand_in::stand_in_process& stream);

// So many active accounts named {stem}1 to {stem}{count}, each with a name, an image and custom fields.
void add_accounts(const std::string& owner, const std::string& stem, int count);

}  // namespace restante::bridge_system
