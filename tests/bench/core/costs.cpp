// What the mailbox costs the broker's thread: time and allocations a message, with ports that cost next to
// nothing; but the journal encodes and decodes its records.
// Where the whole is measured (tests/bench/run) this is a part among many, and noise hides what a change
// does.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/post_office.h"
#include "memory_journal.h"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* made = std::malloc(size)) return made;
  throw std::bad_alloc();
}
void operator delete(void* gone) noexcept { std::free(gone); }
void operator delete(void* gone, std::size_t) noexcept { std::free(gone); }

namespace restante {
namespace {

class stepped_clock final : public clock {
 public:
  std::int64_t now_us() const override { return 1'700'000'000'000'000 + passed_us; }
  std::int64_t steady_us() const override { return 1'000'000'000 + passed_us; }
  std::int64_t passed_us = 0;
};

class silent_log final : public log {
 public:
  void write(log_level, std::string_view line) override {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  }
};

// Commits each batch a few loops later.
class willing_store final : public store {
 public:
  void write(store_batch batch) override {
    messages += batch.messages.size();
    removals += batch.removals.size();
    writing = std::move(batch);
    loops_left = 3;
  }
  void read(page_request request) override { reads.push_back(request.token); }
  void report(broker_report) override {}
  void remember_acknowledging(std::string) override {}

  std::optional<store_batch> writing;
  int loops_left = 0;
  std::vector<std::uint64_t> reads;  // tokens of pages; nothing waits for anybody
  std::size_t messages = 0, removals = 0;
};

class no_clients final : public outbox {
 public:
  void publish(std::string_view, const message&, int) override {}
  void kick(std::string_view) override {}
};

const std::string& user(int n) {
  static const auto names = [] {
    std::vector<std::string> made;
    for (int i = 0; i < 1'000; ++i) made.push_back("user-" + std::to_string(10'000 + i));
    return made;
  }();
  return names[static_cast<std::size_t>(n)];
}

shared_policy rights_of(const std::string& account) {
  account_record record;
  record.name = account;
  record.active = true;
  record.groups.push_back({"everybody", false, false});
  for (const char* filter :
       {"direct/+/%u/+", "group/%g/%u/+", "receipt/+/%u/+", "ack/%u", "service/+/%u/+"}) {
    rule made;
    made.effect = rule_effect::allow;
    made.action = rule_action::publish;
    made.filter = filter;
    made.durable = true;
    record.rules.push_back(made);
  }
  return std::make_shared<const policy>(std::move(record), topic_prefix());
}

class bench {
 public:
  explicit bench(int clients) : clients_(clients) {
    post_office_settings settings;
    settings.key = {1, 2};
    office_ = std::make_unique<post_office>(settings, ports{time_, lines_, store_, journal_, outbox_});
    office_->store_ready(1'000, 0);
    std::vector<std::string> names;
    for (int i = 0; i < clients; ++i) {
      const auto name = user(i);
      names.push_back(name);
      office_->connect(handle(i), "client-" + name, rights_of(name), true, false, false);
      office_->subscribe(handle(i), "direct/" + name + "/#", 1);
      office_->subscribe(handle(i), "group/everybody/#", 1);
      office_->subscribe(handle(i), "receipt/" + name + "/#", 1);
    }
    office_->set_roster({"everybody", names, true});
    for (int i = 0; i < 10; ++i) tick();
    acks_.resize(static_cast<std::size_t>(clients));
  }

  // As the broker's edge does it, ACL checks included. False: not delivered.
  bool publish(int from, const std::string& topic, std::string_view payload, int qos = 1) {
    if (!allowed(from, topic)) return false;
    const auto result = office_->publish({handle(from), topic, payload, {}, qos, 0});
    return result.what == acceptance::accepted;
  }
  bool hear(int who) { return office_->hear_routed(handle(who)); }
  void note(int who, std::string_view key) {
    auto& lines = acks_[static_cast<std::size_t>(who)];
    if (!lines.empty()) lines += '\n';
    lines += key;
  }
  void acknowledge(int who) {
    auto& lines = acks_[static_cast<std::size_t>(who)];
    if (lines.empty()) return;
    const std::string topic = "ack/" + user(who);
    if (!publish(who, topic, lines)) std::abort();
    lines.clear();
  }
  void tick(std::int64_t passes_us = 1'000) {
    time_.passed_us += passes_us;
    office_->end_routing();
    if (store_.writing && store_.loops_left-- == 0) {
      store_.writing.reset();
      office_->stored({});
    }
    for (const auto token : std::exchange(store_.reads, {})) {
      page none;
      none.token = token;
      none.complete = true;
      office_->page_read(std::move(none));
    }
    office_->tick();
  }
  const willing_store& store() const { return store_; }

 private:
  static session_handle handle(int client) {
    return 0x5500'0000'0000 + static_cast<session_handle>(client) * 2'064;
  }
  bool allowed(int from, std::string_view topic) {
    const auto* rights = office_->rights_of(handle(from));
    const auto& parsed = office_->expect_publish(topic);
    return rights != nullptr &&
           (*rights)->may_publish(office_->client_id_of(handle(from)), topic, parsed).allowed;
  }

  int clients_;
  stepped_clock time_;
  silent_log lines_;
  willing_store store_;
  memory_journal journal_;
  no_clients outbox_;
  std::unique_ptr<post_office> office_;
  std::vector<std::string> acks_;
};

// What a broker does between two calls of us, to the caches: it and the kernel pass through as much memory
// for each message, so that what we looked at a few milliseconds ago has to be fetched again.
class other_work {
 public:
  void go_on() {
    for (int line = 0; line < lines_at_once; ++line) {
      memory_[at_] = static_cast<char>(memory_[at_] + 1);
      at_ = (at_ + line_bytes) % memory_.size();
    }
  }

