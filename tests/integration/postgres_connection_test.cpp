// plugin/postgres/connection.h against a real server.
#include "postgres/connection.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <string>
#include <vector>

#include "support/failure.h"
#include "support/postgres_server.h"

namespace restante {
namespace {

using namespace std::chrono_literals;
using support::postgres_server;

connection open(const std::string& database, std::chrono::milliseconds statement_timeout = 10s) {
  auto opened = connection::open({.database = database, .statement_timeout = statement_timeout});
  if (!opened) throw support::failure(opened.error().message);
  return std::move(opened).value();
}

std::string owned_database() { return support::shared_postgres().create_database().owner; }

rows must(result<rows> got) {
  if (!got) throw support::failure(got.error().message);
  return std::move(got).value();
}

TEST(connection, returns_every_type_of_value_as_it_was_given) {
  connection to = open(owned_database());
  const std::string bytes("\0\xff'\\", 4);
  const rows got = must(to.execute("select $1::text, $2::bigint, $2::integer, $2::smallint, $3, $4, $5",
                                   {"gr\xc3\xbc\xc3\x9f", -7, true, bytea_view{bytes}, 2.5}));
  ASSERT_EQ(got.size(), 1u);
  const row only = got[0];
  EXPECT_EQ(only.text(0), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(only.int64(1), -7);
  EXPECT_EQ(only.int32(2), -7);
  EXPECT_EQ(only.int16(3), -7);
  EXPECT_EQ(only.int64(3), -7);
  EXPECT_TRUE(only.boolean(4));
  EXPECT_EQ(only.bytea(5), bytes);
  EXPECT_EQ(only.number(6), 2.5);
}

TEST(connection, keeps_null_and_empty_apart) {
  connection to = open(owned_database());
  const rows got = must(to.execute("select $1, $2, $3, $4", {std::optional<std::string>(), "", bytea_view{},
                                                             std::optional<std::int64_t>()}));
  EXPECT_TRUE(got[0].is_null(0));
  EXPECT_EQ(got[0].optional_text(0), std::nullopt);
  EXPECT_EQ(got[0].optional_text(1), "");
  EXPECT_EQ(got[0].optional_bytea(2), "");
  EXPECT_EQ(got[0].optional_int64(3), std::nullopt);
}

TEST(connection, sends_arrays_with_nulls_in_them) {
  connection to = open(owned_database());
  int64_array numbers;
  int16_array small;
  text_array texts;
  bytea_array bytes;
  for (const std::int64_t number : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1} << 62}) {
    numbers.push(number);
    small.push(std::int16_t{-3});
    texts.push("{a,\"b\"}");
    bytes.push(std::string("\0x", 2));
  }
  numbers.push_null();
  small.push(std::optional<std::int16_t>());
  texts.push_null();
  bytes.push_null();
  const rows got =
      must(to.execute("select * from unnest($1::bigint[], $2::smallint[], $3::text[], $4::bytea[])",
                      {numbers, small, texts, bytes}));
  ASSERT_EQ(got.size(), 4u);
  EXPECT_EQ(got[0].int64(0), -1);
  EXPECT_EQ(got[2].int64(0), std::int64_t{1} << 62);
  EXPECT_EQ(got[1].int16(1), -3);
  EXPECT_EQ(got[1].text(2), "{a,\"b\"}");
  EXPECT_EQ(got[1].bytea(3), std::string("\0x", 2));
  for (int column = 0; column < 4; ++column) EXPECT_TRUE(got[3].is_null(column)) << column;
}

TEST(connection, sends_an_empty_array_and_one_used_again) {
  connection to = open(owned_database());
  text_array names;
  EXPECT_EQ(must(to.execute("select cardinality($1::text[])", {names}))[0].int32(0), 0);
  names.push("old");
  names.clear();
  names.push("new");
  EXPECT_EQ(must(to.execute("select array_to_string($1::text[], ',')", {names}))[0].text(0), "new");
}

TEST(connection, prepares_a_statement_once_and_takes_a_null_first) {
  constexpr statement twice{"twice", "select $1 * 2"};
  connection to = open(owned_database());
  EXPECT_TRUE(must(to.execute(twice, {std::optional<std::int64_t>()}))[0].is_null(0));
  EXPECT_EQ(must(to.execute(twice, {21}))[0].int64(0), 42);
  EXPECT_EQ(must(to.execute("select count(*) from pg_prepared_statements"))[0].int64(0), 1);
}

TEST(connection, sends_and_reads_what_no_socket_buffer_holds) {
  connection to = open(owned_database());
  const std::string large(20 << 20, 'x');
  const rows got = must(to.execute("select $1 || $1", {bytea_view{large}}));
  EXPECT_EQ(got[0].bytea(0).size(), 2 * large.size());
}

TEST(connection, has_the_settings_that_guarantees_rest_on_whatever_the_operator_wrote) {
  connection to = open(owned_database() + " options='-c synchronous_commit=off -c search_path=public'");
  const rows got =
      must(to.execute("select current_setting('synchronous_commit'), current_setting('search_path'),"
                      " current_setting('client_encoding'), current_setting('application_name')"));
  EXPECT_EQ(got[0].text(0), "on");
  EXPECT_EQ(got[0].text(1), "restante, pg_temp");
  EXPECT_EQ(got[0].text(2), "UTF8");
  EXPECT_EQ(got[0].text(3), "restante");
}

TEST(connection, tells_failures_apart_and_stays_usable) {
  connection to = open(owned_database());
  const struct {
    const char* sql;
    database_failure kind;
    const char* sqlstate;
  } table[] = {
      {"select 1/0", database_failure::data, "22012"},
      {"select 'x'::integer", database_failure::data, "22P02"},
      {"select * from nowhere", database_failure::other, "42P01"},
      {"syntax error", database_failure::other, "42601"},
      {"do $$ begin raise exception 'x' using errcode = '40001'; end $$", database_failure::conflict,
       "40001"},
      {"do $$ begin raise exception 'x' using errcode = '23505'; end $$", database_failure::data, "23505"},
  };
  for (const auto& each : table) {
    const auto got = to.execute(each.sql);
    ASSERT_FALSE(got.ok()) << each.sql;
    EXPECT_EQ(got.error().kind, each.kind) << each.sql;
    EXPECT_EQ(got.error().sqlstate, each.sqlstate) << each.sql;
    EXPECT_EQ(got.error().message.find('\n'), std::string::npos) << each.sql;
  }
  EXPECT_TRUE(to.is_usable());
  EXPECT_EQ(must(to.execute("select 1"))[0].int32(0), 1);
}

TEST(connection, refuses_text_with_a_nul_as_bad_data) {
  connection to = open(owned_database());
  const auto got = to.execute("select $1", {std::string("a\0b", 3)});
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, database_failure::data);
}

