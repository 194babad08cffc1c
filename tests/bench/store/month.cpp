// A store with a month of mail, while mail is stored, read and acknowledged at a steady rate: what the day's
// end and the expiry of a day do to it. Prints a table.
//
// Usage: store_month CONNINFO RATE SECONDS
//   on a database with accounts a0 ... a9999, where the oldest day is over. SECONDS: of each phase
#include <algorithm>
#include <cstdio>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "bench/store/store_driver.h"

namespace restante::bench {
namespace {

constexpr std::int64_t accounts = 10'000;
constexpr std::int64_t tick_us = 20'000;
constexpr std::int64_t acknowledged_after_us = 1'000'000;

double percentile_ms(std::vector<std::int64_t>& values_us, double share) {
  if (values_us.empty()) return 0;
  std::ranges::sort(values_us);
  const auto at = static_cast<std::size_t>(share * static_cast<double>(values_us.size() - 1));
  return static_cast<double>(values_us[at]) / 1e3;
}

class month {
 public:
  month(const std::string& database, std::int64_t rate, std::int64_t seconds)
      // Keeps the day that is over until it is told to let go of it.
      : store_(database, 3'650),
        other_(connection::open({.database = database}).value()),
        rate_(rate),
        phase_us_(seconds * 1'000'000) {}

  void run() {
    std::printf(
        "| %lld messages/s | stored/s | batch p50 / p99 / longest ms | page of 20, p50 / p99 / longest ms | "
        "|\n",
        static_cast<long long>(rate_));
    std::printf("|---|--:|--:|--:|---|\n");
    phase("nothing else", [] { return std::string(); });
    phase("midnight: a day made, the oldest detached", [&] {
      return timed("select made::bigint, detached::bigint from restante_roll('30 days', 8)", "restante_roll");
    });
    const std::int64_t before = dead_letters();
    phase("its rows become dead letters", [] { return std::string(); });
    const std::int64_t moved = dead_letters() - before;
    if (moved == 0) give_up("nothing of that day became a dead letter");
    std::printf("\n%lld dead letters written in %lld s; ", static_cast<long long>(moved),
                static_cast<long long>(phase_us_ / 1'000'000));
    std::printf("%s\n", text("select pg_size_pretty(sum(pg_total_relation_size(c.oid))) from pg_class c"
                             " where c.relname like 'dead\\_letter'")
                            .c_str());
  }

 private:
  template <typename Action>
  void phase(const std::string& name, Action in_the_middle) {
    batches_.clear();
    pages_.clear();
    stored_ = 0;
    const std::int64_t from = steady_us();
    while (steady_us() - from < phase_us_ / 2) tick();
    // Between two batches, as the store's thread does it.
    const std::string said = in_the_middle();
    while (steady_us() - from < phase_us_) tick();
    const double seconds = static_cast<double>(steady_us() - from) / 1e6;
    std::printf("| %s | %.0f | %.1f / %.1f / %.1f | %.1f / %.1f / %.1f | %s |\n", name.c_str(),
                static_cast<double>(stored_) / seconds, percentile_ms(batches_, 0.5),
                percentile_ms(batches_, 0.99), percentile_ms(batches_, 1), percentile_ms(pages_, 0.5),
                percentile_ms(pages_, 0.99), percentile_ms(pages_, 1), said.c_str());
    std::fflush(stdout);
  }

  // What came since the last tick goes into one batch, with what was stored a second ago; then one page is
  // read.
  void tick() {
    const std::int64_t now = steady_us();
    if (next_tick_us_ == 0) next_tick_us_ = now;
    if (now < next_tick_us_) {
      store_.pump(std::chrono::milliseconds{1 + (next_tick_us_ - now) / 1'000});
      return;
    }
    const std::int64_t owed =
        std::min<std::int64_t>(rate_ * (now - next_tick_us_ + tick_us) / 1'000'000, 2'000);
    next_tick_us_ = now + tick_us;
    store_batch batch;
    for (std::int64_t i = 0; i < owed; ++i) {
      const std::string to = account(++place_ * 7 % accounts), from = account(place_ * 13 % accounts),
                        id = "s" + std::to_string(next_number());
      batch.messages.push_back(letter("direct/" + to + "/" + from + "/" + id, from, id, {to}, payload_));
      waiting_.push_back({now, {to, batch.messages.back().what->number}});
    }
    while (!waiting_.empty() && now - waiting_.front().first >= acknowledged_after_us) {
      batch.removals.push_back(std::move(waiting_.front().second));
      waiting_.pop_front();
    }
    finish(batch);
    const message_number after = now_us() - 2'000'000;
    store_.write(std::move(batch));
    const std::int64_t written = steady_us();
    batches_.push_back(written - now);
    stored_ += owed;
    store_.read({0, account(place_ % accounts), after, 20, 1 << 20, {}});
    pages_.push_back(steady_us() - written);
  }

  std::string timed(const std::string& sql, const std::string& name) {
    const std::int64_t from = steady_us();
    const auto answer = other_.execute(sql);
    const std::int64_t took = steady_us() - from;
    if (!answer) return name + ": " + answer.error().message;
    std::string said = name + " took " + std::to_string(took / 1'000) + " ms:";
    if ((*answer)[0].int64(1) == 0) give_up("the day that is over was not detached");
    said += " " + std::to_string((*answer)[0].int64(0)) + " tables made, " +
            std::to_string((*answer)[0].int64(1)) + " detached";
    return said;
  }

  std::int64_t dead_letters() {
    const auto answer = store_.watcher().execute("select count(*) from dead_letter");
    if (!answer) give_up(answer.error().message);
    return (*answer)[0].int64(0);
  }
  std::string text(const std::string& sql) {
    const auto answer = store_.watcher().execute(sql);
    if (!answer) give_up(answer.error().message);
    return "the table of dead letters has " + std::string((*answer)[0].text(0));
  }

  store_driver store_;
  connection other_;
  const std::int64_t rate_, phase_us_;
  const std::string payload_ = std::string(200, 'x');
  std::int64_t next_tick_us_ = 0, place_ = 0, stored_ = 0;
  std::deque<std::pair<std::int64_t, removal>> waiting_;
  std::vector<std::int64_t> batches_, pages_;
};

}  // namespace
}  // namespace restante::bench

int main(int count, char** arguments) {
  if (count != 4) restante::bench::give_up("usage: store_month CONNINFO RATE SECONDS");
  restante::bench::month(arguments[1], std::atoll(arguments[2]), std::atoll(arguments[3])).run();
}
