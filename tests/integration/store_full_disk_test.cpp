// plugin/postgres/store_thread.h when there is no room left for PostgreSQL's files.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "integration/store_fixture.h"
#include "support/temporary_directory.h"

namespace restante {
namespace {

using testing::HasSubstr;

// A server whose disk is full on request.
class store_full_disk : public testing::Test {
 protected:
  store_full_disk() : switches_() {
    setenv("RESTANTE_NO_SPACE", switches_.path().c_str(), 1);
    setenv("LD_PRELOAD", RESTANTE_NO_SPACE_LIBRARY, 1);
    server_ = std::make_unique<support::postgres_server>();
    unsetenv("LD_PRELOAD");
    database_ = server_->create_database(support::migrated());
    furnish(database_);
  }

  void fill(const std::string& part) { support::write_file(switches_.path() / part, ""); }
  void make_room() {
    for (const char* part : {"base", "pg_wal"}) std::filesystem::remove(switches_.path() / part);
  }
  void start_again() {
    setenv("LD_PRELOAD", RESTANTE_NO_SPACE_LIBRARY, 1);
    server_->start();
    unsetenv("LD_PRELOAD");
  }

  // More than fits into what the files have.
  store_batch large_batch(const std::string& name) {
    std::vector<envelope> messages;
    for (int i = 0; i < 300; ++i) {
      std::string payload(6'000, ' ');
      for (char& each : payload) each = static_cast<char>(random() >> 8);
      messages.push_back(direct("bert", "anna", name + std::to_string(i), payload));
    }
    return batch_of(std::move(messages));
  }

  support::temporary_directory switches_;
  std::unique_ptr<support::postgres_server> server_;
  support::database database_;
};

TEST_F(store_full_disk, is_waited_out_while_pages_are_read_on) {
  running_store store(usual_settings(database_.broker));
  store.write(batch_of({direct("carl", "anna", "m1")}));
  fill("base");
  store.thread().write(large_batch("l"));
  EXPECT_THAT(store.next<log_line>().text, HasSubstr("No space left on device"));
  EXPECT_EQ(ids(store.read("carl")), std::vector<std::string>{"m1"});
  EXPECT_FALSE(store.has<batch_stored>());
  make_room();
  store.next<batch_stored>();
  EXPECT_FALSE(store.has<store_lost>());
  EXPECT_EQ(
      support::query(database_.owner, "select count(*), count(distinct message_id) from restante.delivery"),
      "301|301");
}

TEST_F(store_full_disk, of_the_log_ends_postgresql_and_loses_nothing) {
  running_store store(usual_settings(database_.broker));
  store.next<store_ready>();
  fill("pg_wal");
  // PostgreSQL gives up when its log cannot grow.
  store.thread().write(large_batch("l"));
  store.next<store_lost>();
  store.next<store_lost>();
  EXPECT_FALSE(store.has<batch_stored>());
  make_room();
  server_->kill();
  start_again();
  store.next<batch_stored>();
  EXPECT_EQ(
      support::query(database_.owner, "select count(*), count(distinct message_id) from restante.delivery"),
      "300|300");
}

}  // namespace
}  // namespace restante
