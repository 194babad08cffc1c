// bridge/mqtt against a real Mosquitto. Without the plugin the broker keeps what a session has not confirmed,
// and nothing reads topic ack: the tests look at what is published there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include "bridge/mqtt/request_queue.h"
#include "bridge/mqtt/service_client.h"
#include "bridge/quiet_log.h"
#include "support/eventually.h"
#include "support/free_port.h"
#include "support/mosquitto_broker.h"
#include "support/mqtt_message.h"
#include "support/paho_client.h"
#include "support/process.h"
#include "support/temporary_directory.h"

namespace restante {
namespace {

using namespace std::chrono_literals;
using support::require_eventually;

service_call call(const std::string& id) { return {"profile", "anna", id, "{}"}; }

TEST(request_queue, holds_a_request_once_until_it_is_acknowledged) {
  request_queue queue(10);
  EXPECT_TRUE(queue.arrived(call("1")));
  EXPECT_TRUE(queue.arrived(call("1")));
  EXPECT_EQ(queue.held(), 1u);
  const service_call taken = queue.take();
  EXPECT_FALSE(queue.has_arrived());
  queue.sent(7, taken);
  EXPECT_TRUE(queue.arrived(call("1")));
  EXPECT_FALSE(queue.has_arrived()) << "it is being answered";
  queue.taken(7, true);
  EXPECT_EQ(queue.take_acknowledgement(10), "anna/1");
  EXPECT_TRUE(queue.is_idle());
  EXPECT_EQ(queue.held(), 0u);
}

TEST(request_queue, does_not_acknowledge_what_has_no_answer) {
  request_queue queue(10);
  queue.arrived(call("1"));
  queue.sent(1, queue.take());
  queue.taken(1, false);
  EXPECT_EQ(queue.unacknowledged(), 0u);
  EXPECT_TRUE(queue.arrived(call("1")));
  EXPECT_TRUE(queue.has_arrived()) << "it may come again";
}

TEST(request_queue, drops_what_is_beyond_its_bound_until_it_begins_anew) {
  request_queue queue(2);
  EXPECT_TRUE(queue.arrived(call("1")));
  EXPECT_TRUE(queue.arrived(call("2")));
  EXPECT_FALSE(queue.arrived(call("3")));
  EXPECT_TRUE(queue.has_dropped());
  queue.clear();
  EXPECT_FALSE(queue.has_dropped());
  EXPECT_TRUE(queue.arrived(call("3")));
}

TEST(request_queue, acknowledges_no_more_lines_than_the_plugin_takes) {
  request_queue queue(10);
  for (const char* id : {"1", "2", "3"}) {
    queue.arrived(call(id));
    queue.sent(1, queue.take());
    queue.taken(1, true);
  }
  EXPECT_EQ(queue.take_acknowledgement(2), "anna/1\nanna/2");
  EXPECT_EQ(queue.take_acknowledgement(2), "anna/3");
}

class services : public testing::Test {
 protected:
  services() : broker_({.plugin = false}) {}

  service_client_settings settings() const {
    return {.uri = "mqtt://127.0.0.1:" + std::to_string(broker_.port()),
            .account = "bridge",
            .password = "secret",
            .client_id = "bridge-here",
            .services = {"profile", "stream-token"}};
  }
  std::unique_ptr<service_client> serve(service_client_settings how) {
    auto client = std::make_unique<service_client>(
        std::move(how),
        [this](const service_call& asked) -> std::optional<std::string> {
          if (is_away_) return std::nullopt;
          const std::lock_guard lock(mutex_);
          ++asked_[asked.service + "/" + asked.from + "/" + asked.id];
          return "{\"echo\":" + asked.payload + "}";
        },
        log_);
    require_eventually("it serves", [&] { return client->is_serving(); });
    return client;
  }
  support::paho_client listen(const std::string& filter) {
    support::paho_client client(broker_.port(), {.client_id = "listener-" + std::to_string(++listeners_)});
    client.connect();
    client.subscribe(filter);
    return client;
  }
  void ask(support::paho_client& by, const std::string& topic, const std::string& payload = "{}") {
    by.publish({.topic = topic, .payload = payload, .qos = 1});
  }
  int asked(const std::string& which) {
    const std::lock_guard lock(mutex_);
    return asked_[which];
  }

