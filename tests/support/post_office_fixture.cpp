#include "support/post_office_fixture.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>

#include "support/eventually.h"
#include "support/failure.h"

namespace restante::support {
namespace {

program command_line(const database& where, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), RESTANTE_PROGRAM);
  return {.arguments = std::move(arguments), .environment = {{"RESTANTE_DATABASE", where.owner}}};
}

// The broker answers no sooner than the database does, and not at all when that takes long: clients try
// again.
bool is_put_off(int reason) { return reason == -1 || reason == 3 || reason == 0x88; }

struct hashed_password {
  const char *account, *hash;
};
// Each account's name as its password, at next to no cost: as hashed by `restante`, a login takes 20 ms, and
// many times that under a sanitizer, of the fifth of a second that all logins of a second may have together.
constexpr hashed_password cheap_passwords[] = {
    {"alice", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$U2k035xkkGUJjZPZClOuPQ"},
    {"bob", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$lYV/jly4bTG78WC1JpA68Q"},
    {"carol", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$7njn3+ktHgVzJ2cN+nEJUA"},
    {"dave", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$5DijHmyLF8Vzldgfz8qZFw"}};

// As many clients wait, so that the broker's log stays readable.
constexpr std::chrono::milliseconds retry_pause{50};

failure refused(const connect_settings& who, int reason) {
  return failure(who.user + " was refused with reason " + std::to_string(reason));
}

template <typename Value>
Value must(result<Value> got) {
  if (!got) throw failure(got.error().message);
  return std::move(got).value();
}

void furnish(const database& fresh) {
  migrated().prepare(fresh);
  for (const auto& [account, hash] : cheap_passwords) {
    run_or_fail(command_line(fresh, {"user", "add", account, "--password-stdin"}),
                std::string(account) + "\n");
    query(fresh.owner, "update restante.account set password_hash = '" + std::string(hash) +
                           "' where name = '" + account + "'");
  }
  run_or_fail(command_line(fresh, {"group", "add", "crew"}));
  for (const std::string name : {"alice", "bob", "carol"}) {
    run_or_fail(command_line(fresh, {"group", "join", "crew", name}));
  }
}

}  // namespace

const recipe& furnished() {
  static const recipe how{.name = "furnished", .prepare = furnish};
  return how;
}

mqtt_message direct(const std::string& to, const std::string& from, const std::string& id,
                    const std::string& payload) {
  return {.topic = "direct/" + to + "/" + from + "/" + id, .payload = payload};
}

mqtt_message to_group(const std::string& group, const std::string& from, const std::string& id,
                      const std::string& payload) {
  return {.topic = "group/" + group + "/" + from + "/" + id, .payload = payload};
}

mqtt_message acknowledgement_of(const std::string& by, const std::vector<std::string>& keys) {
  mqtt_message result{.topic = "ack/" + by};
  for (const std::string& key : keys) result.payload += key + "\n";
  return result;
}

mqtt_message receipt(const std::string& to, const std::string& by, const std::string& id,
                     const std::string& state) {
  return {.topic = "receipt/" + to + "/" + by + "/" + id, .payload = state};
}

connect_settings account(const std::string& name, mqtt_version version) {
  return {.client_id = name, .user = name, .password = name, .version = version};
}

connect_settings lasting(const std::string& name, mqtt_version version) {
  connect_settings result = account(name, version);
  result.clean = false;
  if (version == mqtt_version::v5) result.session_expiry_s = 3'600;
  return result;
}

post_office_fixture::post_office_fixture(postgres_server& postgres)
    : mail_(postgres.create_database(furnished())) {}

void post_office_fixture::TearDown() {
  if (broker_ && broker_->started()) broker_->stop();
}

void post_office_fixture::open(broker_settings settings) {
  database_is_ours_ = settings.options.try_emplace("database", mail_.broker).second;
  broker_ = std::make_unique<mosquitto_broker>(settings);
  wait_for_database(0);
}

void post_office_fixture::restart() {
  const std::size_t before = broker().log_text().size();
  broker().restart();
  wait_for_database(before);
}

void post_office_fixture::crash_and_restart() {
  const std::size_t before = broker().log_text().size();
  broker().kill();
  broker().start();
  wait_for_database(before);
}

void post_office_fixture::wait_for_database(std::size_t log_from) {
  if (database_is_ours_) broker().wait_for_log("the database is reached", log_from);
}

mosquitto_broker& post_office_fixture::broker() {
  if (!broker_) throw failure("the test has not called open()");
  return *broker_;
}

paho_client post_office_fixture::paho(const connect_settings& who) {
  paho_client client(broker().port(), who);
  int reason = 0;
  const bool answered = eventually(
      [&] {
        reason = client.try_connect();
        return !is_put_off(reason);
      },
      patience, retry_pause);
  if (!answered || reason != 0) throw refused(who, reason);
  return client;
}

raw_mqtt post_office_fixture::raw(const connect_settings& who) {
  std::optional<raw_mqtt> client;
  int reason = 0;
  const bool answered = eventually(
      [&] {
        client.emplace(broker().port());
        const std::optional<connection_answer> answer = client->try_connect(who);
        reason = answer ? answer->reason : -1;
        return !is_put_off(reason);
      },
      patience, retry_pause);
  if (!answered || reason != 0) throw refused(who, reason);
  return std::move(*client);
}

connection& post_office_fixture::watching() {
  if (!watching_ || !watching_->is_usable()) {
    watching_ = std::make_unique<connection>(must(connection::open({.database = mail_.owner})));
  }
  return *watching_;
}

std::int64_t post_office_fixture::waiting(const std::string& name) {
  const auto count = [&] {
    return watching().execute("select count(*) from restante.waiting where account = $1", {name});
  };
  auto counted = count();
  if (!counted && !watching_->is_usable()) counted = count();  // an outage has broken the connection
  return must(std::move(counted))[0].int64(0);
}

void post_office_fixture::wait_until_waiting(const std::string& name, std::int64_t count) {
  if (eventually([&] { return waiting(name) == count; })) return;
  throw failure("waiting for " + name + ": " + std::to_string(waiting(name)) + " instead of " +
                std::to_string(count));
}

std::string post_office_fixture::sql(const std::string& statement) const {
  return query(mail_.owner, statement);
}

finished post_office_fixture::run_restante(std::vector<std::string> arguments,
                                           const std::string& input) const {
  return run(command_line(mail_, std::move(arguments)), input);
}

}  // namespace restante::support
