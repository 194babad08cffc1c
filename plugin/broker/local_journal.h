// The journal of this broker, with what it stands on.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "broker/mosquitto_ports.h"
#include "core/options.h"
#include "journal/file_journal.h"
#include "journal/posix_files.h"

namespace restante {

struct local_journal {
  posix_files disk;
  system_clock time;
  std::unique_ptr<file_journal> records;
};

// Opened and checked, or the line that says what is wrong and what to do.
inline std::variant<std::unique_ptr<local_journal>, std::string> open_journal(const options& chosen) {
  auto made = std::make_unique<local_journal>();
  journal_settings settings;
  settings.directory = chosen.journal;
  settings.sync_us = chosen.journal_sync_us;
  settings.limit_bytes = static_cast<std::uint64_t>(chosen.journal_limit_bytes);
  settings.dedupe_us = chosen.dedupe_us;
  auto opened = file_journal::open(settings, made->disk, made->time);
  if (auto* wrong = std::get_if<journal_error>(&opened)) return std::move(wrong->line);
  made->records = std::move(std::get<std::unique_ptr<file_journal>>(opened));
  return made;
}

}  // namespace restante
