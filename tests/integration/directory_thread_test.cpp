// plugin/postgres/directory_thread.h against a real server, with the rights that the plugin has.
#include "postgres/directory_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "postgres/connection.h"
#include "support/eventually.h"
#include "support/failure.h"
#include "support/postgres_server.h"
#include "support/temporary_directory.h"

namespace restante {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class running_directory {
 public:
  explicit running_directory(const std::string& database, std::int64_t group_limit = 100)
      : directory_(
            {database, group_limit, "hash of decoy"},
            [this](std::string_view plain, std::string_view hash) {
              ++verified_;
              return hash == "hash of " + std::string(plain);
            },
            [this] { wake(); }) {
    directory_.start();
  }

  directory_thread& thread() { return directory_; }
  int verified() const { return verified_; }

  lookup_result find(const std::string& account, std::optional<std::string> password = {},
                     std::vector<std::string> known_groups = {}) {
    auto found =
        directory_.find({5, account, std::move(password), std::move(known_groups)}, support::patience);
    if (!found) throw support::failure("the directory did not answer");
    return *found;
  }

  template <typename Event>
  Event next() {
    const auto end = std::chrono::steady_clock::now() + support::patience;
    for (;;) {
      for (auto each = events_.begin(); each != events_.end(); ++each) {
        if (!std::holds_alternative<Event>(*each)) continue;
        Event found = std::get<Event>(std::move(*each));
        events_.erase(each);
        return found;
      }
      std::unique_lock lock(mutex_);
      if (!changed_.wait_until(lock, end, [this] { return is_woken_; })) {
        throw support::failure("the directory did not say what was waited for");
      }
      is_woken_ = false;
      lock.unlock();
      for (directory_event& each : directory_.take_results()) events_.push_back(std::move(each));
    }
  }

 private:
  void wake() {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_woken_ = false;
  std::atomic<int> verified_ = 0;
  std::deque<directory_event> events_;
  directory_thread directory_;
};

void furnish(const support::database& with) {
  support::query(with.owner, R"(
    insert into restante.account (name, password_hash)
      values ('anna', 'hash of secret'), ('bert', null), ('carl', 'hash of carls');
    insert into restante.account_group (name) values ('crew'), ('duo');
    insert into restante.member (group_id, account_id) select g.id, a.id
      from restante.account_group g, restante.account a where g.name = 'crew' or a.name <> 'carl')");
}

class directory : public testing::Test {
 protected:
  directory() : database_(support::shared_postgres().create_database(support::migrated())) {
    furnish(database_);
  }

  std::string sql(const std::string& text) { return support::query(database_.owner, text); }

