#include "postgres/store_worker.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "postgres/batch_statements.h"
#include "postgres/describe_error.h"
#include "postgres/page_reader.h"

namespace restante {
namespace {

using namespace std::chrono_literals;

constexpr auto pages_turn = 100ms;
constexpr std::size_t most_unread_bytes = 64u << 20;
constexpr std::size_t pages_at_once = 32, page_rows_at_once = 6'400;
constexpr std::size_t accounts_at_once = 1'000;
constexpr int conflicts_without_pause = 3;
constexpr std::chrono::milliseconds longest_statement_timeout = 120s;

}  // namespace

store_worker::store_worker(store_settings settings, store_requests& requests,
                           event_queue<store_event>& results, interruption& breaks)
    : settings_(std::move(settings)),
      requests_(requests),
      results_(results),
      breaks_(breaks),
      session_(settings_, breaks_),
      writer_({settings_.retention_us, settings_.mailbox_limit}, ids_,
              [this](log_level level, std::string line) { complain(level, std::move(line)); }),
      maintenance_(settings_, [this](store_event event) { results_.push(std::move(event)); }),
      reconnect_pause_(100ms, 5s),
      retry_pause_(100ms, 5s),
      statement_timeout_(settings_.statement_timeout) {}

void store_worker::complain(log_level level, std::string line) {
  results_.push(log_line{level, std::move(line)});
}

bool store_worker::is_over() const {
  if (breaks_.tripped()) return true;
  if (!requests_.is_stopping() || !writer_.is_idle() || requests_.has_batch()) return false;
  return !session_.is_open() || !requests_.has_notes();
}

void store_worker::run() {
  while (!is_over()) {
    try {
      step();
    } catch (const std::exception& mistake) {
      lose(std::string("a mistake in the store: ") + mistake.what());
    }
    if (is_over()) break;
    requests_.wait(next_step());
  }
  fail_pages();
  session_.close();
}

store_worker::steady::time_point store_worker::next_step() const {
  if (!session_.is_open()) return connect_at_;
  auto next = maintenance_.next_due();
  if (!writer_.is_idle()) next = std::min(next, write_at_);
  const bool reads = requests_.pages() != 0 && results_.unread_bytes() < most_unread_bytes;
  const bool writes = writer_.is_idle() && requests_.has_batch();
  return reads || writes ? steady::time_point() : next;
}

void store_worker::step() {
  if (!session_.is_open()) connect();
  if (!session_.is_open()) {
    fail_pages();
    return;
  }
  write_batch();
  read_pages();
  remember_accounts();
  write_report();
  maintain();
}

void store_worker::connect() {
  if (steady::now() < connect_at_) return;
  const auto ready = session_.open();
  if (!ready) {
    const session_failure& failure = ready.error();
    connect_at_ = steady::now() + (failure.is_taken ? backoff::milliseconds(1s) : reconnect_pause_.next());
    if (lost_because_ != failure.why) results_.push(store_lost{failure.why});
    lost_because_ = failure.why;
    return;
  }
  lost_because_.clear();
  reconnect_pause_.reset();
  ids_.forget();
  writer_.begin_session();
  write_at_ = {};
  conflicts_ = 0;
  statement_timeout_ = settings_.statement_timeout;
  maintenance_.begin(steady::now(), session_.is_rolled());
  results_.push(*ready);
}

void store_worker::lose(const std::string& why) {
  session_.close();
  connect_at_ = steady::now() + reconnect_pause_.next();
  fail_pages();
  if (breaks_.tripped()) return;
  if (lost_because_ != why) results_.push(store_lost{why});
  lost_because_ = why;
}

void store_worker::fail(const database_error& why) { lose(describe(why)); }

void store_worker::fail_pages() {
  for (const page_request& each : requests_.take_pages()) results_.push(page_unreadable{each.token});
}

void store_worker::write_batch() {
  if (!session_.is_open()) return;
  if (writer_.is_idle()) {
    auto batch = requests_.take_batch();
    if (!batch) return;
    writer_.give(std::move(*batch));
    write_at_ = {};
    conflicts_ = 0;
  }
  if (steady::now() < write_at_) return;
  auto written = writer_.attempt(session_.wire(), session_.clock_offset_us());
  if (written) {
    retry_pause_.reset();
    short_of_.clear();
    results_.push(batch_stored{std::move(written).value()});
    maintenance_.settled(writer_.settled(), steady::now());
    return;
  }
  const database_error& why = written.error();
  if (why.kind != database_failure::conflict || !session_.wire().is_usable()) return fail(why);
  // Disk or memory: pages can be read meanwhile, and an operator should know.
  if (why.sqlstate.starts_with("53") && short_of_ != why.message) {
    short_of_ = why.message;
    complain(log_level::error,
             "PostgreSQL cannot store what was accepted, and is asked again: " + describe(why));
  }
  if (++conflicts_ > conflicts_without_pause) write_at_ = steady::now() + retry_pause_.next();
  if (why.sqlstate != "57014" || statement_timeout_ >= longest_statement_timeout) return;
  // It may need longer, on a machine that has much to do; the same limit again would never let it through.
  statement_timeout_ = std::min(statement_timeout_ * 2, longest_statement_timeout);
  if (auto set = session_.wire().set_statement_timeout(statement_timeout_); !set) fail(set.error());
}

void store_worker::read_pages() {
  const auto until = steady::now() + pages_turn;
  while (session_.is_open() && results_.unread_bytes() < most_unread_bytes && steady::now() < until) {
    std::vector<page_request> wanted;
    std::size_t rows = 0;
    while (wanted.size() < pages_at_once && rows < page_rows_at_once) {
      auto next = requests_.take_page();
      if (!next) break;
      rows += next->limit;
      wanted.push_back(std::move(*next));
    }
    if (wanted.empty()) return;
    read_some(wanted);
  }
}

void store_worker::read_some(std::span<const page_request> wanted) {
  ids_.forget_some();
  auto got = restante::read_pages(session_.wire(), wanted, ids_, settings_.retention_us);
  if (!got) {
    for (const page_request& each : wanted) results_.push(page_unreadable{each.token});
    if (got.error().kind == database_failure::conflict && session_.wire().is_usable()) {
      return complain(log_level::warning, "pages could not be read: " + got.error().message);
    }
    return fail(got.error());
  }
  for (page_reading& each : *got) {
    // The first says what is wrong; all of them would fill the log.
    if (!each.complaints.empty()) {
      complain(log_level::warning, each.complaints.front() + " (" + std::to_string(each.complaints.size()) +
                                       " such rows on this page)");
    }
    const std::size_t size_bytes = each.size_bytes;
    results_.push(page_ready{std::move(each.read)}, size_bytes);
  }
}

void store_worker::remember_accounts() {
  if (!session_.is_open()) return;
  const std::vector<std::string> accounts = requests_.take_accounts(accounts_at_once);
  if (accounts.empty()) return;
  text_array names;
  for (const std::string& each : accounts) names.push(each);
  const auto done = session_.wire().execute(
      "update account set has_acknowledged = true where name = any($1) and not has_acknowledged", {names});
  if (done) return;
  // It can be found out again: the account will acknowledge again.
  complain(log_level::warning, "has_acknowledged could not be set: " + done.error().message);
  if (done.error().kind == database_failure::unreachable) fail(done.error());
}

void store_worker::write_report() {
  if (!session_.is_open()) return;
  auto report = requests_.take_report();
  if (!report) return;
  text_array names;
  for (const std::string& each : report->never_acknowledged) names.push(each);
  const auto done = session_.wire().execute(
      "update broker set sessions = $1, journal_bytes = $2, never_acknowledged = $3, reported_at = now()",
      {static_cast<std::int64_t>(report->sessions), static_cast<std::int64_t>(report->journal_bytes), names});
  if (done) return;
  if (done.error().kind == database_failure::unreachable) {
    requests_.put_back(std::move(*report));
    return fail(done.error());
  }
  complain(log_level::warning, "the broker's report could not be written: " + done.error().message);
}

void store_worker::maintain() {
  if (!session_.is_open() || requests_.is_stopping()) return;
  const auto done = maintenance_.run_due(session_.wire(), steady::now());
  if (done) return;
  if (done.error().kind == database_failure::unreachable) return fail(done.error());
  complain(log_level::warning, "the store could not be kept in order: " + describe(done.error()));
}

}  // namespace restante