  support::mosquitto_broker broker_;
  quiet_log log_;
  std::atomic<bool> is_away_ = false;
  std::mutex mutex_;
  std::map<std::string, int> asked_;
  int listeners_ = 0;
};

TEST_F(services, answer_and_acknowledge_each_request) {
  auto listener = listen("answer/#");
  auto acknowledgements = listen("ack/#");
  const auto client = serve(settings());
  ask(listener, "service/profile/anna/m1", "{\"name\":1}");
  ask(listener, "service/stream-token/bert/m2");
  const auto answers = listener.expect_messages(2);
  EXPECT_EQ(answers[0].topic, "answer/anna/profile/m1");
  EXPECT_EQ(answers[0].payload, "{\"echo\":{\"name\":1}}");
  EXPECT_EQ(answers[0].qos, 1);
  EXPECT_EQ(answers[1].topic, "answer/bert/stream-token/m2");
  require_eventually("both are acknowledged", [&] {
    std::string lines;
    for (const auto& each : acknowledgements.messages()) {
      EXPECT_EQ(each.topic, "ack/bridge");
      lines += each.payload + "\n";
    }
    return lines == "anna/m1\nbert/m2\n";
  });
}

TEST_F(services, keep_to_the_prefix_of_the_topics) {
  auto how = settings();
  how.topic_prefix = "mail";
  auto listener = listen("mail/answer/#");
  auto acknowledgements = listen("mail/ack/bridge");
  const auto client = serve(how);
  ask(listener, "service/profile/anna/other");
  ask(listener, "mail/service/profile/anna/m1");
  EXPECT_EQ(listener.expect_messages(1)[0].topic, "mail/answer/anna/profile/m1");
  EXPECT_EQ(acknowledgements.expect_messages(1)[0].payload, "anna/m1");
}

TEST_F(services, find_the_requests_that_came_while_they_were_away) {
  auto listener = listen("answer/#");
  serve(settings()).reset();
  ask(listener, "service/profile/anna/m1");
  const auto client = serve(settings());
  EXPECT_EQ(listener.expect_messages(1)[0].topic, "answer/anna/profile/m1");
}

TEST_F(services, put_a_request_off_that_cannot_be_answered_just_now_and_keep_the_order) {
  auto listener = listen("answer/#");
  is_away_ = true;
  const auto client = serve(settings());
  ask(listener, "service/profile/anna/m1");
  ask(listener, "service/profile/anna/m2");
  is_away_ = false;
  const auto answers = listener.expect_messages(2);
  EXPECT_EQ(answers[0].topic, "answer/anna/profile/m1");
  EXPECT_EQ(answers[1].topic, "answer/anna/profile/m2");
}

TEST_F(services, come_back_when_the_broker_does) {
  const auto client = serve(settings());
  broker_.stop();
  require_eventually("it knows", [&] { return !client->is_serving(); });
  broker_.start();
  require_eventually("it serves again", [&] { return client->is_serving(); });
  auto listener = listen("answer/#");
  ask(listener, "service/profile/anna/m1");
  listener.expect_messages(1);
  EXPECT_THAT(log_.text(), testing::HasSubstr("mqtt_not_serving"));
  EXPECT_THAT(log_.text(), testing::Not(testing::HasSubstr("secret")));
}

TEST_F(services, stop_at_once_while_there_is_no_broker) {
  auto how = settings();
  how.uri = "mqtt://127.0.0.1:1";
  const auto began = std::chrono::steady_clock::now();
  {
    const service_client client(
        how, [](const service_call&) { return std::nullopt; }, log_);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST_F(services, say_in_one_try_whether_they_could_be_served) {
  EXPECT_EQ(service_client::try_once(settings(), 10s), "");
  auto how = settings();
  how.uri = "mqtt://127.0.0.1:1";
  EXPECT_NE(service_client::try_once(how, 10s), "");
}

// As a broker does that puts off a login.
class closing_listener {
 public:
  closing_listener() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 10), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (int taken = 0; (taken = ::accept(listener_, nullptr, nullptr)) >= 0;) {
        ++count_;
        ::close(taken);
      }
    });
  }
  ~closing_listener() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  closing_listener(const closing_listener&) = delete;
  closing_listener& operator=(const closing_listener&) = delete;

  std::string uri() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }
  int count() const { return count_; }

 private:
  int listener_;
  int port_ = 0;
  std::atomic<int> count_ = 0;
  std::thread thread_;
};

TEST(services_whose_login_is_put_off, are_tried_again) {
  const closing_listener busy;
  EXPECT_NE(service_client::try_once({.uri = busy.uri(),
                                      .account = "bridge",
                                      .password = "secret",
                                      .client_id = "check",
                                      .services = {"profile"}},
                                     10s),
            "");
  EXPECT_GT(busy.count(), 1);
}

TEST(services_over_tls, are_served_only_by_a_broker_whose_certificate_is_verified) {
  const support::temporary_directory directory;
  const auto file = [&](const char* name) { return (directory.path() / name).string(); };
  support::run_or_fail(
      {.arguments = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                     "-nodes", "-keyout", file("key"), "-out", file("certificate"), "-days", "2", "-subj",
                     "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"}});
  // The broker's own user reads it.
  std::filesystem::permissions(directory.path() / "key", std::filesystem::perms(0644));
  const support::free_port port;
  const support::mosquitto_broker broker(
      {.plugin = false,
       .lines = {"listener " + std::to_string(port.number()) + " 127.0.0.1",
                 "certfile " + file("certificate"), "keyfile " + file("key")}});
  service_client_settings how{.uri = "mqtts://localhost:" + std::to_string(port.number()),
                              .account = "bridge",
                              .password = "secret",
                              .client_id = "tls",
                              .ca_file = file("certificate"),
                              .services = {"profile"}};
  EXPECT_EQ(service_client::try_once(how, 10s), "");
  how.ca_file.clear();
  EXPECT_NE(service_client::try_once(how, 10s), "") << "nobody known has signed it";
  how.ca_file = file("certificate");
  how.uri = "mqtts://127.0.0.1:" + std::to_string(port.number());
  EXPECT_NE(service_client::try_once(how, 10s), "") << "it is another's";
}

}  // namespace
}  // namespace restante
