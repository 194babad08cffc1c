// restante user: accounts.
#include <iostream>
#include <memory>
#include <optional>
#include <regex>
#include <vector>

#include "arguments.h"
#include "crypto/password.h"
#include "directory.h"
#include "listing.h"
#include "verbs.h"

namespace restante {
namespace {

struct user_arguments {
  std::string name;
  bool password_from_stdin = false;
  std::optional<std::string> display_name, image_url, acknowledge;
  std::optional<std::string> language, custom, role;
  std::optional<std::vector<std::string>> teams;
  bool all = false;

  bool says_anything_of_profile() const {
    return display_name || image_url || language || custom || role || teams;
  }
};
using shared_arguments = std::shared_ptr<user_arguments>;

// MQTT carries no longer one.
constexpr std::size_t longest_password_bytes = 65'535;

constexpr std::string_view user_query =
    "select a.name, a.status, p.display_name, p.image_url, p.language, p.custom, p.role, p.teams,"
    " p.version as profile_version, coalesce(a.acknowledge, 'default') as acknowledge,"
    " a.has_acknowledged, a.password_hash is not null as has_password,"
    " (select coalesce(json_agg(json_build_object('group', g.name, 'role', m.role) order by g.name), '[]')"
    "  from restante.member m join restante.account_group g on g.id = m.group_id where m.account_id = a.id)"
    "  as groups,"
    " (select count(*) from restante.mailbox b join restante.delivery d on d.mailbox_id = b.id"
    "  where b.account_id = a.id) as waiting,"
    " a.created_at, a.updated_at "
    "from restante.account a left join restante.profile p on p.account_id = a.id where a.id = $1";

constexpr std::string_view users_query =
    "select a.name, a.status, p.display_name, p.image_url, coalesce(a.acknowledge, 'default') as acknowledge,"
    " a.password_hash is not null as has_password, a.created_at "
    "from restante.account a left join restante.profile p on p.account_id = a.id "
    "where $1 or a.status <> 'deleted' order by lower(a.name)";

// The first line of standard input.
std::variant<std::string, outcome> read_password() {
  std::string line;
  char c = 0;
  while (std::cin.get(c) && c != '\n') {
    line += c;
    if (line.size() > longest_password_bytes) return refused("the password is longer than MQTT can carry");
  }
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return refused("the password is empty; write it as the first line of standard input");
  return line;
}

// The hash to be stored; none when no password was given.
std::variant<std::optional<std::string>, outcome> hash_of_given(const user_arguments& given) {
  if (!given.password_from_stdin) return std::optional<std::string>();
  auto password = read_password();
  if (auto* problem = std::get_if<outcome>(&password)) return std::move(*problem);
  return std::optional(hash_password(std::get<std::string>(password)));
}

// Empty text takes away what was there.
std::optional<std::string> unless_empty(const std::optional<std::string>& text) {
  return text && !text->empty() ? text : std::nullopt;
}

result<void> set_profile(connection& to, std::int64_t id, const user_arguments& given) {
  if (!given.says_anything_of_profile()) return {};
  text_array teams;
  for (const auto& each : given.teams.value_or(std::vector<std::string>())) {
    if (!each.empty()) teams.push(each);
  }
  auto done = to.execute(
      "update restante.profile set display_name = case when $2 then $3 else display_name end,"
      " image_url = case when $4 then $5 else image_url end,"
      " language = case when $6 then $7 else language end,"
      " custom = case when $8 then coalesce($9::text::jsonb, '{}') else custom end,"
      " role = case when $10 then $11 else role end,"
      " teams = case when $12 then case when cardinality($13::text[]) > 0 then $13 end else teams end where "
      "account_id = $1",
      {id, given.display_name.has_value(), unless_empty(given.display_name), given.image_url.has_value(),
       unless_empty(given.image_url), given.language.has_value(), unless_empty(given.language),
       given.custom.has_value(), unless_empty(given.custom), given.role.has_value(), unless_empty(given.role),
       given.teams.has_value(), teams});
  if (!done) return done.error();
  return {};
}

outcome show(connection& from, const output& out, std::int64_t id) {
  auto user = read_record(from, user_query, {id});
  if (!user) return failed(user.error());
  out.record(*user);
  return done();
}

outcome show_done(connection& from, const output& out, std::int64_t id, const std::string& line) {
  auto user = read_record(from, user_query, {id});
  if (!user) return failed(user.error());
  out.done(line, *user);
  return done();
}

outcome add(connection& to, const output& out, const user_arguments& given) {
  auto hash = hash_of_given(given);
  if (auto* problem = std::get_if<outcome>(&hash)) return std::move(*problem);
  auto changes = transaction::begin(to);
  if (!changes) return failed(changes.error());
  auto added = to.execute(
      "insert into restante.account (name, password_hash) values ($1, $2) on conflict do nothing returning "
      "id",
      {given.name, std::get<std::optional<std::string>>(hash)});
  if (!added) return failed(added.error());
  if (added->empty()) return name_is_taken(to, directory_kind::account, given.name);
  const std::int64_t id = (*added)[0].int64(0);
  if (auto set = set_profile(to, id, given); !set) return failed(set.error());
  if (auto committed = changes->commit(); !committed) return failed(committed.error());
  return show_done(to, out, id,
                   "added " + given.name +
                       (given.password_from_stdin ? "" : ", without a password: it cannot log in by one"));
}

outcome set(connection& to, const output& out, const user_arguments& given) {
  auto found = find_by_name(to, directory_kind::account, given.name);
  if (auto* problem = std::get_if<outcome>(&found)) return std::move(*problem);
  const std::int64_t id = std::get<std::int64_t>(found);
  auto hash = hash_of_given(given);
  if (auto* problem = std::get_if<outcome>(&hash)) return std::move(*problem);
  auto changes = transaction::begin(to);
  if (!changes) return failed(changes.error());
  if (given.password_from_stdin || given.acknowledge) {
    const bool by_default = given.acknowledge == "default";
    auto updated = to.execute(
        "update restante.account set password_hash = coalesce($2, password_hash),"
        " acknowledge = case when $3 then $4 else acknowledge end where id = $1",
        {id, std::get<std::optional<std::string>>(hash), given.acknowledge.has_value(),
         by_default ? std::nullopt : given.acknowledge});
    if (!updated) return failed(updated.error());
  }
  if (auto done = set_profile(to, id, given); !done) return failed(done.error());
  if (auto committed = changes->commit(); !committed) return failed(committed.error());
  return show_done(to, out, id, "changed " + given.name);
}

outcome set_status(connection& to, const output& out, const std::string& name, const std::string& status,
                   const std::string& line) {
  auto found = find_by_name(to, directory_kind::account, name);
  if (auto* problem = std::get_if<outcome>(&found)) return std::move(*problem);
  const std::int64_t id = std::get<std::int64_t>(found);
  auto updated =
      to.execute("update restante.account set status = $2 where id = $1 and status not in ($2, 'deleted')",
                 {id, status});
  if (!updated) return failed(updated.error());
  return show_done(to, out, id, line + " " + name + (updated->affected() == 0 ? " (was so already)" : ""));
}

// These say what the database would refuse, before it is asked.
CLI::Validator language_argument() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        static const std::regex tag("[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}");
        if (text.empty() || std::regex_match(text, tag)) return {};
        return "'" + text + "' is no language tag such as de or pt-BR";
      },
      "", "language");
}

