#include "bridge/system/judge.h"

#include <nlohmann/json.hpp>

#include "bridge/targets/stream_id.h"
#include "support/postgres_server.h"

namespace restante::bridge_system {
namespace {

using nlohmann::json;

bool is_as_wanted(const json& wanted, const json& user) {
  const std::string status = wanted["status"];
  if (status == "blocked") return user.is_null() || user["deactivated"] == true;
  if (status == "deleted") return user.is_null() || user["deleted"] == true;
  const auto same = [&](const char* what, const json& otherwise) {
    const json value = wanted[what].is_null() ? otherwise : wanted[what];
    return value == user.value(what, json());
  };
  return user.is_object() && user["deactivated"] == false && user["deleted"] == false && same("name", {}) &&
         same("image", {}) && same("language", "") && same("role", "user") && same("teams", json::array()) &&
         same("custom", json::object());
}

}  // namespace

judgement judge(const std::string& owner, const stream_stand_in::stand_in_process& stream) {
  const json accounts = json::parse(support::query(
      owner,
      "select json_object_agg(a.name, json_build_object('status', a.status, 'name', p.display_name,"
      " 'image', p.image_url, 'language', p.language, 'role', p.role, 'teams', to_json(p.teams),"
      " 'custom', p.custom)) from restante.account a join restante.profile p on p.account_id = a.id"));
  const json users = stream.users();
  judgement found;
  for (const auto& [account, wanted] : accounts.items()) {
    ++found.accounts;
    const auto user = users.find(stream_id(account));
    const json there = user == users.end() ? json() : *user;
    if (is_as_wanted(wanted, there)) {
      ++found.right;
    } else if (found.wrong.size() < 5) {
      found.wrong.push_back(account + ": wanted " + wanted.dump() + ", there is " + there.dump());
    }
  }
  return found;
}

void add_accounts(const std::string& owner, const std::string& stem, int count) {
  support::query(owner, "insert into restante.account (name) select '" + stem +
                            "' || g from generate_series(1, " + std::to_string(count) +
                            ") g;"
                            "update restante.profile p set display_name = 'Player ' || p.account_id,"
                            " image_url = 'https://cdn.example.test/a/' || p.account_id || '.png',"
                            " custom = jsonb_build_object('level', p.account_id % 60,"
                            " 'guild', jsonb_build_object('tag', 'ORB', 'rank', p.account_id % 7)),"
                            " language = 'de' from restante.account a where a.id = p.account_id"
                            " and a.name like '" +
                            stem + "%'");
}

}  // namespace restante::bridge_system
