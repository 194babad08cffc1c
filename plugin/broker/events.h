// Mosquitto's events, as calls of the core: C structs to values, verdicts to return codes.
//
// Threads: the broker's. No call throws.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "broker/expiry_reader.h"
#include "broker/login.h"
#include "core/post_office.h"
#include "core/topic.h"

struct mosquitto;
struct mosquitto_evt_acl_check;
struct mosquitto_evt_basic_auth;
struct mosquitto_evt_disconnect;
struct mosquitto_evt_message;

namespace restante {

class broker_events {
 public:
  broker_events(post_office& office, login_desk& desk, log& lines, topic_prefix prefix)
      : office_(office), desk_(desk), lines_(lines), prefix_(std::move(prefix)), expiries_(lines) {}

  int basic_auth(const mosquitto_evt_basic_auth& event);
  int acl_check(const mosquitto_evt_acl_check& event);
  int message(mosquitto_evt_message& event);
  void disconnect(const mosquitto_evt_disconnect& event);
  // At the beginning of each tick, before the post office's.
  void tick();

 private:
  // The publish that was accepted last, while the broker routes it: READ shows the same pointers as MESSAGE.
  // Addresses are used again at once, so the topic is compared too.
  struct routed_publish {
    const void* topic = nullptr;
    const void* payload = nullptr;
    std::string text;
  };

  // Whose connection ended last: its will comes right behind, when the post office knows it no more.
  struct leaving_session {
    session_handle handle = 0;
    shared_policy rights;
    std::string client_id;
  };

  int check_write(const mosquitto_evt_acl_check& event);
  int check_will(const mosquitto_evt_acl_check& event);
  int check_read(const mosquitto_evt_acl_check& event);
  int judge_read(const mosquitto_evt_acl_check& event);
  int check_subscribe(const mosquitto_evt_acl_check& event);
  void routing_is_over();
  bool is_durable(std::string_view topic_or_filter) const noexcept;
  bool is_away(const mosquitto* client) const;

  post_office& office_;
  login_desk& desk_;
  log& lines_;
  topic_prefix prefix_;
  expiry_reader expiries_;
  routed_publish routed_;
  leaving_session leaving_;
  session_handle connecting_ = 0;  // whose login was granted in this very call stack
  std::vector<session_handle>
      to_be_counted_;  // sessions whose number of subscriptions is wanted at the next tick
  std::unordered_set<session_handle> miscounted_;  // sessions to be disconnected at the next tick
  std::unordered_set<session_handle> away_;        // sessions without a connection that the broker may keep
};

}  // namespace restante
