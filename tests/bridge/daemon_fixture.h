// restante-bridge against PostgreSQL and the stand-in for Stream.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bridge/http/curl_transport.h"
#include "support/eventually.h"
#include "support/failure.h"
#include "support/free_port.h"
#include "support/postgres_server.h"
#include "support/stream/stand_in_process.h"

namespace restante {

class bridge_daemon : public testing::Test {
 protected:
  bridge_daemon() : database_(support::shared_postgres().create_database(support::migrated())) {}

  std::string sql(const std::string& text) { return support::query(database_.owner, text); }
  std::map<std::string, std::string> environment() const {
    return {{"RESTANTE_DATABASE", database_.bridge},
            {"RESTANTE_MQTT_URI", ""},
            {"RESTANTE_NAME", "here"},
            {"RESTANTE_OBSERVE_LISTEN", "127.0.0.1:" + std::to_string(port_.number())},
            {"STREAM_API_KEY", stream_.settings().api_key},
            {"STREAM_API_SECRET", stream_.settings().api_secret},
            {"STREAM_BASE_URL", stream_.url()}};
  }
  support::program program(std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), RESTANTE_BRIDGE_PROGRAM);
    return {.arguments = std::move(arguments), .environment = environment()};
  }
  void start() {
    support::program how = program();
    how.output = directory_.path() / "log";
    running_ = std::make_unique<support::process>(how);
  }
  std::string log() const { return support::read_file(directory_.path() / "log"); }
  http_response get(const std::string& path) const {
    curl_transport by({});
    by.send(1, {.url = "http://127.0.0.1:" + std::to_string(port_.number()) + path});
    const auto answers = by.wait(support::patience);
    return answers.at(0).response;
  }
  void wait_until_synced() {
    support::require_eventually("all is synced: " + log(), [&] {
      return sql("select count(*) filter (where state = 'synced') = count(*) and count(*) > 0 from "
                 "restante.profile_sync") == "t";
    });
  }
  support::finished restante(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), RESTANTE_PROGRAM);
    return support::run(
        {.arguments = std::move(arguments), .environment = {{"RESTANTE_DATABASE", database_.owner}}});
  }
  int stop() {
    running_->signal(SIGTERM);
    const auto code = running_->wait(std::chrono::seconds(5));
    if (!code) throw support::failure("it did not end within 5 s: " + log());
    return *code;
  }

  support::database database_;
  support::free_port port_;
  support::temporary_directory directory_;
  stream_stand_in::stand_in_process stream_;
  std::unique_ptr<support::process> running_;
};

}  // namespace restante
