// What holds for MQTT 3.1.1 and MQTT 5 alike is shown for both: a class derived from each_version, tests
// written with TEST_P, and
//   INSTANTIATE_TEST_SUITE_P(mqtt, the_class, both_versions, name_of_version);
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "support/eventually.h"
#include "support/failure.h"
#include "support/post_office_fixture.h"

namespace restante {

class each_version : public support::post_office_fixture,
                     public ::testing::WithParamInterface<support::mqtt_version> {
 protected:
  bool v5() const { return GetParam() == support::mqtt_version::v5; }
  support::connect_settings account(const std::string& name) const {
    return support::account(name, GetParam());
  }
  support::connect_settings lasting(const std::string& name) const {
    return support::lasting(name, GetParam());
  }
  // An account's second device.
  support::connect_settings device(const std::string& name, const std::string& client_id) const {
    support::connect_settings settings = account(name);
    settings.client_id = client_id;
    return settings;
  }

  // Connects again after disconnect(), however busy the broker is.
  static void reconnect(support::paho_client& client) {
    const bool let_in = support::eventually([&] { return client.try_connect() == 0; }, support::patience,
                                            std::chrono::milliseconds{100});
    if (!let_in) throw support::failure("a client is not let in again");
  }

  // What the publisher of a refused publish and the subscriber to a refused filter see.
  int refused_publish() const { return v5() ? 0x87 : 0; }
  int refused_filter() const { return v5() ? 0x87 : 0x80; }
};

inline const auto both_versions = ::testing::Values(support::mqtt_version::v3, support::mqtt_version::v5);

inline std::string name_of_version(const ::testing::TestParamInfo<support::mqtt_version>& instance) {
  return instance.param == support::mqtt_version::v3 ? "v3" : "v5";
}

// Publishes what must be accepted: throws failure otherwise. Works for both clients.
template <class Client>
void send(Client& by, const support::mqtt_message& message) {
  if (const int reason = by.publish(message); reason >= 0x80) {
    throw support::failure(message.topic + " was refused with reason " + std::to_string(reason));
  }
}

}  // namespace restante
