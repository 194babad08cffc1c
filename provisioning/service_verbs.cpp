// restante service: which account answers the requests of each service.
#include <memory>
#include <string>

#include "arguments.h"
#include "directory.h"
#include "listing.h"
#include "verbs.h"

namespace restante {
namespace {

struct service_arguments {
  std::string service, account;
};
using shared_arguments = std::shared_ptr<service_arguments>;

constexpr std::string_view services_query =
    "select s.name, a.name as account, a.status, s.created_at "
    "from restante.service s join restante.account a on a.id = s.account_id ";

outcome grant(connection& to, const output& out, const service_arguments& given) {
  auto found = find_by_name(to, directory_kind::account, given.account);
  if (auto* problem = std::get_if<outcome>(&found)) return std::move(*problem);
  auto granted = to.execute(
      "insert into restante.service as s (name, account_id) values ($1, $2)"
      " on conflict (name) do update set account_id = $2 where s.account_id <> $2",
      {given.service, std::get<std::int64_t>(found)});
  if (!granted) {
    if (granted.error().sqlstate != "23505") return failed(granted.error());
    return refused("there is a service of that name in other case: see `restante service list`");
  }
  auto service = read_record(to, std::string(services_query) + "where s.name = $1", {given.service});
  if (!service) return failed(service.error());
  out.done(given.account + (granted->affected() == 0 ? " has " : " now has ") + "service " + given.service,
           *service);
  return done();
}

outcome revoke(connection& from, const output& out, const service_arguments& given) {
  auto service = read_record(from, std::string(services_query) + "where s.name = $1", {given.service});
  if (!service) return failed(service.error());
  auto revoked = from.execute("delete from restante.service where name = $1", {given.service});
  if (!revoked) return failed(revoked.error());
  if (revoked->affected() == 0) return refused("nobody is granted a service '" + given.service + "'");
  out.done("revoked " + given.service + ": its requests are dead letters until it is granted again",
           *service);
  return done();
}

outcome list(connection& from, const output& out) {
  auto services = read_list(from, std::string(services_query) + "order by lower(s.name)");
  if (!services) return failed(services.error());
  out.list(*services);
  return done();
}

}  // namespace

void add_service_verbs(CLI::App& to, command& given_command) {
  command* given = &given_command;
  CLI::App* service = to.add_subcommand("service", "Services, and the accounts that answer their requests");
  service->require_subcommand(1);
  const auto arguments = std::make_shared<service_arguments>();
  const auto add_name = [&](CLI::App& verb) {
    verb.add_option("NAME", arguments->service, "The service")->required()->check(name_argument());
  };

  CLI::App* granting = service->add_subcommand(
      "grant", "Let an account hear and answer a service's requests, instead of any other; what waits moves");
  add_name(*granting);
  granting->add_option("ACCOUNT", arguments->account, "The account")->required()->check(name_argument());
  granting->callback([given, arguments] {
    given->run = [arguments](connection& to, const output& out) { return grant(to, out, *arguments); };
  });

  CLI::App* revoking = service->add_subcommand("revoke", "Let nobody; what waits becomes dead letters");
  add_name(*revoking);
  revoking->callback([given, arguments] {
    given->run = [arguments](connection& from, const output& out) { return revoke(from, out, *arguments); };
  });

  service->add_subcommand("list", "All services")->callback([given] {
    given->run = [](connection& from, const output& out) { return list(from, out); };
  });
}

}  // namespace restante