  support::database database_;
};

TEST_F(directory, finds_an_account_with_its_password_and_its_groups_members) {
  running_directory directory(database_.broker);
  directory.next<directory_ready>();
  const lookup_result found = directory.find("anna", "secret");
  EXPECT_EQ(found.ticket, 5u);
  EXPECT_EQ(found.outcome, lookup_outcome::found);
  ASSERT_NE(found.record, nullptr);
  EXPECT_EQ(found.record->name, "anna");
  EXPECT_EQ(found.record->groups.size(), 2u);
  ASSERT_EQ(found.rosters.size(), 2u);
  EXPECT_EQ(found.rosters[0].group, "crew");
  EXPECT_THAT(found.rosters[0].members, ElementsAre("anna", "bert", "carl"));

  const lookup_result again = directory.find("anna", {}, {"crew"});
  EXPECT_EQ(again.outcome, lookup_outcome::found);
  ASSERT_EQ(again.rosters.size(), 1u);
  EXPECT_EQ(again.rosters[0].group, "duo");
}

TEST_F(directory, does_not_list_the_members_of_large_groups) {
  running_directory directory(database_.broker, 2);
  directory.next<directory_ready>();
  const lookup_result found = directory.find("anna");
  ASSERT_EQ(found.rosters.size(), 2u);
  EXPECT_FALSE(found.rosters[0].whole);
  EXPECT_THAT(found.rosters[0].members, IsEmpty());
  EXPECT_TRUE(found.rosters[1].whole);
}

TEST_F(directory, refuses_wrong_passwords_and_takes_as_long_for_accounts_there_are_not) {
  running_directory directory(database_.broker);
  directory.next<directory_ready>();
  EXPECT_EQ(directory.find("anna", "Secret").outcome, lookup_outcome::wrong_password);
  EXPECT_EQ(directory.find("anna", "").outcome, lookup_outcome::wrong_password);
  EXPECT_EQ(directory.verified(), 2);
  // The decoy's own password opens nothing.
  EXPECT_EQ(directory.find("bert", "decoy").outcome, lookup_outcome::wrong_password);
  EXPECT_EQ(directory.find("nobody", "decoy").outcome, lookup_outcome::unknown);
  EXPECT_EQ(directory.find("no/name\xff", "decoy").outcome, lookup_outcome::unknown);
  EXPECT_EQ(directory.verified(), 5);
  EXPECT_EQ(directory.find("nobody").outcome, lookup_outcome::unknown);
  EXPECT_EQ(directory.verified(), 5);
}

TEST_F(directory, tells_an_inactive_account_from_a_wrong_password) {
  sql("update restante.account set status = 'blocked' where name = 'carl'");
  running_directory directory(database_.broker);
  directory.next<directory_ready>();
  const lookup_result right = directory.find("carl", "carls");
  EXPECT_EQ(right.outcome, lookup_outcome::inactive);
  EXPECT_THAT(right.rosters, IsEmpty());
  EXPECT_EQ(directory.find("carl", "wrong").outcome, lookup_outcome::wrong_password);
  EXPECT_EQ(directory.find("carl").outcome, lookup_outcome::inactive);
}

TEST_F(directory, answers_lookups_that_nobody_waits_for_among_the_results) {
  running_directory directory(database_.broker);
  directory.next<directory_ready>();
  directory.thread().submit({8, "anna", "secret", {}});
  const lookup_result found = directory.next<lookup_result>();
  EXPECT_EQ(found.ticket, 8u);
  EXPECT_EQ(found.outcome, lookup_outcome::found);
}

TEST_F(directory, loads_accounts_and_rosters_that_are_wanted_again) {
  running_directory directory(database_.broker);
  directory.next<directory_ready>();
  const std::vector<std::string> accounts = {"anna", "nobody", "bad\xff"},
                                 groups = {"crew", "gone", "bad\xff"};
  EXPECT_TRUE(directory.thread().reload(accounts));
  EXPECT_TRUE(directory.thread().rosters(groups));
  std::vector<std::string> loaded;
  for (int i = 0; i < 3; ++i) {
    const auto record = directory.next<record_loaded>();
    loaded.push_back(record.account + (record.record ? " found" : " gone"));
  }
  EXPECT_THAT(loaded, testing::UnorderedElementsAre("anna found", "nobody gone", "bad\xff gone"));
  EXPECT_EQ(directory.next<roster_loaded>().members.members.size(), 3u);
  const roster gone = directory.next<roster_loaded>().members;
  EXPECT_EQ(gone.group, "gone");
  EXPECT_THAT(gone.members, IsEmpty());
  EXPECT_TRUE(gone.whole);
}

TEST_F(directory, takes_no_more_names_than_it_can_hold) {
  support::postgres_server unreachable;
  const support::database nowhere = unreachable.create_database();
  unreachable.stop();
  running_directory directory(nowhere.broker);
  std::vector<std::string> names;
  for (int i = 0; i < 40'000; ++i) names.push_back("account" + std::to_string(i));
  EXPECT_TRUE(directory.thread().reload(names));
  EXPECT_FALSE(directory.thread().reload(names));
}

TEST_F(directory, tells_what_changed_and_nothing_from_before) {
  running_directory directory(database_.broker);
  directory.next<directory_ready>();
  sql("update restante.account set status = 'blocked' where name = 'carl'");
  directory_changed changed = directory.next<directory_changed>();
  EXPECT_THAT(changed.accounts, ElementsAre("carl"));
  EXPECT_THAT(changed.groups, IsEmpty());
  EXPECT_FALSE(changed.everyone);

  sql("delete from restante.member where group_id = (select id from restante.account_group where name = "
      "'duo')"
      " and account_id = (select id from restante.account where name = 'bert')");
  changed = directory.next<directory_changed>();
  EXPECT_THAT(changed.accounts, ElementsAre("bert"));
  EXPECT_THAT(changed.groups, ElementsAre("duo"));

  sql("insert into restante.rule (effect, action, filter) values ('allow', 'publish', 'weather')");
  changed = directory.next<directory_changed>();
  EXPECT_TRUE(changed.everyone);
}

TEST_F(directory, sees_a_change_whose_transaction_commits_late) {
  running_directory directory(database_.broker);
  directory.next<directory_ready>();
  auto late = connection::open({.database = database_.owner}).value();
  ASSERT_TRUE(
      late.execute_script("begin; update restante.account set has_acknowledged = true where name = 'bert'"));
  sql("update restante.account set has_acknowledged = true where name = 'anna'");
  EXPECT_THAT(directory.next<directory_changed>().accounts, ElementsAre("anna"));
  sql("update restante.account set has_acknowledged = true where name = 'carl'");
  EXPECT_THAT(directory.next<directory_changed>().accounts, ElementsAre("carl"));
  ASSERT_TRUE(late.execute_script("commit"));
  EXPECT_THAT(directory.next<directory_changed>().accounts, ElementsAre("bert"));
}

TEST_F(directory, tells_that_all_changed_rather_than_ten_thousand_names) {
  running_directory directory(database_.broker);
  directory.next<directory_ready>();
  sql("insert into restante.account (name) select 'many' || i from generate_series(1, 10001) i");
  const directory_changed changed = directory.next<directory_changed>();
  EXPECT_TRUE(changed.everyone);
  EXPECT_THAT(changed.accounts, IsEmpty());
}

TEST_F(directory, sees_what_changed_while_it_was_not_connected) {
  running_directory directory(database_.broker);
  directory.next<directory_ready>();
  const std::string super = support::shared_postgres().superuser(database_.name);
  support::query(super,
                 "alter role broker nologin; select pg_terminate_backend(pid) from pg_stat_activity"
                 " where application_name = 'restante directory' and datname = current_database()");
  directory.next<directory_lost>();
  sql("update restante.account set status = 'blocked' where name = 'anna'");
  support::query(super, "alter role broker login");
  directory.next<directory_ready>();
  EXPECT_THAT(directory.next<directory_changed>().accounts, ElementsAre("anna"));
  EXPECT_EQ(directory.find("bert").outcome, lookup_outcome::found);
}

class directory_server : public testing::Test {
 protected:
  directory_server() : database_(server_.create_database(support::migrated())) { furnish(database_); }

  support::postgres_server server_;
  support::database database_;
};

std::chrono::milliseconds since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
}

TEST_F(directory_server, away_makes_lookups_unavailable_at_once_until_it_is_back) {
  running_directory directory(database_.broker);
  directory.next<directory_ready>();
  server_.stop();
  directory.next<directory_lost>();
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(directory.find("anna", "secret").outcome, lookup_outcome::unavailable);
  EXPECT_LT(since(began), 500ms);
  directory.thread().submit({9, "anna", "secret", {}});
  EXPECT_EQ(directory.next<lookup_result>().outcome, lookup_outcome::unavailable);
  const std::vector<std::string> accounts = {"anna"};
  EXPECT_TRUE(directory.thread().reload(accounts));
  server_.start();
  directory.next<directory_ready>();
  EXPECT_EQ(directory.find("anna", "secret").outcome, lookup_outcome::found);
  EXPECT_NE(directory.next<record_loaded>().record, nullptr);
}

TEST_F(directory_server, frozen_costs_one_timeout_and_then_nothing) {
  running_directory directory(database_.broker);
  directory.next<directory_ready>();
  server_.freeze();
  auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(directory.thread().find({1, "anna", "secret", {}}, 200ms).has_value());
  EXPECT_GE(since(began), 200ms);
  EXPECT_LT(since(began), 1s);
  began = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) {
    const auto refused = directory.thread().find({2, "anna", "secret", {}}, 200ms);
    ASSERT_TRUE(refused.has_value());
    EXPECT_EQ(refused->outcome, lookup_outcome::unavailable);
    EXPECT_EQ(refused->ticket, 2u);
  }
  EXPECT_LT(since(began), 200ms);
  server_.thaw();
  EXPECT_TRUE(support::eventually([&] {
    const auto found = directory.thread().find({3, "anna", "secret", {}}, 1s);
    return found && found->outcome == lookup_outcome::found && found->ticket == 3;
  }));
}

TEST_F(directory_server, frozen_does_not_hold_up_the_end) {
  running_directory directory(database_.broker);
  directory.next<directory_ready>();
  server_.freeze();
  EXPECT_FALSE(directory.thread().find({1, "anna", "secret", {}}, 50ms).has_value());
  const auto began = std::chrono::steady_clock::now();
  directory.thread().stop();
  EXPECT_LT(since(began), 1s);
  server_.thaw();
}

TEST_F(directory_server, is_the_same_after_a_crash) {
  support::query(server_.superuser(), "checkpoint");  // or the copied database's sequences start over
  running_directory directory(database_.broker);
  directory.next<directory_ready>();
  server_.kill();
  directory.next<directory_lost>();
  server_.start();
  directory.next<directory_ready>();
  support::query(database_.owner, "update restante.account set has_acknowledged = true where name = 'bert'");
  const directory_changed changed = directory.next<directory_changed>();
  EXPECT_FALSE(changed.everyone);
  EXPECT_THAT(changed.accounts, ElementsAre("bert"));
}

// As after a failover, when nobody knows which changes the other server had.
TEST(directory_failover, makes_everyone_change) {
  support::postgres_server server({"restore_command = '/bin/false'"});
  const support::database database = server.create_database(support::migrated());
  const std::string data = support::query(server.superuser(), "show data_directory");
  running_directory directory(database.broker);
  directory.next<directory_ready>();
  server.stop();
  support::write_file(data + "/recovery.signal", "");
  server.start();
  EXPECT_TRUE(directory.next<directory_changed>().everyone);
}

}  // namespace
}  // namespace restante
