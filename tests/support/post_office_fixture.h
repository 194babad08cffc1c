// A whole post office for one test: a fresh database with a few accounts, and a Mosquitto with the plugin.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "postgres/connection.h"
#include "support/mosquitto_broker.h"
#include "support/mqtt_message.h"
#include "support/paho_client.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/raw_mqtt.h"

namespace restante::support {

// Accounts alice, bob, carol and dave, each with its name as its password, and the group `crew` of alice, bob
// and carol. Made by the command line, as an operator makes them.
const recipe& furnished();

// Messages as section by section of the topics: what they are called in every test.
mqtt_message direct(const std::string& to, const std::string& from, const std::string& id,
                    const std::string& payload = "");
mqtt_message to_group(const std::string& group, const std::string& from, const std::string& id,
                      const std::string& payload = "");
// Acknowledges `keys`, each {from}/{id}, on topic ack/{by}.
mqtt_message acknowledgement_of(const std::string& by, const std::vector<std::string>& keys);
// `state`: delivered or read.
mqtt_message receipt(const std::string& to, const std::string& by, const std::string& id,
                     const std::string& state);

// How an account logs in; its client id is its name. `lasting` sessions outlive their connection.
connect_settings account(const std::string& name, mqtt_version version = mqtt_version::v5);
connect_settings lasting(const std::string& name, mqtt_version version = mqtt_version::v5);

// The database is ready when a test begins; the broker is started by open().
class post_office_fixture : public ::testing::Test {
 protected:
  explicit post_office_fixture(postgres_server& postgres = shared_postgres());

  // Stops the broker: a test fails when its broker has crashed, or does not end well.
  void TearDown() override;

  // Starts the broker and waits until it has reached the database. The option `database` is set to ours
  // unless given; `window`, `retention` and the like go into settings.options.
  void open(broker_settings settings = {});
  void restart();            // as an operator does
  void crash_and_restart();  // SIGKILL first
  mosquitto_broker& broker();

  // Connected clients, tried again while the broker puts logins off. Each throws failure when refused.
  paho_client paho(const connect_settings& who);
  raw_mqtt raw(const connect_settings& who);

  // How many messages wait for the account in PostgreSQL, and the wait for that number.
  std::int64_t waiting(const std::string& name);
  void wait_until_waiting(const std::string& name, std::int64_t count);
  // Rows of any statement, as the database's owner: see query().
  std::string sql(const std::string& statement) const;
  // The built `restante` on this database.
  finished run_restante(std::vector<std::string> arguments, const std::string& input = "") const;

  const database& mail() const { return mail_; }

 private:
  connection& watching();
  void wait_for_database(std::size_t log_from);

  database mail_;
  std::unique_ptr<connection> watching_;
  std::unique_ptr<mosquitto_broker> broker_;
  bool database_is_ours_ = true;
};

}  // namespace restante::support
