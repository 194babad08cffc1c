// Requests to services and their answers: service/{name}/{from}/{id}, answer/{to}/{name}/{id}. Who asks
// stands in the topic, which nobody else can write; the payload says nothing of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace restante {

struct service_topic {
  std::string_view service, from, id;
};

// `prefix` is the broker's topic_prefix: empty, or with or without a slash at its end. Views point into
// `topic`. None: of another shape, or names that are none.
std::optional<service_topic> parse_service_topic(std::string_view topic, std::string_view prefix);

std::string answer_topic(const service_topic& request, std::string_view prefix);
// What the account that answers subscribes to.
std::string service_filter(std::string_view service, std::string_view prefix);

}  // namespace restante
