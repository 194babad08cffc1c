#include "bridge/mqtt/service_client.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "bridge/core/service_topic.h"
#include "bridge/mqtt/paho_session.h"

namespace restante {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::size_t most_answers_under_way = 100;
constexpr std::size_t acknowledged_at_once = 500;  // what the plugin takes in one message
constexpr auto acknowledge_within = 20ms;
constexpr auto answer_time = 30s;  // an answer that the broker has not taken by then: connect anew
constexpr auto connect_time = 10s, subscribe_time = 10s;
constexpr auto shortest_pause = 500ms, longest_pause = 30'000ms;
constexpr auto put_off_pause = 500ms;
constexpr auto try_login_again_within = 3s;
// No service takes more; what is longer is refused by its beginning as well as by its whole.
constexpr std::size_t longest_payload_bytes = 64u << 10;

std::string prefixed(std::string prefix, const std::string& topic) {
  if (prefix.empty()) return topic;
  if (!prefix.ends_with('/')) prefix += '/';
  return prefix + topic;
}

}  // namespace

class service_client::implementation {
 public:
  implementation(service_client_settings how, answer_function answer, bridge_log& log)
      : settings_(std::move(how)),
        answer_(std::move(answer)),
        log_(log),
        queue_(settings_.longest_queue),
        thread_([this] { run(); }) {}

  ~implementation() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  implementation(const implementation&) = delete;
  implementation& operator=(const implementation&) = delete;

  bool is_serving() const noexcept { return serving_; }

 private:
  void run() {
    auto pause = shortest_pause;
    while (!stopping_) {
      const auto began = steady::now();
      const std::string problem = serve_one_connection();
      serving_ = false;
      if (stopping_) break;
      say_problem(problem);
      if (problem.empty() || steady::now() - began > longest_pause) pause = shortest_pause;
      wait_jittered(pause);
      pause = std::min(pause * 2, longest_pause);
    }
  }

  // Empty: it served, until the connection ended.
  std::string serve_one_connection() {
    {
      const std::lock_guard lock(mutex_);
      queue_.clear();
      lost_ = false;
    }
    paho_session session(settings_,
                         {.arrived = [this](const std::string& topic,
                                            std::string payload) { arrived(topic, std::move(payload)); },
                          .taken = [this](std::uint64_t number, bool accepted,
                                          int reason) { taken(number, accepted, reason); },
                          .lost =
                              [this] {
                                const std::lock_guard lock(mutex_);
                                lost_ = true;
                                changed_.notify_all();
                              },
                          .is_stopping = [this] { return stopping_.load(); }});
    if (auto problem = session.connect(connect_time); !problem.empty()) return problem;
    for (const std::string& each : settings_.services) {
      const std::string filter = service_filter(each, settings_.topic_prefix);
      if (auto problem = session.subscribe(filter, subscribe_time); !problem.empty()) {
        problem += "; was the service granted? `restante service grant ";
        return problem.append(each).append(" ").append(settings_.account).append("`");
      }
    }
    serving_ = true;
    said_.clear();
    log_.write(bridge_log_level::info, "mqtt_serving", {});
    serve(session);
    return "";
  }

  void serve(paho_session& session) {
    std::unique_lock lock(mutex_);
    while (!stopping_ && !lost_) {
      const auto now = steady::now();
      if (queue_.under_way() > 0 && now - progressed_at_ > answer_time) return;
      // What was dropped comes again with a new connection.
      if (queue_.has_dropped() && queue_.is_idle()) return;
      if (queue_.unacknowledged() > 0 &&
          (queue_.unacknowledged() >= most_answers_under_way || now >= acknowledge_at_)) {
        const std::string lines = queue_.take_acknowledgement(acknowledged_at_once);
        lock.unlock();
        const bool sent =
            session.publish(prefixed(settings_.topic_prefix, "ack/" + settings_.account), lines, 0);
        lock.lock();
        if (!sent) return;
        continue;
      }
      if (queue_.has_arrived() && queue_.under_way() < most_answers_under_way && now >= answer_at_) {
        if (!answer_next(session, lock)) return;
        continue;
      }
      changed_.wait_until(lock, next_look(now));
    }
  }

