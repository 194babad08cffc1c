#include "bridge/observe/bridge_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <atomic>
#include <map>
#include <mutex>

namespace restante {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

const Histogram::BucketBoundaries request_seconds{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

struct families {
  explicit families(prometheus::Registry& in)
      : waiting(gauge(in, "sync_waiting", "Accounts whose profile the target does not have yet")),
        oldest(gauge(in, "sync_oldest_waiting_seconds",
                     "Age of the oldest change that the target does not have yet; 0: none")),
        refused(
            gauge(in, "sync_refused_accounts",
                  "Accounts that wait for a change or an operator (parked), or for nothing any more (gone)")),
        available(gauge(in, "target_available", "Whether the target takes requests")),
        limit(gauge(in, "rate_limit", "Requests that the target allows in its window, by its own word")),
        remaining(gauge(in, "rate_limit_remaining", "Requests left in that window")),
        database(gauge(in, "database_reachable", "Whether PostgreSQL can be reached")),
        mqtt(gauge(in, "mqtt_connected", "Whether the broker is connected; absent: no requests are served")),
        build(gauge(in, "build_info", "1, with the version")),
        requests(counter(in, "requests_total", "Answered requests to the target")),
        settled(counter(in, "profiles_total", "Profiles by what became of them")),
        served(counter(in, "service_requests_total", "Requests that came over MQTT")),
        seconds(prometheus::BuildHistogram()
                    .Name("restante_bridge_request_seconds")
                    .Help("Time from request to answer")
                    .Register(in)) {}

  static Family<Gauge>& gauge(prometheus::Registry& in, const std::string& name, const std::string& help) {
    return prometheus::BuildGauge().Name("restante_bridge_" + name).Help(help).Register(in);
  }
  static Family<Counter>& counter(prometheus::Registry& in, const std::string& name,
                                  const std::string& help) {
    return prometheus::BuildCounter().Name("restante_bridge_" + name).Help(help).Register(in);
  }

  Family<Gauge>&waiting, &oldest, &refused, &available, &limit, &remaining, &database, &mqtt, &build;
  Family<Counter>&requests, &settled, &served;
  Family<Histogram>& seconds;
};

class target_observer : public sync_observer {
 public:
  target_observer(std::string target, families& of) : target_(std::move(target)), of_(of) { available(true); }

  void requested(std::string_view operation, std::string_view outcome, double seconds) override {
    const std::string name(operation);
    of_.requests.Add({{"target", target_}, {"operation", name}, {"outcome", std::string(outcome)}})
        .Increment();
    of_.seconds.Add({{"target", target_}, {"operation", name}}, request_seconds).Observe(seconds);
  }
  void settled(sync_result how, bool without_request) override {
    of_.settled
        .Add({{"target", target_},
              {"result", std::string(to_text(how))},
              {"request", without_request ? "none" : "sent"}})
        .Increment();
  }
  void budget(std::string_view operation, std::int64_t limit, std::int64_t remaining) override {
    const std::string name(operation);
    of_.limit.Add({{"target", target_}, {"operation", name}}).Set(static_cast<double>(limit));
    of_.remaining.Add({{"target", target_}, {"operation", name}}).Set(static_cast<double>(remaining));
  }
  void available(bool is) override {
    available_ = is;
    of_.available.Add({{"target", target_}}).Set(is ? 1 : 0);
  }
  bool is_available() const { return available_; }

 private:
  const std::string target_;
  families& of_;
  std::atomic<bool> available_ = true;
};

}  // namespace

class bridge_metrics::implementation {
 public:
  explicit implementation(const std::string& version) : all(registry) {
    all.build.Add({{"version", version}}).Set(1);
  }
  prometheus::Registry registry;
  families all;
  mutable std::mutex mutex;
  std::map<std::string, target_observer> observers;
};

bridge_metrics::bridge_metrics(const std::string& version)
    : how_(std::make_unique<implementation>(version)) {}
bridge_metrics::~bridge_metrics() = default;

sync_observer& bridge_metrics::observer(const std::string& target) {
  const std::lock_guard lock(how_->mutex);
  return how_->observers.try_emplace(target, target, how_->all).first->second;
}

bool bridge_metrics::is_available(const std::string& target) const {
  const std::lock_guard lock(how_->mutex);
  const auto found = how_->observers.find(target);
  return found == how_->observers.end() || found->second.is_available();
}

void bridge_metrics::backlog(const std::string& target, std::int64_t waiting, double oldest_waiting_seconds,
                             std::int64_t parked, std::int64_t gone) {
  how_->all.waiting.Add({{"target", target}}).Set(static_cast<double>(waiting));
  how_->all.oldest.Add({{"target", target}}).Set(oldest_waiting_seconds);
  how_->all.refused.Add({{"target", target}, {"state", "parked"}}).Set(static_cast<double>(parked));
  how_->all.refused.Add({{"target", target}, {"state", "gone"}}).Set(static_cast<double>(gone));
}

void bridge_metrics::database_reachable(bool is) { how_->all.database.Add({}).Set(is ? 1 : 0); }
void bridge_metrics::mqtt_connected(bool is) { how_->all.mqtt.Add({}).Set(is ? 1 : 0); }

void bridge_metrics::served(const std::string& service, const std::string& outcome) {
  how_->all.served.Add({{"service", service}, {"outcome", outcome}}).Increment();
}

std::string bridge_metrics::text() const {
  return prometheus::TextSerializer().Serialize(how_->registry.Collect());
}

}  // namespace restante
