// The directory as the broker's thread may use it: a thread of its own with one connection, which looks
// accounts up, verifies passwords, and watches for changes.
//
// Changes are asked for each half second and at each notification. While the database is known to be away,
// and for a second after each failure, look-ups are `unavailable` at once, so that whoever waits for them
// never waits for long. For accounts that do not exist a password is verified all the same, so that time does
// not tell.
//
// Bounds: 1,024 look-ups, 1,024 profiles, 65,536 accounts and as many groups to be read again.
// Threads: all methods on the broker's thread; only find() and stop() wait.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/directory_events.h"

namespace restante {

struct directory_settings {
  std::string database;          // libpq's conninfo or URI
  std::int64_t group_limit = 0;  // larger groups come without their members
  std::string decoy_hash;        // of no password, as costly to verify as those of accounts
};

class directory_thread {
 public:
  // Called on the directory's thread; must not throw.
  using verify_function = std::function<bool(std::string_view plain, std::string_view hash)>;

  // `wake` is called whenever there are results, on the directory's thread (or within submit()); it must be
  // cheap and must not throw.
  directory_thread(directory_settings settings, verify_function verify, std::function<void()> wake);
  ~directory_thread();  // stops at once
  directory_thread(const directory_thread&) = delete;
  directory_thread& operator=(const directory_thread&) = delete;

  // Once. The thread receives no signals. Throws std::system_error if there is no thread to be had.
  void start();
  // Ends the thread, within the time that one password takes; or, should it be connecting just then, when
  // that has failed: two seconds for each host that does not answer. Look-ups that were not answered stay so.
  void stop();

  // Answered among the results.
  void submit(lookup request);
  // Waits for the answer. Nothing after `timeout`: the answer will be thrown away. `ticket` is not needed.
  // While the thread is stuck, which it is with one look-up for more than 100 ms, nobody waits.
  std::optional<lookup_result> find(lookup request, std::chrono::milliseconds timeout);

  // Answered among the results, one by one, when the database can be reached. False: too many wait already,
  // ask again later.
  bool reload(std::span<const std::string> accounts);
  bool rosters(std::span<const std::string> groups);
  bool profile(profile_request wanted);

  std::vector<directory_event> take_results();

 private:
  class worker;
  std::unique_ptr<worker> worker_;
};

}  // namespace restante
