// A post office with a load on it: a PostgreSQL and a broker of the test's own, and the load process, which
// outlives both. A test lets it run, does its harm, and finishes: then everything that is owed is drained,
// and the judge counts.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "fault_control.h"
#include "judge.h"
#include "load/board.h"
#include "support/mosquitto_broker.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/raw_mqtt.h"
#include "support/temporary_directory.h"

namespace restante::faults {

// RESTANTE_LONG=1 in the environment: more rounds, longer outages, and the rate must be reached.
bool is_long();

class office_under_load : public ::testing::Test {
 protected:
  office_under_load();
  ~office_under_load() override;

  // Starts the broker, its option `database` set to ours, then the load, and waits until all of it is
  // connected.
  void open(const load_settings& how = {}, support::broker_settings settings = {});

  support::mosquitto_broker& broker() { return *broker_; }
  support::postgres_server& postgres() { return postgres_; }
  const support::database& mail() const { return mail_; }
  board& load() { return **board_; }
  fault_control& faults() { return *faults_; }
  // The settings of our broker, for another one on the same database.
  support::broker_settings settings() const { return settings_; }

  // From now on, what was accepted before counts as recovered when it comes.
  void note_fault();
  // Waits while the load publishes: until so many more are accepted; a little of it by chance with
  // publish_some().
  void publish(std::uint64_t more);
  void publish_some();
  // Waits until `condition`. Throws failure with `what` and the broker's log when the load stands still for
  // long.
  void wait_while_it_goes_on(const std::string& what, const std::function<bool()>& condition);
  void crash_broker();  // and starts it again
  // Publishing ends, all recipients connect, and everything owed is handed over and acknowledged. Prints the
  // counts. Expects nothing lost, duplicated or out of order, and nothing left in PostgreSQL.
  void finish(const std::string& scenario);
  std::uint64_t waiting() const;  // in PostgreSQL
  // What waits is to be counted there from now on: another server has taken over.
  void count_at(std::string conninfo) { mail_.owner = std::move(conninfo); }

  std::mt19937& chance() { return chance_; }

 private:
  std::uint64_t progress();
  void start_load();

  std::mt19937 chance_;
  support::temporary_directory folder_;
  support::postgres_server postgres_;
  support::database mail_;
  support::broker_settings settings_;
  std::unique_ptr<shared_board> board_;
  fault_control* faults_;
  std::unique_ptr<support::mosquitto_broker> broker_;
  std::unique_ptr<support::process> load_;
  std::vector<std::int64_t> faults_ns_;
  std::uint64_t published_up_ = 0;  // while nothing was wrong, in
  std::int64_t up_ns_ = 0;
};

}  // namespace restante::faults