 private:
  static constexpr int lines_at_once = 64;
  static constexpr std::size_t line_bytes = 64;
  std::vector<char> memory_ = std::vector<char>(2u << 20);
  std::size_t at_ = 0;
};

template <typename Load>
void measure(const char* name, const char* unit, Load load) {
  double best_ns = 1e18, allocated = 0;
  std::string stored;
  for (int round = 0; round < 5; ++round) {
    const auto result = load();
    best_ns = std::min(best_ns, result.ns);
    allocated = result.allocations;
    stored = std::to_string(result.stored);
  }
  std::printf("%-28s %8.0f ns  %6.2f allocations  a %s (%s messages stored)\n", name, best_ns, allocated,
              unit, stored.c_str());
}

struct cost {
  double ns, allocations;
  std::size_t stored;
};

template <typename Step>
cost timed(bench& with, std::size_t units, Step step) {
  const auto allocated = allocations;
  const auto stored = with.store().messages;
  const auto began = std::chrono::steady_clock::now();
  step();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
  return {took.count() / static_cast<double>(units),
          static_cast<double>(allocations - allocated) / static_cast<double>(units),
          with.store().messages - stored};
}

std::vector<std::string> some_ids(std::size_t count) {
  std::vector<std::string> made(count);
  for (std::size_t i = 0; i < count; ++i) made[i] = "0123456789abcdef-" + std::to_string(i);
  return made;
}

// Each sends to the next; one of 50 messages in each loop of the broker, an `ack` in `loops_an_ack`, each at
// another time. With `among` the time of that is not counted.
cost ring(int loops_an_ack, other_work* among = nullptr) {
  constexpr int clients = 50, loops = 4'000;
  bench with(clients);
  const auto ids = some_ids(loops);
  const std::string payload(64, 'x');
  std::string topic;
  std::chrono::steady_clock::duration spent{};
  const auto count = [&](auto ours) {
    if (among == nullptr) return ours();
    among->go_on();
    const auto began = std::chrono::steady_clock::now();
    ours();
    spent += std::chrono::steady_clock::now() - began;
  };
  auto result = timed(with, std::size_t{clients} * loops, [&] {
    for (int loop = 0; loop < loops; ++loop) {
      for (int from = 0; from < clients; ++from) {
        const int to = (from + 1) % clients;
        topic.assign("direct/").append(user(to)).append("/");
        const std::size_t key_at = topic.size();
        topic.append(user(from)).append("/").append(ids[static_cast<std::size_t>(loop)]);
        count([&] {
          if (!with.publish(from, topic, payload)) std::abort();
        });
        count([&] {
          if (!with.hear(to)) std::abort();
        });
        with.note(to, std::string_view(topic).substr(key_at));
        if ((loop + from) % loops_an_ack == 0) count([&] { with.acknowledge(from); });
      }
      count([&] { with.tick(); });
    }
  });
  if (among != nullptr)
    result.ns = std::chrono::duration<double, std::nano>(spent).count() / (clients * loops);
  return result;
}

// As the ring, told of by a receipt for each message. At QoS 0 nothing of it is kept.
cost receipts(int qos) {
  constexpr int clients = 50, loops = 4'000;
  bench with(clients);
  const auto ids = some_ids(loops);
  const std::string payload(64, 'x');
  std::string topic;
  return timed(with, std::size_t{clients} * loops, [&] {
    for (const auto& id : ids) {
      for (int from = 0; from < clients; ++from) {
        const int to = (from + 1) % clients;
        topic.assign("direct/").append(user(to)).append("/").append(user(from)).append("/").append(id);
        if (!with.publish(from, topic, payload, qos) || !with.hear(to)) std::abort();
        topic.assign("receipt/").append(user(from)).append("/").append(user(to)).append("/").append(id);
        if (!with.publish(to, topic, "delivered", qos) || !with.hear(from)) std::abort();
      }
      with.tick();
    }
  });
}

// One sends to 99; a message in each loop, an `ack` of each in every tenth.
cost group() {
  constexpr int clients = 100, loops = 1'000;
  bench with(clients);
  const std::string payload(64, 'x');
  return timed(with, (clients - 1) * loops, [&] {
    for (int loop = 0; loop < loops; ++loop) {
      const int from = loop % clients;
      const std::string key = user(from) + "/0123456789abcdef-" + std::to_string(loop);
      if (!with.publish(from, "group/everybody/" + key, payload)) std::abort();
      for (int to = 0; to < clients; ++to) {
        if (to == from) continue;
        if (!with.hear(to)) std::abort();
        with.note(to, key);
      }
      if (loop % 10 == 9) {
        for (int who = 0; who < clients; ++who) with.acknowledge(who);
      }
      with.tick();
    }
  });
}

}  // namespace
}  // namespace restante

int main() {
  using namespace restante;
  measure("ring, ack every 10 loops", "message", [] { return ring(10); });
  measure("ring, ack every 40 loops", "message", [] { return ring(40); });
  measure("ring, ack every 10, cold", "message", [] {
    other_work other;
    return ring(10, &other);
  });
  measure("ring, receipts", "message", [] { return receipts(1); });
  measure("ring, receipts at QoS 0", "message", [] { return receipts(0); });
  measure("group of 100", "delivery", [] { return group(); });
}
