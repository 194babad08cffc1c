// SIGKILL at points of chance, while the load goes on.
#include "office_under_load.h"

namespace restante::faults {
namespace {

int rounds() { return is_long() ? 20 : 3; }

using kills = office_under_load;

TEST_F(kills, of_the_broker_lose_nothing) {
  open();
  for (int round = 0; round < rounds(); ++round) {
    publish_some();
    crash_broker();
  }
  publish_some();
  finish("kill -9 of the broker");
}

TEST_F(kills, of_postgresql_lose_nothing) {
  open();
  for (int round = 0; round < rounds(); ++round) {
    publish_some();
    note_fault();
    postgres().kill();
    publish_some();
    postgres().start();
  }
  publish_some();
  finish("kill -9 of PostgreSQL");
}

TEST_F(kills, of_both_lose_nothing) {
  open();
  for (int round = 0; round < rounds(); ++round) {
    publish_some();
    note_fault();
    broker().kill();
    postgres().kill();
    broker().start();
    postgres().start();
  }
  publish_some();
  finish("kill -9 of both");
}

}  // namespace
}  // namespace restante::faults
