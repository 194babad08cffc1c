// restante group: groups and their members.
#include <memory>
#include <optional>

#include "arguments.h"
#include "directory.h"
#include "listing.h"
#include "verbs.h"

namespace restante {
namespace {

struct group_arguments {
  std::string group, account;
  std::optional<std::string> role, receipts;
  bool all = false;
};
using shared_arguments = std::shared_ptr<group_arguments>;

constexpr std::string_view group_query =
    "select g.name, coalesce(case when g.receipts then 'on' else (case when not g.receipts then 'off' end) "
    "end,"
    " 'auto') as receipts,"
    " (select coalesce(json_agg(json_build_object('name', a.name, 'role', m.role) order by a.name), '[]')"
    "  from restante.member m join restante.account a on a.id = m.account_id where m.group_id = g.id) as "
    "members,"
    " g.created_at, g.updated_at "
    "from restante.account_group g where g.id = $1";

constexpr std::string_view groups_query =
    "select g.name, g.status, (select count(*) from restante.member m where m.group_id = g.id) as members,"
    " g.created_at "
    "from restante.account_group g where $1 or g.status <> 'deleted' order by lower(g.name)";

// None: by the group's size.
std::optional<bool> receipts_of(const std::optional<std::string>& word) {
  if (!word || *word == "auto") return std::nullopt;
  return *word == "on";
}

outcome show_done(connection& from, const output& out, std::int64_t id, const std::string& line) {
  auto group = read_record(from, group_query, {id});
  if (!group) return failed(group.error());
  out.done(line, *group);
  return done();
}

outcome add(connection& to, const output& out, const group_arguments& given) {
  auto added = to.execute(
      "insert into restante.account_group (name, receipts) values ($1, $2) on conflict do nothing returning "
      "id",
      {given.group, receipts_of(given.receipts)});
  if (!added) return failed(added.error());
  if (added->empty()) return name_is_taken(to, directory_kind::group, given.group);
  return show_done(to, out, (*added)[0].int64(0), "added " + given.group);
}

outcome set(connection& to, const output& out, std::int64_t id, const group_arguments& given) {
  auto updated = to.execute("update restante.account_group set receipts = $2 where id = $1",
                            {id, receipts_of(given.receipts)});
  if (!updated) return failed(updated.error());
  return show_done(to, out, id, "changed " + given.group);
}

outcome remove(connection& to, const output& out, std::int64_t id, const group_arguments& given) {
  auto updated = to.execute("update restante.account_group set status = 'deleted' where id = $1", {id});
  if (!updated) return failed(updated.error());
  return show_done(to, out, id, "deleted " + given.group);
}

outcome join(connection& to, const output& out, std::int64_t id, const group_arguments& given) {
  auto found = find_by_name(to, directory_kind::account, given.account);
  if (auto* problem = std::get_if<outcome>(&found)) return std::move(*problem);
  // Joining again changes the role only when one was given.
  auto joined = to.execute(
      "insert into restante.member as m (group_id, account_id, role) values ($1, $2, coalesce($3, 'member'))"
      " on conflict (group_id, account_id) do update set role = $3 where $3 is not null and m.role <> $3",
      {id, std::get<std::int64_t>(found), given.role});
  if (!joined) return failed(joined.error());
  return show_done(to, out, id,
                   given.account + (joined->affected() == 0 ? " is in " : " is now in ") + given.group);
}

outcome leave(connection& to, const output& out, std::int64_t id, const group_arguments& given) {
  auto found = find_by_name(to, directory_kind::account, given.account);
  if (auto* problem = std::get_if<outcome>(&found)) return std::move(*problem);
  auto left = to.execute("delete from restante.member where group_id = $1 and account_id = $2",
                         {id, std::get<std::int64_t>(found)});
  if (!left) return failed(left.error());
  if (left->affected() == 0) {
    return refused("'" + given.account + "' is not a member of group '" + given.group + "'");
  }
  return show_done(to, out, id, given.account + " has left " + given.group);
}

outcome show(connection& from, const output& out, std::int64_t id, const group_arguments&) {
  auto group = read_record(from, group_query, {id});
  if (!group) return failed(group.error());
  out.record(*group);
  return done();
}

CLI::App* add_named(CLI::App& to, const char* verb, const char* help, const shared_arguments& given) {
  CLI::App* made = to.add_subcommand(verb, help);
  made->add_option("GROUP", given->group, "The group")->required()->check(name_argument());
  return made;
}

void add_receipts(CLI::App& to, const shared_arguments& given) {
  to.add_option("--receipts", given->receipts,
                "Whether members' receipts are passed on; auto: while it has 32 members or fewer")
      ->check(one_of({"on", "off", "auto"}));
}

using on_group = outcome (*)(connection&, const output&, std::int64_t, const group_arguments&);

// For verbs about a group that must be there.
std::function<void()> run_on_group(command& given, const shared_arguments& arguments, on_group verb) {
  return [&given, arguments, verb] {
    given.run = [arguments, verb](connection& to, const output& out) {
      auto found = find_by_name(to, directory_kind::group, arguments->group);
      if (auto* problem = std::get_if<outcome>(&found)) return std::move(*problem);
      return verb(to, out, std::get<std::int64_t>(found), *arguments);
    };
  };
}

}  // namespace

void add_group_verbs(CLI::App& to, command& given) {
  CLI::App* group = to.add_subcommand("group", "Groups and their members");
  group->require_subcommand(1);
  const auto arguments = std::make_shared<group_arguments>();

  CLI::App* adding = add_named(*group, "add", "Create a group", arguments);
  add_receipts(*adding, arguments);
  adding->callback([&given, arguments] {
    given.run = [arguments](connection& on, const output& out) { return add(on, out, *arguments); };
  });

  CLI::App* setting = add_named(*group, "set", "Change a group", arguments);
  add_receipts(*setting, arguments);
  setting->get_option("--receipts")->required();
  setting->callback(run_on_group(given, arguments, set));

  CLI::App* joining = add_named(*group, "join", "Make an account a member, or change its role", arguments);
  joining->add_option("NAME", arguments->account, "The account")->required()->check(name_argument());
  joining->add_option("--role", arguments->role, "member (default) or admin")
      ->check(one_of({"member", "admin"}));
  joining->callback(run_on_group(given, arguments, join));

  CLI::App* leaving =
      add_named(*group, "leave", "End a membership; what waits for it is withdrawn", arguments);
  leaving->add_option("NAME", arguments->account, "The account")->required()->check(name_argument());
  leaving->callback(run_on_group(given, arguments, leave));

  add_named(*group, "delete", "For ever: its name is never used again", arguments)
      ->callback(run_on_group(given, arguments, remove));

  CLI::App* listing = group->add_subcommand("list", "All groups");
  listing->add_flag("--all", arguments->all, "Deleted ones too");
  listing->callback([&given, arguments] {
    given.run = [arguments](connection& from, const output& out) {
      auto groups = read_list(from, groups_query, {arguments->all});
      if (!groups) return failed(groups.error());
      out.list(*groups);
      return done();
    };
  });

  add_named(*group, "show", "One group with its members", arguments)
      ->callback(run_on_group(given, arguments, show));
}

}  // namespace restante
