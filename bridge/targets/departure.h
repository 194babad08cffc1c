// What a service is to do with accounts that are blocked or deleted here. One that was never sent there is
// left alone in any case.
#pragma once

namespace restante {

enum class on_block { deactivate, keep };

// Deletion is for good: Stream never takes a deleted id again.
//   remove_softly   the user is marked deleted; messages and what was written stay
//   remove_hard     the user goes with all of its messages and conversations
enum class on_delete { remove_softly, remove_hard, deactivate, keep };

struct departure {
  on_block blocked = on_block::deactivate;
  on_delete deleted = on_delete::remove_softly;
};

}  // namespace restante