CLI::Validator role_argument() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        static const std::regex role("[A-Za-z0-9_-]{1,64}");
        if (text.empty() || std::regex_match(text, role)) return {};
        return "'" + text + "' is no role: 1 to 64 of A-Z a-z 0-9 _ -";
      },
      "", "role");
}

CLI::Validator json_object_argument() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        constexpr std::size_t longest_bytes = 16'384;
        if (text.size() > longest_bytes) return "at most 16384 bytes";
        if (text.empty() || json::parse(text, nullptr, false).is_object()) return {};
        return "not a JSON object, as {\"city\":\"Ulm\"}";
      },
      "", "JSON object");
}

CLI::App* add_named(CLI::App& to, const char* verb, const char* help, const shared_arguments& given) {
  CLI::App* made = to.add_subcommand(verb, help);
  made->add_option("NAME", given->name, "The account")->required()->check(name_argument());
  return made;
}

void add_properties(CLI::App& to, const shared_arguments& given) {
  to.add_flag("--password-stdin", given->password_from_stdin,
              "Read the password from the first line of standard input");
  to.add_option("--name", given->display_name, "Display name; empty: none")->check(text_up_to(256));
  to.add_option("--image", given->image_url, "URL of a picture; empty: none")->check(text_up_to(2048));
  to.add_option("--language", given->language, "Language tag, as de or pt-BR; empty: none")
      ->check(language_argument());
  to.add_option("--custom", given->custom, "JSON object that is shown with the profile; empty: none")
      ->check(json_object_argument());
  to.add_option("--role", given->role, "Role at external services; empty: none")->check(role_argument());
  // An option of optional type would be left as it is by empty text.
  to.add_option_function<std::vector<std::string>>(
        "--team", [given](const std::vector<std::string>& teams) { given->teams = teams; },
        "Team at external services; may be repeated, empty: none")
      ->check(text_up_to(100));
}

}  // namespace

