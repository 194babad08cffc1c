// A journal on a simulated disk, records to put into it, and how to compare what comes back.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "journal/file_journal.h"
#include "journal_simulated_disk.h"

namespace restante::test {

class hand_clock final : public clock {
 public:
  std::int64_t now_us() const override { return now; }
  std::int64_t steady_us() const override { return steady; }
  void pass(std::int64_t time_us) {
    now += time_us;
    steady += time_us;
  }
  std::atomic<std::int64_t> now{1'700'000'000'000'000}, steady{1'000'000};
};

inline journal_settings small_settings() {
  journal_settings chosen;
  chosen.directory = "journal";
  chosen.limit_bytes = 16 << 20;
  chosen.segment_bytes = 4'096;
  return chosen;
}

inline accepted_message a_message(std::uint64_t number, std::size_t payload_bytes = 40) {
  message what;
  what.number = static_cast<message_number>(number);
  what.key = {"anna", "m" + std::to_string(number)};
  what.topic = "direct/bert/anna/" + what.key.id;
  what.payload.assign(payload_bytes, static_cast<char>('a' + number % 26));
  what.properties = std::string("\x01\x01", 2);
  what.expires_at_us = 7;
  accepted_message made;
  made.what.what = std::make_shared<const message>(std::move(what));
  made.what.recipients = {"bert", "cleo"};
  made.known = {number + 1, 77};
  return made;
}

inline std::string text_of(const message& what) {
  return std::to_string(what.number) + '|' + what.topic + '|' + what.payload + '|' + what.properties + '|' +
         what.key.sender + '/' + what.key.id + '|' + std::to_string(what.qos) + '|' +
         std::to_string(what.expires_at_us);
}
inline std::string text_of(const fingerprint& known) {
  return std::to_string(known.identity) + ',' + std::to_string(known.topic);
}

// Equal texts: equal records.
inline std::string text_of(const journal_record& record) {
  struct writer {
    std::string operator()(const accepted_message& it) const {
      std::string text = "accepted " + text_of(*it.what.what) + " to";
      for (const auto& name : it.what.recipients) text += ' ' + name;
      return text + " group " + it.what.group + " letter " + std::to_string(it.what.dead_letter) + " known " +
             text_of(it.known);
    }
    std::string operator()(const removal_list& it) const {
      std::string text = "removals " + it.account;
      for (const auto number : it.numbers) text += ' ' + std::to_string(number);
      return text;
    }
    std::string operator()(const removal_by_key& it) const {
      return "by key " + it.account + ' ' + it.key.sender + '/' + it.key.id + ' ' +
             std::to_string(it.through) + (it.find_only ? " find" : " remove");
    }
    std::string operator()(const unresolved_receipt& it) const {
      return "receipt " + text_of(it.told) + " about " + it.about.sender + '/' + it.about.id + ' ' +
             std::to_string(it.through) + (it.may_message ? " may " : " may not ") + text_of(it.known);
    }
    std::string operator()(const used_once& it) const {
      return "used " + text_of(it.known) + " at " + std::to_string(it.at_us);
    }
  };
  return std::visit(writer{}, record);
}

inline journal_status append(journal& to, const journal_record& record) {
  struct appender {
    journal& to;
    journal_status operator()(const accepted_message& it) const { return to.append(it.what, it.known); }
    journal_status operator()(const removal_list& it) const { return to.append(it); }
    journal_status operator()(const removal_by_key& it) const { return to.append(it); }
    journal_status operator()(const unresolved_receipt& it) const { return to.append(it); }
    journal_status operator()(const used_once& it) const { return to.append(it); }
  };
  return std::visit(appender{to}, record);
}

struct told {
  journal_position at = 0;
  std::string text;
  friend bool operator==(const told&, const told&) = default;
};
inline void PrintTo(const told& what, std::ostream* to) { *to << what.at << ": " << what.text.substr(0, 60); }

// All from `from` to the end of what is flushed, `bytes` at a time.
inline std::vector<told> read_all(file_journal& from_journal, journal_position from,
                                  std::size_t bytes = 1'000) {
  std::vector<told> all;
  for (;;) {
    auto chunk = from_journal.read(from, bytes);
    EXPECT_FALSE(chunk.failed) << from_journal.why_failed();
    for (auto& [at, record] : chunk.records) all.push_back({at, text_of(record)});
    if (chunk.records.empty()) return all;
    from = chunk.next;
  }
}

// A disk, and one journal after another on it.
class journal_on_a_disk {
 public:
  explicit journal_on_a_disk(journal_settings chosen = small_settings()) : settings(std::move(chosen)) {}

  // Empty: it is open; else the error.
  std::string open() {
    close();
    port = std::make_unique<simulated_files>(disk, locked);
    if (prepare) prepare(*port);
    auto opened = file_journal::open(settings, *port, time);
    if (const auto* error = std::get_if<journal_error>(&opened)) return error->line;
    records = std::move(std::get<0>(opened));
    return "";
  }
  std::string start() {
    if (auto error = open(); !error.empty()) return error;
    const auto refused = records->start(file_journal::behind::by_hand);
    return refused ? refused->line : "";
  }
  void close() {
    records.reset();
    port.reset();
  }
  // The process ends at once; what it wrote is there.
  void kill() {
    const simulated_disk frozen = disk;
    close();
    disk = frozen;
  }
  void lose_power(std::mt19937& random) {
    const simulated_disk left = disk.after_power_loss(random);
    close();
    disk = left;
  }

  journal_settings settings;
  std::function<void(simulated_files&)> prepare;  // the port, before it is used
  hand_clock time;
  simulated_disk disk;
  std::shared_ptr<bool> locked = std::make_shared<bool>(false);
  std::unique_ptr<simulated_files> port;
  std::unique_ptr<file_journal> records;
};

}  // namespace restante::test
