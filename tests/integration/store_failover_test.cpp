// plugin/postgres/store_thread.h when a synchronous standby takes over.
#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "integration/store_fixture.h"
#include "support/standby_server.h"

namespace restante {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::IsEmpty;

class store_failover : public testing::Test {
 protected:
  store_failover() : database_(primary_.create_database(support::migrated())) {
    furnish(database_);
    standby_ = std::make_unique<support::standby_server>(primary_);
    const std::string first = database_.broker.substr(5, database_.broker.find(' ') - 5);
    settings_ = usual_settings("host=" + first + "," + standby_->host() +
                               " target_session_attrs=read-write user=broker dbname=" + database_.name);
  }

  std::string on_standby(const std::string& sql) {
    return support::query("host=" + standby_->host() + " user=owner dbname=" + database_.name, sql);
  }

  support::postgres_server primary_;
  support::database database_;
  std::unique_ptr<support::standby_server> standby_;
  store_settings settings_;
};

std::string id_of(int message) { return "m" + std::to_string(message); }

// Batch `round` stores ten messages, and removes half of those of the batch before.
store_batch batch_of_round(int round, std::vector<message_number>& numbers) {
  std::vector<envelope> messages;
  for (int i = 0; i < 10; ++i) messages.push_back(direct("bert", "anna", id_of(round * 10 + i)));
  store_batch batch = batch_of(std::move(messages));
  for (int i = 0; i < 5 && round > 0; ++i) {
    batch.removals.push_back({"bert", numbers[static_cast<std::size_t>(round * 10 - 10 + i)]});
  }
  for (const envelope& each : batch.messages) numbers.push_back(each.what->number);
  return batch;
}

TEST_F(store_failover, loses_nothing_and_doubles_nothing) {
  running_store store(settings_);
  store.next<store_ready>();
  std::vector<message_number> numbers;
  constexpr int rounds = 60, killed_at = 30;
  for (int round = 0; round < rounds; ++round) {
    store.thread().write(batch_of_round(round, numbers));
    if (round == killed_at) {
      primary_.kill();
      standby_->promote();
    }
    store.next<batch_stored>();
  }
  std::vector<std::string> wanted;
  for (int i = 0; i < rounds * 10; ++i) {
    if (i % 10 >= 5 || i / 10 == rounds - 1) wanted.push_back(id_of(i));
  }
  EXPECT_EQ(ids(store.read("bert", 0, 1'000)), wanted);
  EXPECT_EQ(on_standby("select count(*) from restante.delivery"), std::to_string(wanted.size()));
  EXPECT_EQ(on_standby("select count(*) from restante.dead_letter"), "0");
}

TEST_F(store_failover, writes_again_what_the_standby_has_not_got) {
  running_store store(settings_);
  store.next<store_ready>();
  store.write(batch_of({direct("bert", "anna", "m1")}));
  standby_->freeze();
  store.thread().write(batch_of({direct("bert", "anna", "m2")}));
  support::require_eventually("the commit waits for the standby", [&] {
    return support::query(primary_.superuser(),
                          "select count(*) from pg_stat_activity"
                          " where application_name = 'restante broker'"
                          " and wait_event = 'SyncRep'") == "1";
  });
  EXPECT_FALSE(store.has<batch_stored>());
  primary_.kill();
  standby_->thaw();
  standby_->promote();
  store.next<batch_stored>();
  EXPECT_EQ(ids(store.read("bert")), (std::vector<std::string>{"m1", "m2"}));
  EXPECT_EQ(on_standby("select count(*) from restante.delivery"), "2");
}

}  // namespace
}  // namespace restante
