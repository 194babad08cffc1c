#include "support/stream/stand_in_process.h"

#include <httplib.h>
#include <unistd.h>

#include <csignal>
#include <sstream>

#include "crypto/token.h"
#include "support/eventually.h"
#include "support/failure.h"

namespace restante::stream_stand_in {

using nlohmann::json;
using support::failure;

namespace {

httplib::Request request_of(const std::string& method, std::string path, const json& body) {
  httplib::Request asked;
  asked.method = method;
  asked.path = std::move(path);
  if (!body.is_null()) {
    asked.body = body.is_string() ? body.get<std::string>() : body.dump();
    asked.set_header("Content-Type", "application/json");
  }
  return asked;
}

}  // namespace

stand_in_process::stand_in_process(const stand_in_settings& settings) : settings_(settings) {
  support::write_file(secret_file(), settings_.api_secret + '\n');
  const std::filesystem::path output = directory_.path() / "output";
  program_ = std::make_unique<support::process>(support::program{
      .arguments = {RESTANTE_STREAM_STAND_IN, "--api-key", settings_.api_key, "--api-secret-file",
                    secret_file().string(), "--rate-limits", settings_.rate_limits},
      .output = output});
  const auto lines = [&] {
    std::istringstream text(support::read_file(output));
    return static_cast<bool>(std::getline(text, url_) && std::getline(text, control_url_) && !text.eof());
  };
  if (!support::eventually([&] { return lines() || !program_->running(); }) || !lines()) {
    throw failure("stream_stand_in did not start: " + support::read_file(output));
  }
}

stand_in_process::~stand_in_process() = default;

json stand_in_process::steer(const std::string& method, const std::string& path, const json& body) const {
  httplib::Client client(control_url_);
  client.set_read_timeout(std::chrono::seconds{120});
  // A body that the server does not read makes it reset the connection as it closes it.
  const json sent = method == "GET" ? json() : body;
  const httplib::Result result = client.send(request_of(method, "/stand-in/" + path, sent));
  if (!result || result->status != 200) {
    throw failure("stream_stand_in took no " + method + ' ' + path + ": " +
                  (result ? result->body : to_string(result.error())));
  }
  return json::parse(result->body);
}

void stand_in_process::set_faults(const json& faults, std::uint64_t seed) {
  steer("PUT", "faults", {{"faults", faults.is_array() ? faults : json::array({faults})}, {"seed", seed}});
}
void stand_in_process::go_down() { steer("PUT", "down"); }
void stand_in_process::come_back() { steer("DELETE", "down"); }
void stand_in_process::set_clock(std::int64_t now_us) { steer("PUT", "clock", {{"now_us", now_us}}); }
void stand_in_process::set_clock_offset(std::int64_t offset_us) {
  steer("PUT", "clock", {{"offset_us", offset_us}});
}
void stand_in_process::set(const json& settings) { steer("PUT", "settings", settings); }
json stand_in_process::counts() const { return steer("GET", "counts"); }
void stand_in_process::clear_counts() { steer("DELETE", "counts"); }
json stand_in_process::users() const { return steer("GET", "users"); }
void stand_in_process::clear_users() { steer("DELETE", "users"); }

answer stand_in_process::ask(const std::string& method, const std::string& path, const json& body,
                             const std::string& token,
                             const std::map<std::string, std::string>& query) const {
  httplib::Params parameters{{"api_key", settings_.api_key}};
  for (const auto& [name, value] : query) parameters.emplace(name, value);
  httplib::Request asked = request_of(method, httplib::append_query_params(path, parameters), body);
  asked.set_header("stream-auth-type", "jwt");
  asked.set_header("Authorization",
                   token.empty() ? sign_hs256(R"({"server":true})", settings_.api_secret) : token);
  httplib::Client client(url_);
  const httplib::Result result = client.send(asked);
  if (!result) return {0, {}, {}};
  answer got{result->status, {}, result->body};
  for (const auto& [name, value] : result->headers) got.headers[name] = value;
  return got;
}

std::size_t stand_in_process::resident_memory_bytes() const {
  std::istringstream statm(support::read_file("/proc/" + std::to_string(program_->pid()) + "/statm"));
  std::size_t total_pages = 0, resident_pages = 0;
  if (!(statm >> total_pages >> resident_pages)) throw failure("stream_stand_in is gone");
  return resident_pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

int stand_in_process::end() {
  program_->signal(SIGTERM);
  const std::optional<int> code = program_->wait(support::patience);
  if (!code) throw failure("stream_stand_in does not end");
  return *code;
}

}  // namespace restante::stream_stand_in
