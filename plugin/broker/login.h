// Answers a login: who is it, is the password right, and does the broker have time for it.
//
// Clients learn only that they are refused; the log says why. Threads: the broker's. It waits for the
// directory, but never longer than `longest_wait`, and never more than a fifth of the time in all. A password
// that takes longer to verify is remembered by then, for when the client comes back.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/login_budget.h"
#include "core/post_office.h"
#include "postgres/directory_thread.h"

namespace restante {

struct login_attempt {
  session_handle handle = 0;
  std::string_view client_id;
  const char* username = nullptr;  // null: none was given
  const char* password = nullptr;
  bool clean = true;              // the client asks for a new session
  bool may_persist = false;       // its session may outlive the connection
  bool takes_properties = false;  // MQTT 5
};

enum class login_answer {
  granted,      // and known to the post office
  refused,      // wrong name or password, or not allowed
  unavailable,  // cannot be answered now: the client should come back
};

class login_desk {
 public:
  static constexpr std::chrono::milliseconds longest_wait{30};

  login_desk(post_office& office, directory_thread& directory, const clock& time, log& lines,
             topic_prefix prefix)
      : office_(office), directory_(directory), time_(time), lines_(lines), prefix_(std::move(prefix)) {}

  login_answer answer(const login_attempt& attempt);
  // Why the store cannot be used yet; empty: it can.
  void set_obstacle(std::string why) { obstacle_ = std::move(why); }

 private:
  login_answer refuse(const login_attempt& attempt, std::string_view why);
  login_answer put_off(const login_attempt& attempt, std::string_view why);

  post_office& office_;
  directory_thread& directory_;
  const clock& time_;
  log& lines_;
  topic_prefix prefix_;
  login_budget budget_;
  std::string obstacle_ = "the database has not been reached yet";
};

}  // namespace restante
