// The bridge's log: one line an event, to standard error, as logfmt or JSON.
//
//   time=2026-11-27T15:04:05.123Z level=warning event=target_unavailable target=stream error="no route to
//   host"
//
// Nothing that came from outside can forge a line. Secrets are not for logs; should one be given to it all
// the same, it is struck out. Threads: any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bridge/core/ports.h"

namespace restante {

enum class log_format { logfmt, json };

class structured_log : public bridge_log {
 public:
  // Events below `least` are dropped.
  structured_log(bridge_log_level least, log_format format, std::vector<std::string> secrets);
  ~structured_log() override;

  void write(bridge_log_level level, std::string_view event, std::span<const field> fields) override;

  // The line without time and level; for tests as well.
  static std::string format_line(log_format format, std::string_view event, std::span<const field> fields,
                                 std::span<const std::string> secrets);

 private:
  class implementation;
  std::unique_ptr<implementation> how_;
};

bridge_log_level parse_log_level(std::string_view name);  // "info" for any other

}  // namespace restante
