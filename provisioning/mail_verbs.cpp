// restante queue, dead, stats: what waits, what could not be delivered, and how much of it.
#include <memory>

#include "arguments.h"
#include "directory.h"
#include "listing.h"
#include "verbs.h"

namespace restante {
namespace {

struct mail_arguments {
  std::string account;
  std::int64_t after = 0;
  std::int64_t limit = 100;
};

constexpr std::string_view queue_query =
    "select number, topic, sender, message_id, accepted_at, expires_at, bytes, qos "
    "from restante.waiting where account = $1 and number > $2 order by number limit $3";

constexpr std::string_view dead_query =
    "select id, recipient, reason, topic, sender, message_id, qos, octet_length(payload) as bytes,"
    " restante.number_time(number) as accepted_at, created_at "
    "from restante.dead_letter order by id desc limit $1";

// A group's message counts once, however many it waits for.
constexpr std::string_view stats_query =
    "select w.messages, w.deliveries, w.oldest_seconds,"
    " (select count(*) from restante.account where status <> 'deleted') as accounts,"
    " (select count(*) from restante.account_group where status <> 'deleted') as groups,"
    " (select count(*) from restante.dead_letter) as dead_letters,"
    " b.sessions, b.journal_bytes, b.reported_at "
    "from (select count(*) filter (where payload is not null)"
    "       + count(distinct number) filter (where payload is null) as messages,"
    "     count(*) as deliveries,"
    "     greatest(0, floor(coalesce(extract(epoch from clock_timestamp())"
    "                                - min(number) / 1000000.0, 0)))::bigint as oldest_seconds"
    "     from restante.delivery) w cross join restante.broker b";

outcome queue(connection& from, const output& out, const mail_arguments& given) {
  auto found = find_by_name(from, directory_kind::account, given.account);
  if (auto* problem = std::get_if<outcome>(&found)) return std::move(*problem);
  auto waiting = read_list(from, queue_query, {given.account, given.after, given.limit});
  if (!waiting) return failed(waiting.error());
  out.list(*waiting);
  if (static_cast<std::int64_t>(waiting->size()) == given.limit) {
    out.remark("there may be more: --after " + waiting->back().at("number").dump());
  }
  return done();
}

outcome dead(connection& from, const output& out, const mail_arguments& given) {
  auto letters = read_list(from, dead_query, {given.limit});
  if (!letters) return failed(letters.error());
  out.list(*letters);
  return done();
}

outcome stats(connection& from, const output& out) {
  auto numbers = read_record(from, stats_query);
  if (!numbers) return failed(numbers.error());
  if (numbers->is_null())
    return refused("restante.broker has lost its row; run `insert into restante.broker default values`");
  out.record(*numbers);
  return done();
}

void add_limit(CLI::App& to, const std::shared_ptr<mail_arguments>& given) {
  to.add_option("--limit", given->limit, "How many at most (100)")->check(CLI::Range(1, 100'000));
}

}  // namespace

void add_mail_verbs(CLI::App& to, command& given_command) {
  command* given = &given_command;
  const auto arguments = std::make_shared<mail_arguments>();

  to.add_subcommand("stats", "How much waits, and how the broker was when it last reported")
      ->callback([given] { given->run = stats; });

  CLI::App* queueing = to.add_subcommand("queue", "What waits for an account, oldest first");
  queueing->add_option("NAME", arguments->account, "The account")->required()->check(name_argument());
  add_limit(*queueing, arguments);
  queueing->add_option("--after", arguments->after, "Only what was accepted after this number")
      ->check(CLI::NonNegativeNumber);
  queueing->callback([given, arguments] {
    given->run = [arguments](connection& from, const output& out) { return queue(from, out, *arguments); };
  });

  CLI::App* letters = to.add_subcommand("dead", "What could not be delivered, newest first");
  letters->require_subcommand(0, 1);
  add_limit(*letters, arguments);
  letters->add_subcommand("list", "The same");
  letters->callback([given, arguments] {
    given->run = [arguments](connection& from, const output& out) { return dead(from, out, *arguments); };
  });
}

}  // namespace restante
