// restante acl: rules, and what they say.
#include <charconv>
#include <memory>
#include <optional>
#include <vector>

#include "arguments.h"
#include "core/filter.h"
#include "core/policy.h"
#include "directory.h"
#include "listing.h"
#include "postgres/directory_reader.h"
#include "verbs.h"

namespace restante {
namespace {

struct rule_arguments {
  std::string user, group;  // at most one of them; neither: everyone
  bool everyone = false;
  std::string action, filter, topic, client_id;
  std::vector<std::string> which;  // of `remove`: an id, or action and filter
};
using shared_arguments = std::shared_ptr<rule_arguments>;

// Whom a rule speaks of, as ids; none: everyone.
struct subject {
  std::optional<std::int64_t> account, group;
};

constexpr std::size_t longest_filter_bytes = 1024;

const std::string rules_query =
    "select r.id, a.name as \"user\", g.name as \"group\", r.account_id is null and r.group_id is null as "
    "everyone,"
    " r.effect, r.action, r.filter, r.durable "
    "from restante.rule r left join restante.account a on a.id = r.account_id "
    "left join restante.account_group g on g.id = r.group_id ";

std::variant<subject, outcome> find_subject(connection& from, const rule_arguments& given) {
  if (given.user.empty() && given.group.empty()) return subject{};
  const bool is_user = !given.user.empty();
  auto found = find_by_name(from, is_user ? directory_kind::account : directory_kind::group,
                            is_user ? given.user : given.group);
  if (auto* problem = std::get_if<outcome>(&found)) return std::move(*problem);
  const std::int64_t id = std::get<std::int64_t>(found);
  return is_user ? subject{id, std::nullopt} : subject{std::nullopt, id};
}

outcome add(connection& to, const output& out, const rule_arguments& given, const std::string& effect) {
  auto found = find_subject(to, given);
  if (auto* problem = std::get_if<outcome>(&found)) return std::move(*problem);
  const subject whom = std::get<subject>(found);
  auto changes = transaction::begin(to);
  if (!changes) return failed(changes.error());
  // Deny would win over the same rule with allow: the later word of the operator replaces the earlier.
  auto replaced = to.execute(
      "delete from restante.rule where account_id is not distinct from $1 and group_id is not distinct from "
      "$2"
      " and effect <> $3 and action = $4 and filter = $5 and not durable",
      {whom.account, whom.group, effect, given.action, given.filter});
  if (!replaced) return failed(replaced.error());
  auto added = to.execute(
      "insert into restante.rule (account_id, group_id, effect, action, filter) values ($1, $2, $3, $4, $5)"
      " on conflict do nothing",
      {whom.account, whom.group, effect, given.action, given.filter});
  if (!added) return failed(added.error());
  if (auto committed = changes->commit(); !committed) return failed(committed.error());
  auto rule = read_record(to,
                          rules_query +
                              "where r.account_id is not distinct from $1 and r.group_id is not distinct "
                              "from $2 and r.effect = $3"
                              " and r.action = $4 and r.filter = $5 and not r.durable",
                          {whom.account, whom.group, effect, given.action, given.filter});
  if (!rule) return failed(rule.error());
  if (rule->is_null()) return refused("the rule was removed again a moment ago; try again");
  std::string line = "rule " + rule->at("id").dump();
  if (replaced->affected() != 0) line += ", in place of its opposite";
  if (added->affected() == 0) line += ", which was there already";
  out.done(line, *rule);
  return done();
}

// Removes what `condition` finds, unless a migration installed it.
outcome remove_where(connection& to, const output& out, const std::string& condition,
                     std::initializer_list<parameter> parameters) {
  auto rules = read_list(to, rules_query + "where " + condition + " order by r.id", parameters);
  if (!rules) return failed(rules.error());
  if (rules->empty()) return refused("there is no such rule; `restante acl list` shows all");
  int64_array ids;
  std::string line;
  for (const json& rule : *rules) {
    if (rule.at("durable")) {
      return refused(
          "rule " + rule.at("id").dump() +
          " belongs to the durable topics and stays; forbid what it allows by `restante acl deny`");
    }
    ids.push(rule.at("id").get<std::int64_t>());
    line += (line.empty() ? "removed rule " : ", ") + rule.at("id").dump();
  }
  auto removed = to.execute("delete from restante.rule where id = any($1)", {ids});
  if (!removed) return failed(removed.error());
  out.done(line, *rules);
  return done();
}

outcome remove(connection& to, const output& out, const rule_arguments& given) {
  if (given.which.size() == 1) {
    std::int64_t id = 0;
    const std::string& digits = given.which[0];
    std::from_chars(digits.data(), digits.data() + digits.size(), id);
    return remove_where(to, out, "r.id = $1", {id});
  }
  auto found = find_subject(to, given);
  if (auto* problem = std::get_if<outcome>(&found)) return std::move(*problem);
  const subject whom = std::get<subject>(found);
  return remove_where(to, out,
                      "r.account_id is not distinct from $1 and r.group_id is not distinct from $2"
                      " and r.action = $3 and r.filter = $4",
                      {whom.account, whom.group, given.which[0], given.which[1]});
}

outcome list(connection& from, const output& out, const rule_arguments& given) {
  auto found = find_subject(from, given);
  if (auto* problem = std::get_if<outcome>(&found)) return std::move(*problem);
  const subject whom = std::get<subject>(found);
  const bool all = !given.everyone && !whom.account && !whom.group;
  auto rules =
      read_list(from,
                rules_query +
                    "where $1 or (r.account_id is not distinct from $2 and r.group_id is not distinct "
                    "from $3) order by r.id",
                {all, whom.account, whom.group});
  if (!rules) return failed(rules.error());
  out.list(*rules);
  return done();
}

json json_of(const rule& which) {
  const auto named = [](const std::string& name) { return name.empty() ? json() : json(name); };
  return {{"id", which.id},
          {"user", named(which.subject_account)},
          {"group", named(which.subject_group)},
          {"everyone", which.subject_account.empty() && which.subject_group.empty()},
          {"effect", which.effect == rule_effect::allow ? "allow" : "deny"},
          {"action", which.action == rule_action::publish ? "publish" : "subscribe"},
          {"filter", which.filter},
          {"durable", which.durable}};
}

outcome explain(connection& from, const output& out, const rule_arguments& given) {
  auto record = read_account(from, given.user);
  if (!record) return failed(record.error());
  if (!*record) {
    auto found = find_by_name(from, directory_kind::account, given.user);
    if (auto* problem = std::get_if<outcome>(&found)) return std::move(*problem);
    return refused("the account '" + given.user + "' was created a moment ago; try again");
  }
  auto prefix = from.execute("select topic_prefix from restante.broker");
  if (!prefix) return failed(prefix.error());
  const policy compiled(std::move(**record),
                        topic_prefix(prefix->empty() ? std::string_view() : (*prefix)[0].text(0)));
  const verdict judged = given.action == "publish" ? compiled.may_publish(given.client_id, given.topic)
                                                   : compiled.may_subscribe(given.client_id, given.topic);
  out.done(describe(judged), {{"allowed", judged.allowed},
                              {"rule", judged.decided_by ? json_of(*judged.decided_by) : json()},
                              {"why", judged.why.empty() ? json() : json(std::string(judged.why))}});
  return done();
}

CLI::Validator filter_argument() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        if (!is_filter(text)) return "'" + text + "' is no MQTT topic filter";
        return text.size() <= longest_filter_bytes ? "" : "a filter has at most 1024 bytes";
      },
      "", "filter");
}