TEST(connection, reports_the_first_error_of_a_script_and_undoes_it) {
  connection to = open(owned_database());
  const auto got = to.execute_script("create table public.t (n integer); select 1/0; select 2");
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().sqlstate, "22012");
  EXPECT_TRUE(must(to.execute("select to_regclass('public.t')::text"))[0].is_null(0));
}

TEST(connection, throws_when_a_column_is_read_as_what_it_is_not) {
  connection to = open(owned_database());
  const rows got = must(to.execute("select 1::bigint, null::text"));
  EXPECT_THROW(got[0].int32(0), std::logic_error);
  EXPECT_THROW(got[0].text(1), std::logic_error);
  EXPECT_THROW(got[0].text(2), std::logic_error);
}

TEST(connection, tells_a_missing_server_from_a_refused_login) {
  const auto missing = connection::open({.database = "host=/nowhere dbname=x"});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, database_failure::unreachable);
  EXPECT_FALSE(missing.error().message.empty());
  const auto refused =
      connection::open({.database = support::shared_postgres().superuser("no_such_database")});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, database_failure::refused_login);
}

TEST(connection, ends_a_statement_at_its_time_out_and_stays_usable) {
  connection to = open(owned_database(), 50ms);
  const auto got = to.execute("select pg_sleep(60)");
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, database_failure::conflict);
  EXPECT_EQ(got.error().sqlstate, "57014");
  EXPECT_TRUE(to.is_usable());
}

TEST(connection, gives_up_a_server_that_answers_nothing) {
  postgres_server server;
  connection to = open(server.superuser(), 50ms);
  server.freeze();
  const auto started = std::chrono::steady_clock::now();
  const auto got = to.execute("select 1");
  const auto took = std::chrono::steady_clock::now() - started;
  server.thaw();
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, database_failure::unreachable);
  EXPECT_FALSE(to.is_usable());
  EXPECT_LT(took, 10s);
  EXPECT_EQ(to.execute("select 1").error().kind, database_failure::unreachable);
}

TEST(connection, is_of_no_use_after_the_server_went_away) {
  postgres_server server;
  connection to = open(server.superuser());
  server.stop();
  const auto got = to.execute("select 1");
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, database_failure::unreachable);
  EXPECT_FALSE(to.is_usable());
  EXPECT_EQ(to.socket(), -1);
}

TEST(connection, hears_notifications_on_its_socket) {
  const std::string database = owned_database();
  connection listening = open(database);
  connection speaking = open(database);
  ASSERT_TRUE(listening.execute_script("listen news").ok());
  ASSERT_EQ(listening.consume_notifications().value(), 0u);
  ASSERT_TRUE(speaking.execute_script("notify news").ok());
  pollfd watched{listening.socket(), POLLIN, 0};
  ASSERT_EQ(poll(&watched, 1, 20'000), 1);
  EXPECT_EQ(listening.consume_notifications().value(), 1u);
}

TEST(transaction, is_undone_unless_it_is_committed) {
  connection to = open(owned_database());
  ASSERT_TRUE(to.execute_script("create table public.t (n integer)").ok());
  {
    auto kept = transaction::begin(to);
    ASSERT_TRUE(kept.ok());
    must(to.execute("insert into public.t values (1)"));
    ASSERT_TRUE(kept->commit().ok());
  }
  {
    auto undone = transaction::begin(to);
    ASSERT_TRUE(undone.ok());
    must(to.execute("insert into public.t values (2)"));
  }
  EXPECT_FALSE(to.in_transaction());
  EXPECT_EQ(must(to.execute("select sum(n) from public.t"))[0].int64(0), 1);
}

TEST(transaction, does_not_pass_a_rollback_off_as_a_commit) {
  connection to = open(owned_database());
  auto failed = transaction::begin(to);
  ASSERT_TRUE(failed.ok());
  EXPECT_FALSE(to.execute("select 1/0").ok());
  EXPECT_FALSE(failed->commit().ok());
}

}  // namespace
}  // namespace restante
