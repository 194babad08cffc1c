#include "postgres/store_session.h"

#include <chrono>
#include <utility>

#include "postgres/batch_statements.h"
#include "postgres/describe_error.h"

namespace restante {

std::int64_t wall_clock_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

result<void> roll_partitions(connection& of, std::int64_t retention_us) {
  const auto rolled = of.execute("select made from restante_roll(make_interval(secs => $1), 7)",
                                 {static_cast<double>(retention_us) / 1e6});
  if (!rolled) return rolled.error();
  return {};
}

void store_session::close() {
  connection_.reset();
  is_ready_ = false;
}

result<store_ready, session_failure> store_session::open() {
  is_ready_ = false;
  const auto failed = [&](const database_error& error) {
    close();
    return session_failure{describe(error), false};
  };
  if (!connection_) {
    auto opened = connection::open({.database = settings_.database,
                                    .application_name = "restante broker",
                                    .connect_timeout = std::chrono::seconds{2},
                                    .statement_timeout = settings_.statement_timeout,
                                    .interruption = breaks_.descriptor()});
    if (!opened) return failed(opened.error());
    connection_ = std::move(opened).value();
    if (auto set = connection_->execute_script(fast_path_settings); !set) return failed(set.error());
  }
  const auto alone = take_lock();
  if (!alone) return failed(alone.error());
  if (!*alone) {
    return session_failure{
        "another broker uses this database: one at a time, give this one a database of its own", true};
  }
  auto ready = look_around();
  if (!ready) return failed(ready.error());
  is_ready_ = true;
  return *ready;
}

result<bool> store_session::take_lock() {
  const auto locked =
      connection_->execute("select pg_try_advisory_lock(hashtextextended('restante broker', 0))");
  if (!locked) return locked.error();
  return (*locked)[0].boolean(0);
}

result<store_ready> store_session::look_around() {
  // Without its locks just now, it can wait: partitions are made a week ahead.
  const auto rolled = roll_partitions(*connection_, settings_.retention_us);
  if (!rolled && rolled.error().kind != database_failure::conflict) return rolled.error();
  is_rolled_ = rolled.ok();
  const std::int64_t before_us = wall_clock_us();
  const auto answer = connection_->execute(
      "update broker set version = $1, topic_prefix = $2, started_at = now()"
      " returning stored_through, (extract(epoch from clock_timestamp()) * 1000000)::bigint",
      {settings_.version, settings_.topic_prefix});
  if (!answer) return answer.error();
  if (answer->empty())
    return database_error{database_failure::other, "", "the table restante.broker is empty"};
  const std::int64_t after_us = wall_clock_us();
  clock_offset_us_ = (*answer)[0].int64(1) - before_us - (after_us - before_us) / 2;
  return store_ready{(*answer)[0].int64(0), clock_offset_us_};
}

}  // namespace restante