// Exactly one, or at most one, of --user, --group, --everyone.
void add_subject(CLI::App& to, const shared_arguments& given, bool required) {
  CLI::Option_group* whom = to.add_option_group("subject", "Whom the rule speaks of");
  whom->add_option("--user", given->user, "One account")->check(name_argument());
  whom->add_option("--group", given->group, "The members of one group")->check(name_argument());
  whom->add_flag("--everyone", given->everyone, "All accounts");
  whom->require_option(required ? 1 : 0, 1);
}

void add_action(CLI::App& to, const shared_arguments& given) {
  to.add_option("ACTION", given->action, "publish or subscribe")
      ->required()
      ->check(one_of({"publish", "subscribe"}));
}

// An id, or what `allow` and `deny` take.
void check_removal(const rule_arguments& given) {
  const bool has_subject = given.everyone || !given.user.empty() || !given.group.empty();
  if (given.which.size() == 1) {
    const std::string& id = given.which[0];
    if (has_subject || id.empty() || id.size() > 18 ||
        id.find_first_not_of("0123456789") != std::string::npos) {
      throw CLI::ValidationError("acl remove takes a rule's id, or whom it speaks of, action and filter");
    }
  } else if (!has_subject) {
    throw CLI::RequiredError("one of --user, --group and --everyone");
  } else if (given.which[0] != "publish" && given.which[0] != "subscribe") {
    throw CLI::ValidationError("'" + given.which[0] + "' is not one of publish|subscribe");
  }
}

}  // namespace

void add_rule_verbs(CLI::App& to, command& given_command) {
  command* given = &given_command;
  CLI::App* acl = to.add_subcommand("acl", "Rules: who may publish and subscribe where");
  acl->require_subcommand(1);
  const auto arguments = std::make_shared<rule_arguments>();

  for (const std::string effect : {"allow", "deny"}) {
    CLI::App* adding =
        acl->add_subcommand(effect, effect == "allow" ? "Add a rule that allows"
                                                      : "Add a rule that denies; it wins over any allow");
    add_subject(*adding, arguments, true);
    add_action(*adding, arguments);
    adding
        ->add_option("FILTER", arguments->filter,
                     "MQTT filter; %u: the account, %g: its groups, %c: its client id")
        ->required()
        ->check(filter_argument());
    adding->callback([given, arguments, effect] {
      given->run = [arguments, effect](connection& on, const output& out) {
        return add(on, out, *arguments, effect);
      };
    });
  }

  CLI::App* removing = acl->add_subcommand("remove", "Remove a rule: by its id, or written as it was added");
  add_subject(*removing, arguments, false);
  removing->add_option("RULE", arguments->which, "ID, or ACTION FILTER")->required()->expected(1, 2);
  removing->callback([given, arguments] {
    check_removal(*arguments);
    given->run = [arguments](connection& on, const output& out) { return remove(on, out, *arguments); };
  });

  CLI::App* listing = acl->add_subcommand("list", "All rules, or those of one subject");
  add_subject(*listing, arguments, false);
  listing->callback([given, arguments] {
    given->run = [arguments](connection& from, const output& out) { return list(from, out, *arguments); };
  });

  CLI::App* explaining =
      acl->add_subcommand("explain", "The verdict on a topic, and the rule that decided it");
  explaining->add_option("USER", arguments->user, "The account")->required()->check(name_argument());
  add_action(*explaining, arguments);
  explaining->add_option("TOPIC", arguments->topic, "A topic to publish to, or a filter to subscribe to")
      ->required();
  explaining->add_option("--client-id", arguments->client_id, "For rules with %c");
  explaining->callback([given, arguments] {
    given->run = [arguments](connection& from, const output& out) { return explain(from, out, *arguments); };
  });
}

}  // namespace restante
