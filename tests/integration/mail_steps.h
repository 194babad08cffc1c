// Steps that tests of sessions take again and again, packet by packet.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "support/post_office_fixture.h"

namespace restante {

// Messages {name}{first}, {name}{first + 1}, ... from one account to another.
inline std::vector<support::mqtt_message> letters(const std::string& to, const std::string& from,
                                                  const std::string& name, int count,
                                                  const std::string& payload = "", int first = 0) {
  std::vector<support::mqtt_message> made;
  for (int i = first; i < first + count; ++i) {
    made.push_back(support::direct(to, from, name + std::to_string(i), payload));
  }
  return made;
}

// Publishes at QoS 1, with twenty under way, as many as brokers take before they must have answered. Throws
// failure unless each is accepted. Returns their topics.
inline std::vector<std::string> publish_all(support::raw_mqtt& by,
                                            const std::vector<support::mqtt_message>& messages) {
  constexpr std::size_t under_way = 20;
  for (std::size_t i = 0; i < messages.size() + under_way; ++i) {
    if (i < messages.size()) by.send_publish(messages[i]);
    if (i < under_way || i - under_way >= messages.size()) continue;
    const auto answer = support::parse_acknowledgement(by.expect(support::packet_type::puback));
    if (answer.reason >= 0x80) {
      throw support::failure("a publish was refused with reason " + std::to_string(answer.reason));
    }
  }
  return support::topics_of(messages);
}

// Receives so many and answers each by PUBACK or PUBREC, as MQTT clients do; which acknowledges nothing yet.
inline std::vector<std::string> collect(support::raw_mqtt& by, std::size_t count) {
  std::vector<std::string> topics;
  while (topics.size() < count) {
    support::mqtt_message next;
    try {
      next = by.expect_publish();
    } catch (const support::failure& why) {
      throw support::failure(std::string(why.what()) + " number " + std::to_string(topics.size() + 1) +
                             " of " + std::to_string(count));
    }
    by.acknowledge(next);
    topics.push_back(std::move(next.topic));
  }
  return topics;
}

// {from}/{id}, the last two levels of a topic.
inline std::string key_of(const std::string& topic) {
  return topic.substr(topic.rfind('/', topic.rfind('/') - 1) + 1);
}

inline std::vector<std::string> keys_of(const std::vector<std::string>& topics) {
  std::vector<std::string> keys;
  for (const std::string& each : topics) keys.push_back(key_of(each));
  return keys;
}

// Acknowledges what came on these topics, at most 500.
inline void acknowledge(support::raw_mqtt& by, const std::string& name,
                        const std::vector<std::string>& topics) {
  const int reason = by.publish(support::acknowledgement_of(name, keys_of(topics)));
  if (reason >= 0x80) throw support::failure("an acknowledgement was refused: " + std::to_string(reason));
}

inline std::vector<std::string> operator+(std::vector<std::string> one,
                                          const std::vector<std::string>& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

}  // namespace restante
