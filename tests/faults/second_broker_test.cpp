// Two brokers want one journal, or one database: the second gives way, and the first does not notice.
#include "office_under_load.h"

namespace restante::faults {
namespace {

using second_brokers = office_under_load;

TEST_F(second_brokers, do_not_start_on_the_journal_of_the_first) {
  open();
  publish_some();
  auto same = settings();
  same.options["journal"] = broker().journal().string();
  std::string log;
  EXPECT_NE(support::mosquitto_broker::start_and_end(same, log), 0);
  EXPECT_NE(log.find("another broker uses " + broker().journal().string()), std::string::npos) << log;
  publish_some();
  EXPECT_EQ(load().connections_lost, 0U);
  finish("second broker on the journal");
}

TEST_F(second_brokers, refuse_logins_on_the_database_of_the_first) {
  open();
  publish_some();
  support::mosquitto_broker second(settings());
  second.wait_for_log("another broker uses this database");
  support::raw_mqtt client(second.port());
  const auto answer =
      client.try_connect({.client_id = "sender-063", .user = "sender-063", .password = "faults"});
  EXPECT_TRUE(!answer || answer->reason != 0);
  publish_some();
  EXPECT_EQ(load().connections_lost, 0U);
  second.stop();
  finish("second broker on the database");
}

TEST_F(second_brokers, take_over_once_the_first_is_gone) {
  open();
  publish_some();
  auto same = settings();
  support::mosquitto_broker second(same);
  second.wait_for_log("another broker uses this database");
  note_fault();
  broker().kill();
  second.wait_for_log("the database is reached");
  second.stop();
  broker().start();
  publish_some();
  finish("second broker waits for the database");
}

}  // namespace
}  // namespace restante::faults
