// What else befalls PostgreSQL while publishing goes on: answers that are lost, a standby that takes over, no
// room.
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "office_under_load.h"
#include "support/cutting_proxy.h"
#include "support/standby_server.h"

namespace restante::faults {
namespace {

using database_faults = office_under_load;

int rounds() { return is_long() ? 20 : 3; }

// All that the load publishes meanwhile stays queued: more than sender_limit is by default, for some.
support::broker_settings patient(const std::string& database = "") {
  support::broker_settings made{.options = {{"sender_limit", "50000"}}};
  if (!database.empty()) made.options["database"] = database;
  return made;
}

// The folder of the socket in "host=FOLDER user=…".
std::string host_of(const support::database& where) {
  return where.broker.substr(5, where.broker.find(' ') - 5);
}

TEST_F(database_faults, commits_whose_answers_are_lost_lose_and_double_nothing) {
  support::cutting_proxy proxy(host_of(mail()));
  open({}, patient("host=" + proxy.host() + " user=broker sslmode=disable dbname=" + mail().name));
  for (int round = 0; round < rounds(); ++round) {
    publish_some();
    note_fault();
    proxy.cut_at_commit();
    wait_while_it_goes_on("an answer is lost", [&] { return proxy.cuts() > round; });
  }
  publish_some();
  EXPECT_EQ(load().connections_lost, 0U);
  finish("connection cut between commit and answer");
}

TEST_F(database_faults, a_failover_to_a_synchronous_standby_loses_nothing) {
  support::standby_server standby(postgres());
  open({}, patient("host=" + host_of(mail()) + "," + standby.host() +
                   " target_session_attrs=read-write user=broker dbname=" + mail().name));
  publish_some();
  note_fault();
  postgres().kill();
  publish_some();
  standby.promote();
  count_at("host=" + standby.host() + " user=owner dbname=" + mail().name);
  publish_some();
  EXPECT_EQ(load().connections_lost, 0U);
  finish("failover to a promoted synchronous standby");
}

// Before the server is made, so that it is started with what fills its disk.
class full_on_request {
 protected:
  full_on_request() {
    ::setenv("RESTANTE_NO_SPACE", switches_.path().c_str(), 1);
    ::setenv("LD_PRELOAD", RESTANTE_NO_SPACE_LIBRARY, 1);
  }
  ~full_on_request() { ::unsetenv("RESTANTE_NO_SPACE"); }
  void fill() { support::write_file(switches_.path() / "base", ""); }
  void make_room() { std::filesystem::remove(switches_.path() / "base"); }

 private:
  support::temporary_directory switches_;
};

class full_database : private full_on_request, public office_under_load {
 protected:
  full_database() { ::unsetenv("LD_PRELOAD"); }
  using full_on_request::fill;
  using full_on_request::make_room;
};

TEST_F(full_database, is_waited_out_and_loses_nothing) {
  open({}, patient());
  publish_some();
  note_fault();
  fill();
  wait_while_it_goes_on("PostgreSQL finds no room", [&] {
    return broker().log_text().find("No space left on device") != std::string::npos;
  });
  publish_some();
  EXPECT_EQ(load().connections_lost, 0U);
  make_room();
  publish_some();
  finish("PostgreSQL's file system full");
}

}  // namespace
}  // namespace restante::faults
