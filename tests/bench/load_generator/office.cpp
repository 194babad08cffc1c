#include "office.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace restante::bench {
namespace {

loop_settings settings_of(const settings& how) {
  loop_settings result;
  result.broker.sin_family = AF_INET;
  result.broker.sin_port = htons(how.port);
  result.broker.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  result.tick_ns = how.tick_ns;
  return result;
}

double seconds(std::int64_t time_ns) { return static_cast<double>(time_ns) / static_cast<double>(second_ns); }

double microseconds(std::uint64_t time_ns) {
  return static_cast<double>(time_ns) / static_cast<double>(microsecond_ns);
}

}  // namespace

office::office(const settings& how) : how_(how), loop_(settings_of(how)) {}

participant& office::add(std::size_t index, std::vector<std::string> filters, bool lasting) {
  client_settings login{.name = account_name(index),
                        .password = how_.password,
                        .version = how_.version,
                        .clean = !lasting,
                        .filters = std::move(filters)};
  participants_.push_back(
      std::make_unique<participant>(index, std::move(login), how_, counts_, loop_.written()));
  return *participants_.back();
}

void office::connect(const std::vector<participant*>& which, std::size_t parallel) {
  std::vector<client*> clients;
  for (auto* each : which) clients.push_back(&each->client());
  if (loop_.connect(clients, parallel, how_.patience_ns)) return;
  const auto missing =
      std::find_if(clients.begin(), clients.end(), [](const client* each) { return !each->is_ready(); });
  throw std::runtime_error("not all clients could log in and subscribe" +
                           (missing == clients.end() ? "" : ", " + (*missing)->settings().name + " for one"));
}

void office::connect_all() {
  std::vector<participant*> all;
  for (const auto& each : participants_) all.push_back(each.get());
  connect(all, how_.connect_parallel);
}

void office::finish(const std::function<bool()>& is_done) {
  constexpr std::int64_t silence_ns = 10 * second_ns;
  std::uint64_t last = 0;
  std::int64_t changed_ns = now_ns();
  const auto is_over = [&] {
    const auto so_far = counts_.confirmed + counts_.delivered + counts_.receipts;
    if (std::exchange(last, so_far) != so_far) changed_ns = now_ns();
    return is_done() || now_ns() - changed_ns > silence_ns;
  };
  loop_.run_until(is_over, how_.patience_ns);
}

office::moment office::take() const {
  moment now{.at_ns = now_ns(), .generator = main_thread_time(::getpid())};
  if (how_.broker > 0) {
    now.broker_loop = main_thread_time(how_.broker);
    now.broker = all_threads_time(how_.broker);
  }
  now.confirmed = counts_.confirmed;
  now.published = counts_.published;
  now.delivered = counts_.delivered;
  now.lines = counts_.lines;
  now.receipts = counts_.receipts;
  return now;
}

void office::begin() {
  counts_.is_measuring = true;
  began_ = take();
}

void office::end() {
  ended_ = take();
  counts_.is_measuring = false;
}

nlohmann::json office::interval() const {
  const double took = seconds(ended_.at_ns - began_.at_ns);
  const auto rate = [&](std::uint64_t moment::*count) {
    return static_cast<double>(ended_.*count - began_.*count) / took;
  };
  const auto shares = [&](processor_time moment::*who) {
    const auto time = ended_.*who - began_.*who;
    return nlohmann::json{{"running", seconds(time.running_ns) / took},
                          {"waiting", seconds(time.waiting_ns) / took}};
  };
  const auto& latency = counts_.latency;
  return {
      {"began_ns", began_.at_ns},
      {"ended_ns", ended_.at_ns},
      {"seconds", took},
      {"published_per_second", rate(&moment::published)},
      {"confirmed_per_second", rate(&moment::confirmed)},
      {"delivered_per_second", rate(&moment::delivered)},
      {"acknowledged_per_second", rate(&moment::lines)},
      {"receipts_per_second", rate(&moment::receipts)},
      {"broker_loop", shares(&moment::broker_loop)},
      {"broker", shares(&moment::broker)},
      {"generator", shares(&moment::generator)},
      {"latency_us",
       {{"count", latency.count()},
        {"p50", microseconds(latency.at(0.5))},
        {"p90", microseconds(latency.at(0.9))},
        {"p99", microseconds(latency.at(0.99))},
        {"p999", microseconds(latency.at(0.999))},
        {"most", microseconds(latency.most_ns())}}},
  };
}

nlohmann::json office::report(const std::vector<stream_name>& streams) const {
  std::uint64_t lost = 0, duplicates = 0, out_of_order = 0;
  for (const auto& each : streams) {
    const auto& stream = each.recipient->stream(each.sender);
    lost += stream.lost(each.sent);
    duplicates += stream.duplicates();
    out_of_order += stream.out_of_order();
  }
  std::uint64_t unconfirmed = 0, unacknowledged = 0;
  for (const auto& each : participants_) {
    unconfirmed += each->client().mail().underway();
    unacknowledged += each->client().acknowledgements().underway();
  }
  return {
      {"interval", interval()},
      {"published", counts_.published},
      {"confirmed", counts_.confirmed},
      {"unconfirmed", unconfirmed},
      {"delivered", counts_.delivered},
      {"acknowledged", counts_.lines},
      {"acknowledging_publishes", counts_.line_publishes},
      {"unconfirmed_acknowledgements", unacknowledged},
      {"receipts_sent", counts_.receipts_sent},
      {"receipts", counts_.receipts},
      {"lost", lost},
      {"duplicates", duplicates},
      {"out_of_order", out_of_order},
      {"misdelivered", counts_.misdelivered},
      {"refused", counts_.refused},
      {"broken_connections", counts_.broken},
      {"why_broken", counts_.why_broken},
  };
}

}  // namespace restante::bench