void add_user_verbs(CLI::App& to, command& given_command) {
  command* given = &given_command;
  CLI::App* user = to.add_subcommand("user", "Accounts");
  user->require_subcommand(1);
  const auto arguments = std::make_shared<user_arguments>();

  CLI::App* adding = add_named(*user, "add", "Create an account", arguments);
  add_properties(*adding, arguments);
  adding->callback([given, arguments] {
    given->run = [arguments](connection& to, const output& out) { return add(to, out, *arguments); };
  });

  CLI::App* setting = add_named(*user, "set", "Change an account", arguments);
  add_properties(*setting, arguments);
  setting
      ->add_option("--acknowledge", arguments->acknowledge,
                   "What counts as this account's acknowledgement; default: the broker's option")
      ->check(one_of({"auto", "receipt", "puback", "handoff", "default"}));
  setting->callback([given, arguments] {
    if (!arguments->password_from_stdin && !arguments->says_anything_of_profile() &&
        !arguments->acknowledge) {
      throw CLI::RequiredError(
          "at least one of --password-stdin, --name, --image, --language, --custom, --role, --team and "
          "--acknowledge");
    }
    given->run = [arguments](connection& to, const output& out) { return set(to, out, *arguments); };
  });

  const struct {
    const char *verb, *help, *status, *line;
  } changes[] = {
      {"block", "Close its connections, refuse its logins, withdraw what waits for it", "blocked", "blocked"},
      {"unblock", "Let it log in again", "active", "unblocked"},
      {"delete", "For ever: its name is never used again", "deleted", "deleted"},
  };
  for (const auto& change : changes) {
    add_named(*user, change.verb, change.help, arguments)->callback([given, arguments, change] {
      given->run = [arguments, change](connection& to, const output& out) {
        return set_status(to, out, arguments->name, change.status, change.line);
      };
    });
  }

  CLI::App* listing = user->add_subcommand("list", "All accounts");
  listing->add_flag("--all", arguments->all, "Deleted ones too");
  listing->callback([given, arguments] {
    given->run = [arguments](connection& from, const output& out) {
      auto users = read_list(from, users_query, {arguments->all});
      if (!users) return failed(users.error());
      out.list(*users);
      return done();
    };
  });

  add_named(*user, "show", "One account, with its groups and what waits for it", arguments)
      ->callback([given, arguments] {
        given->run = [arguments](connection& from, const output& out) {
          auto found = find_by_name(from, directory_kind::account, arguments->name);
          if (auto* problem = std::get_if<outcome>(&found)) return std::move(*problem);
          return show(from, out, std::get<std::int64_t>(found));
        };
      });
}

}  // namespace restante
