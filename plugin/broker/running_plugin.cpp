#include "broker/running_plugin.h"

#include <chrono>
#include <cstring>
#include <utility>
#include <variant>

#include "crypto/password.h"
#include "crypto/random.h"

namespace restante {
namespace {

constexpr std::chrono::seconds longest_farewell{5};

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

post_office_settings office_settings_of(const options& chosen) {
  post_office_settings made;
  made.values = chosen;
  const auto random = random_bytes(sizeof(hash_key));
  std::memcpy(&made.key, random.data(), sizeof made.key);
  return made;
}

}  // namespace

running_plugin::running_plugin(options chosen)
    : chosen_(std::move(chosen)),
      prefix_(chosen_.topic_prefix),
      outbox_(time_, lines_, prefix_),
      store_(store_settings_of(chosen_), [this] { wake(); }),
      directory_(directory_settings_of(chosen_), verify_password, [this] { wake(); }),
      office_(office_settings_of(chosen_), ports{time_, lines_, store_, journal_, outbox_}),
      desk_(office_, directory_, time_, lines_, prefix_),
      events_(office_, desk_, lines_, prefix_) {
  desk_.set_obstacle(
      "the broker's timer has not run yet. If it never does, `per_listener_settings true` is the cause on "
      "Mosquitto "
      "2.0.11: remove it from mosquitto.conf");
}

running_plugin::~running_plugin() {
  if (waker_ == nullptr) return;  // never started
  outbox_.close();
  office_.close();
  const auto deadline = std::chrono::steady_clock::now() + longest_farewell;
  while (!office_.is_drained() && std::chrono::steady_clock::now() < deadline) {
    office_.tick();
    waker_->wait(deadline);
    take_store_results();
  }
  if (!office_.is_drained()) {
    lines_.write(log_level::error, "ending with " + std::to_string(office_.queued_entries()) +
                                       " entries that the database did not take: they are lost");
  }
  store_.stop(std::chrono::steady_clock::now() + std::chrono::milliseconds(100));
  directory_.stop();
}

void running_plugin::start() {
  waker_ = std::make_unique<waker>();
  desk_.set_obstacle("the database has not been reached yet");
  store_.start();
  directory_.start();
}

void running_plugin::wake() noexcept { waker_->wake(); }

void running_plugin::tick() {
  if (waker_ == nullptr) start();
  waker_->ticked();
  events_.tick();
  take_store_results();
  take_directory_results();
  office_.tick();
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

void running_plugin::handle(directory_ready) {}

void running_plugin::handle(directory_lost lost) { lines_.write(log_level::error, lost.why); }

}  // namespace restante
