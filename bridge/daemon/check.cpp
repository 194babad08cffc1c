#include "bridge/daemon/check.h"

#include <ostream>

#include "bridge/daemon/service_desk.h"
#include "bridge/http/curl_transport.h"
#include "bridge/store/database_link.h"

namespace restante {
namespace {

using namespace std::chrono_literals;

constexpr auto try_time = 10s;
constexpr std::string_view good = "good";

// Tries what the bridge does there, each in a transaction that is undone.
constexpr std::string_view rights =
    "select restante.next_profile_due_ms('check'), (select count(*) from restante.sync_backlog('check')),"
    " (select count(*) from restante.account where name = 'check'),"
    " has_function_privilege('restante.claim_profiles(text,text,interval,integer)', 'execute')";

std::string check_database(const configuration& settings, bridge_exit& worst) {
  auto opened = connection::open({.database = settings.database,
                                  .application_name = "restante-bridge check",
                                  .connect_timeout = 5s,
                                  .statement_timeout = try_time});
  if (!opened) {
    worst = bridge_exit::unreachable;
    return describe_for_bridge(opened.error());
  }
  const auto answer = opened->execute(rights);
  if (answer) return std::string(good);
  if (worst == bridge_exit::done) worst = bridge_exit::refused;
  return describe_for_bridge(answer.error());
}

std::string check_mqtt(const configuration& settings, bridge_exit& worst) {
  service_client_settings how = service_client_of(settings);
  // Not to take over the session of one that runs.
  how.client_id += "-check";
  auto problem = service_client::try_once(std::move(how), try_time);
  if (problem.empty()) return std::string(good);
  if (worst == bridge_exit::done) worst = bridge_exit::refused;
  return problem;
}

std::string check_target(const configuration& settings, const named_target& which, bridge_exit& worst) {
  curl_transport by({.ca_file = settings.sync_ca_file, .user_agent = "restante-bridge/" RESTANTE_VERSION});
  http_request probe = which.probe;
  probe.timeout = try_time;
  by.send(1, std::move(probe));
  const auto answers = by.wait(try_time + 1s);
  const auto refuse = [&worst](std::string why) {
    if (worst == bridge_exit::done) worst = bridge_exit::refused;
    return why;
  };
  if (answers.empty()) return refuse("no answer in time");
  const http_response& answer = answers[0].response;
  if (answer.failure != http_failure::none) return refuse(answer.error);
  // A webhook's receiver may answer what it likes to something that is no change.
  if (which.name == "webhook" || answer.status < 300) return std::string(good);
  std::string said = "answers " + std::to_string(answer.status);
  if (answer.status == 401 || answer.status == 403)
    said += "; " + std::string(which.service->credentials_remedy());
  return refuse(said);
}

}  // namespace

bridge_exit check(const configuration& settings, const std::vector<named_target>& targets, std::ostream& to) {
  bridge_exit worst = bridge_exit::done;
  to << "database: " << check_database(settings, worst) << '\n';
  if (!settings.mqtt_uri.empty() && !served_services(settings).empty()) {
    to << "mqtt: " << check_mqtt(settings, worst) << std::endl;
  }
  for (const named_target& each : targets) {
    to << each.name << ": " << check_target(settings, each, worst) << std::endl;
  }
  return worst;
}

}  // namespace restante
