// The program stream_stand_in as a child process, and the calls that steer it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "support/process.h"
#include "support/stream/exchange.h"
#include "support/temporary_directory.h"

namespace restante::stream_stand_in {

struct stand_in_settings {
  std::string api_key = "fakekey123";
  std::string api_secret = "fake-api-secret-for-tests-only";
  std::string rate_limits = "off";  // off, default, or the path of a file
};

// Lives as long as this object. Every step that does not happen throws support::failure. Thread-safe but for
// what runs or ends it.
class stand_in_process {
 public:
  explicit stand_in_process(const stand_in_settings& settings = {});
  ~stand_in_process();

  const std::string& url() const { return url_; }
  const stand_in_settings& settings() const { return settings_; }
  std::filesystem::path secret_file() const { return directory_.path() / "secret"; }

  // {"kind": …}, see faults.h; in place of those before.
  void set_faults(const nlohmann::json& faults, std::uint64_t seed = 0);
  void clear_faults() { set_faults(nlohmann::json::array()); }
  void go_down();
  void come_back();
  void set_clock(std::int64_t now_us);            // stands still there
  void set_clock_offset(std::int64_t offset_us);  // runs, so far off the real one
  void set(const nlohmann::json& settings);       // see service::set_settings()
  nlohmann::json counts() const;                  // see tally.h
  void clear_counts();
  nlohmann::json users() const;  // see service::users()
  void clear_users();

  // Asks as a client does; a connection that broke gives status 0. `token`: empty: the server's own.
  answer ask(const std::string& method, const std::string& path, const nlohmann::json& body = {},
             const std::string& token = {}, const std::map<std::string, std::string>& query = {}) const;

  std::size_t resident_memory_bytes() const;
  // SIGTERM; returns its exit code.
  int end();

 private:
  nlohmann::json steer(const std::string& method, const std::string& path,
                       const nlohmann::json& body = nlohmann::json::object()) const;

  const stand_in_settings settings_;
  support::temporary_directory directory_;
  std::unique_ptr<support::process> program_;
  std::string url_, control_url_;
};

}  // namespace restante::stream_stand_in
