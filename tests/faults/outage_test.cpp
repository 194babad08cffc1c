// PostgreSQL is away for long while publishing goes on.
#include <chrono>

#include "office_under_load.h"

namespace restante::faults {
namespace {

using outages = office_under_load;
using std::chrono::steady_clock;

std::chrono::seconds outage() { return std::chrono::seconds(is_long() ? 60 : 10); }

// All that the load publishes meanwhile stays queued: more than sender_limit is by default, for some.
const support::broker_settings patient{.options = {{"sender_limit", "50000"}}};

TEST_F(outages, of_a_frozen_postgresql_do_not_stop_publishing) {
  open({}, patient);
  publish_some();
  note_fault();
  postgres().freeze();
  const auto end = steady_clock::now() + outage();
  while (steady_clock::now() < end) publish(1'000);
  EXPECT_EQ(load().connections_lost, 0U);
  postgres().thaw();
  publish_some();
  finish("PostgreSQL frozen");
}

TEST_F(outages, of_a_stopped_postgresql_do_not_stop_publishing) {
  open({}, patient);
  publish_some();
  note_fault();
  postgres().stop();
  const auto end = steady_clock::now() + outage();
  while (steady_clock::now() < end) publish(1'000);
  EXPECT_EQ(load().connections_lost, 0U);
  postgres().start();
  publish_some();
  finish("PostgreSQL stopped");
}

TEST_F(outages, with_a_kill_of_the_broker_amid_them_lose_nothing) {
  open({}, patient);
  publish_some();
  note_fault();
  postgres().stop();
  publish_some();
  crash_broker();
  // Nobody is let in before the database is reached for the first time.
  wait_while_it_goes_on("logins are put off", [&] { return load().logins_put_off > 0; });
  postgres().start();
  publish_some();
  finish("PostgreSQL stopped, kill -9 of the broker");
}

}  // namespace
}  // namespace restante::faults