  steady::time_point next_look(steady::time_point now) const {
    steady::time_point look = now + 1s;
    if (queue_.unacknowledged() > 0) look = std::min(look, acknowledge_at_);
    if (queue_.has_arrived() && answer_at_ > now) look = std::min(look, answer_at_);
    return look;
  }

  // False: the connection is gone.
  bool answer_next(paho_session& session, std::unique_lock<std::mutex>& lock) {
    service_call call = queue_.take();
    lock.unlock();
    const auto answer = answer_(call);
    lock.lock();
    if (!answer) {
      queue_.put_back(std::move(call));
      answer_at_ = steady::now() + put_off_pause;
      return true;
    }
    const std::uint64_t number = ++last_number_;
    if (queue_.under_way() == 0) progressed_at_ = steady::now();
    queue_.sent(number, call);
    const std::string topic = answer_topic({call.service, call.from, call.id}, settings_.topic_prefix);
    lock.unlock();
    const bool sent = session.publish(topic, *answer, number);
    lock.lock();
    return sent;
  }

  // On Paho's threads.
  void arrived(const std::string& topic, std::string payload) {
    const auto parsed = parse_service_topic(topic, settings_.topic_prefix);
    if (!parsed) return;
    payload.resize(std::min(payload.size(), longest_payload_bytes));
    const std::lock_guard lock(mutex_);
    const bool had_dropped = queue_.has_dropped();
    const bool has_room = queue_.arrived({std::string(parsed->service), std::string(parsed->from),
                                          std::string(parsed->id), std::move(payload)});
    if (!has_room && !had_dropped) log_.write(bridge_log_level::warning, "mqtt_queue_full", {});
    changed_.notify_all();
  }

  void taken(std::uint64_t number, bool accepted, int reason) {
    const std::lock_guard lock(mutex_);
    if (!accepted && !stopping_ && !lost_) {
      const std::array fields{bridge_log::field{"reason", std::to_string(reason)}};
      log_.write(bridge_log_level::warning, "answer_refused", fields);
    }
    if (queue_.unacknowledged() == 0) acknowledge_at_ = steady::now() + acknowledge_within;
    queue_.taken(number, accepted);
    progressed_at_ = steady::now();
    changed_.notify_all();
  }

  void say_problem(const std::string& problem) {
    const std::string line = problem.empty() ? "the connection ended" : problem;
    if (line == said_) return;
    const std::array fields{bridge_log::field{"uri", settings_.uri}, bridge_log::field{"error", line}};
    log_.write(bridge_log_level::error, "mqtt_not_serving", fields);
    said_ = line;
  }

  void wait_jittered(std::chrono::milliseconds about) {
    const std::chrono::milliseconds pause(
        std::uniform_int_distribution(about.count() * 3 / 4, about.count() * 5 / 4)(random_));
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, pause, [this] { return stopping_.load(); });
  }

  const service_client_settings settings_;
  const answer_function answer_;
  bridge_log& log_;
  std::minstd_rand random_{std::random_device{}()};
  std::string said_;
  std::atomic<bool> stopping_ = false, serving_ = false;

  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  request_queue queue_;
  bool lost_ = false;
  std::uint64_t last_number_ = 0;
  steady::time_point progressed_at_{}, acknowledge_at_{}, answer_at_{};

  std::thread thread_;
};

service_client::service_client(service_client_settings how, answer_function answer, bridge_log& log)
    : how_(std::make_unique<implementation>(std::move(how), std::move(answer), log)) {}
service_client::~service_client() = default;
bool service_client::is_serving() const noexcept { return how_->is_serving(); }

std::string service_client::try_once(service_client_settings how, std::chrono::seconds longest) {
  how.session_expiry = 0s;
  paho_session session(how, {.arrived = [](const std::string&, const std::string&) {},
                             .taken = [](std::uint64_t, bool, int) {},
                             .lost = [] {},
                             .is_stopping = [] { return false; }});
  std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<int> pause_ms(200, 600);
  const auto began = steady::now();
  for (;;) {
    const auto problem = session.connect(longest);
    if (problem.empty()) break;
    if (session.was_refused() || steady::now() - began > try_login_again_within) return problem;
    std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms(random)));
  }
  for (const std::string& each : how.services) {
    const std::string filter = service_filter(each, how.topic_prefix);
    if (auto problem = session.subscribe(filter, longest); !problem.empty()) return problem;
  }
  return "";
}

}  // namespace restante
