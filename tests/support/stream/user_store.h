// All users of the app, and the tasks that were asked for. Not thread-safe: the service locks it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/stream/exchange.h"
#include "support/stream/user.h"

namespace restante::stream_stand_in {

enum class deletion { soft, pruning, hard };

struct task {
  std::string id;
  std::int64_t created_us = 0;
  std::string result;  // what it has once it is completed: JSON
  bool fails = false;
};

// What an operator of Stream sets in its dashboard.
struct app_settings {
  std::set<std::string> roles;
  bool unique_names = false;
  std::int64_t task_duration_us = 500'000;  // half of it waiting, half of it running
};

// Every method that changes something either does all of it or throws refusal and does nothing.
class user_store {
 public:
  app_settings& settings() { return settings_; }

  // `users`: the member of that name of the request. Both return the users as they are then.
  std::vector<const user*> upsert(const nlohmann::json& users, dialect shape, std::int64_t now_us);
  std::vector<const user*> patch(const nlohmann::json& users, std::int64_t now_us);

  const user& deactivate(const std::string& id, std::int64_t now_us);
  const user& reactivate(const std::string& id, const std::optional<std::string>& name, std::int64_t now_us);
  const user& remove(const std::string& id, deletion how, std::int64_t now_us);
  void restore(const std::vector<std::string>& ids, std::int64_t now_us);
  // Throws unless each could be changed so alone: for calls that are refused as a whole.
  void require_active(const std::vector<std::string>& ids) const;
  void require_deactivated(const std::vector<std::string>& ids) const;
  void require_alive(const std::vector<std::string>& ids) const;

  // Null when there is none. Deleted ones are there.
  const user* find(const std::string& id) const;
  const std::map<std::string, user>& all() const { return users_; }
  void clear();

  const task& begin_task(std::string result, bool fails, std::int64_t now_us);
  const task& find_task(const std::string& id) const;  // throws refusal
  // waiting, running, completed or failed
  std::string_view status_of(const task& what, std::int64_t now_us) const;

 private:
  user& alive(const std::string& id);
  void require_free_name(const user& who) const;
  const user& write(user after, std::int64_t now_us);

  app_settings settings_;
  std::map<std::string, user> users_;
  std::map<std::string, std::set<std::string>> ids_of_name_;  // kept while names are unique
  std::map<std::string, task> tasks_;
};

}  // namespace restante::stream_stand_in
