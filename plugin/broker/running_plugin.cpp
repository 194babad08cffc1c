#include "broker/running_plugin.h"

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "crypto/password.h"
#include "crypto/password_memory.h"
#include "crypto/random.h"

namespace restante {
namespace {

constexpr std::chrono::seconds longest_farewell{5};
constexpr std::int64_t journal_watch_us = 1'000'000;
constexpr std::size_t restored_at_once_bytes = 1u << 20;

store_settings store_settings_of(const options& chosen) {
  store_settings made;
  made.database = chosen.database;
  made.retention_us = chosen.retention_us;
  made.dead_letter_us = chosen.dead_letter_us;
  made.mailbox_limit = chosen.mailbox_limit;
  made.topic_prefix = topic_prefix(chosen.topic_prefix).text();
  made.version = RESTANTE_VERSION;
  return made;
}

directory_settings directory_settings_of(const options& chosen) {
  directory_settings made;
  made.database = chosen.database;
  made.group_limit = chosen.group_limit;
  made.decoy_hash = hash_password(random_bytes(16));
  return made;
}

post_office_settings office_settings_of(const options& chosen, hash_key key) {
  post_office_settings made;
  made.values = chosen;
  made.key = key;
  return made;
}

}  // namespace

running_plugin::running_plugin(options chosen, std::unique_ptr<local_journal> records)
    : chosen_(std::move(chosen)),
      prefix_(chosen_.topic_prefix),
      journal_(std::move(records)),
      outbox_(time_, lines_, prefix_),
      store_(store_settings_of(chosen_), [this] { wake(); }),
      directory_(
          directory_settings_of(chosen_),
          [passwords = std::make_shared<password_memory>()](auto plain, auto hash) {
            return passwords->verify(plain, hash);
          },
          [this] { wake(); }),
      office_(office_settings_of(chosen_, journal_->records->hash_key()),
              ports{time_, lines_, store_, *journal_->records, outbox_, &profiles_}),
      desk_(office_, directory_, time_, lines_, prefix_),
      events_(office_, desk_, lines_, prefix_) {
  desk_.set_obstacle(
      "the broker's timer has not run yet. If it never does, `per_listener_settings true` is the cause on "
      "Mosquitto "
      "2.0.11: remove it from mosquitto.conf");
  restore();
}

running_plugin::~running_plugin() {
  if (!is_started_) return;
  outbox_.close();
  office_.close();
  const auto deadline = std::chrono::steady_clock::now() + longest_farewell;
  while (office_.is_ready() && !office_.is_drained() && std::chrono::steady_clock::now() < deadline) {
    office_.tick();
    waker_->wait(deadline);
    take_store_results();
  }
  if (!office_.is_drained()) {
    lines_.write(log_level::error, "ending with " + std::to_string(office_.queued_entries()) +
                                       " entries that the database did not take: they stay in the journal");
  }
  store_.stop(std::chrono::steady_clock::now() + std::chrono::milliseconds(100));
  directory_.stop();
}

void running_plugin::restore() {
  file_journal& from = *journal_->records;
  from.recall([this](const used_once& publish) { office_.restore(publish); });
  for (auto at = from.begin(); at < from.end();) {
    auto chunk = from.read(at, restored_at_once_bytes);
    for (auto& [place, record] : chunk.records) office_.restore(place, std::move(record));
    if (chunk.failed || chunk.next == at) throw std::runtime_error("the journal cannot be read any more");
    at = chunk.next;
  }
  if (from.begin() < from.end()) {
    lines_.write(log_level::info, "the journal has " + std::to_string(from.end() - from.begin()) +
                                      " bytes that the database may not have yet");
  }
}

// What it found at the start, and when it has failed: said once each.
void running_plugin::watch_journal() {
  const auto now_us = time_.steady_us();
  if (now_us - journal_watched_us_ < journal_watch_us) return;
  journal_watched_us_ = now_us;
  for (const auto& note : journal_->records->take_notes()) lines_.write(log_level::warning, note);
  if (!journal_works_) return;
  if (const auto why = journal_->records->why_failed(); !why.empty()) {
    journal_works_ = false;
    lines_.write(log_level::error, why);
  }
}

void running_plugin::start() {
  waker_ = std::make_unique<waker>();
  cheaper_calls_.emplace();
  if (const auto wrong = journal_->records->start()) {
    journal_works_ = false;
    desk_.set_obstacle(wrong->line);
    lines_.write(log_level::error, wrong->line);
    return;  // nobody is let in until the operator has mended it
  }
  desk_.set_obstacle("the database has not been reached yet");
  store_.start();
  directory_.start();
  is_started_ = true;
}

void running_plugin::wake() noexcept { waker_->wake(); }

void running_plugin::tick() {
  if (waker_ == nullptr) start();
  waker_->ticked();
  time_.begin_loop();
  events_.tick();
  take_store_results();
  take_directory_results();
  office_.tick();
  watch_journal();
}

void running_plugin::take_store_results() {
  for (auto& each : store_.take_results()) {
    std::visit([this](auto& what) { handle(std::move(what)); }, each);
  }
}

void running_plugin::take_directory_results() {
  for (auto& each : directory_.take_results()) {
    std::visit([this](auto& what) { handle(std::move(what)); }, each);
  }
}

void running_plugin::handle(store_ready ready) {
  desk_.set_obstacle({});
  office_.store_ready(ready.stored_through, ready.database_clock_offset_us);
  lines_.write(log_level::info, "the database is reached");
}

void running_plugin::handle(store_lost lost) {
  // Once it was reached, known accounts go on and new logins ask the directory.
  if (!office_.is_ready()) desk_.set_obstacle(lost.why);
  lines_.write(log_level::error, lost.why);
}

void running_plugin::handle(batch_stored stored) { office_.stored(stored.result); }

void running_plugin::handle(page_ready ready) { office_.page_read(std::move(ready.read)); }

void running_plugin::handle(page_unreadable lost) { office_.page_failed(lost.token); }

void running_plugin::handle(expired_due due) { office_.expired_due(due.expired); }

void running_plugin::handle(const log_line& line) { lines_.write(line.level, line.text); }

void running_plugin::handle(lookup_result) {}  // nobody waits for it any more

void running_plugin::handle(directory_changed changed) {
  if (changed.everyone) office_.all_profiles_changed();
  office_.profiles_changed(changed.accounts);
  office_.profiles_changed(changed.profiles);
  const auto accounts = changed.everyone ? office_.connected_accounts()
                                         : office_.connected_among(changed.accounts, changed.groups);
  const auto groups = changed.everyone ? office_.groups_in_use() : office_.in_use_among(changed.groups);
  if (!directory_.reload(accounts) || !directory_.rosters(groups)) {
    lines_.write(log_level::error,
                 "too many accounts changed at once: some rights may be old until they change again");
  }
}

void running_plugin::handle(record_loaded loaded) {
  account_record gone;
  gone.name = loaded.account;
  office_.set_rights(
      std::make_shared<const policy>(loaded.record == nullptr ? gone : *loaded.record, prefix_));
}

void running_plugin::handle(roster_loaded loaded) { office_.set_roster(std::move(loaded.members)); }

void running_plugin::handle(profile_loaded loaded) { office_.profile_read(loaded.answer); }

void running_plugin::handle(directory_ready) {}

void running_plugin::handle(directory_lost lost) { lines_.write(log_level::error, lost.why); }

}  // namespace restante
