// Withdraws what was stored behind somebody's back who left a group, or departed.
//
// Triggers withdraw what waits then, and what is stored later is not stored for them. What neither sees is a
// batch whose statements ran before the change was committed, and which was committed after the trigger had
// looked. So it is looked for once more after each change, between two batches: then every batch either is
// there to be found or will see the change itself.
//
// Changes are known from `restante.change`, by transaction snapshots as change_feed.h knows them, and all
// that stand there are looked at again on a new connection: another broker, or another server, may have
// stored last. They are kept for an hour after they were made, and swept by a broker only, so none is missed
// but those of a transaction that was itself open for an hour.
//
// Bounds: a thousand changes are held at once, and a few mailboxes are read by each call, whole, as the
// triggers read them. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "postgres/batch_statements.h"
#include "postgres/connection.h"

namespace restante {

class late_withdrawal {
 public:
  // A new connection.
  void begin();

  // Whether there is more to do. Only between two batches of the same connection. After an error the same is
  // done again.
  result<bool> run(connection& on);

 private:
  struct departure {
    std::int64_t account_id = 0;
    std::int64_t group_id = 0;  // 0: not of a group, but altogether
  };
  result<void> list(connection& on);
  result<std::vector<delivery_place>> find(connection& on, std::size_t count) const;

  std::string seen_;                  // the snapshot up to which all is done
  std::optional<std::string> round_;  // and the one up to which it will be after the present round
  departure last_;                    // that was listed in this round
  bool is_listed_ = false;            // all of this round
  std::vector<departure> waiting_;    // listed, not done; the last first
  std::size_t at_once_ = 1;
};

}  // namespace restante
