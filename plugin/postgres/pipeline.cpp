#include "postgres/pipeline.h"

#include <libpq-fe.h>

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "postgres/wire.h"

namespace restante {
namespace {

// More than this is not left for libpq to hold, since its buffer never shrinks.
constexpr std::size_t large_bytes = 1u << 20;

}  // namespace

class pipeline::implementation {
 public:
  explicit implementation(wire& on) : on_(on) {}

  ~implementation() {
    if (is_over_ || !on_.is_usable()) return;
    // A sync would commit what has not failed.
    if (failure_) {
      static_cast<void>(finish());
    } else {
      on_.close();
    }
  }
  implementation(const implementation&) = delete;
  implementation& operator=(const implementation&) = delete;

  std::size_t add(const statement& prepared, std::span<const parameter> parameters) {
    const wire_parameters sent(parameters);
    const std::string name(prepared.name);
    if (!on_.is_prepared(name) && preparing_.insert(name).second) {
      expect(on_.is_usable() && PQsendPrepare(on_.handle(), name.c_str(), std::string(prepared.sql).c_str(),
                                              sent.count(), sent.types.data()) == 1,
             name);
    }
    expect(
        on_.is_usable() && PQsendQueryPrepared(on_.handle(), name.c_str(), sent.count(), sent.values.data(),
                                               sent.lengths.data(), sent.formats.data(), 1) == 1,
        "");
    if (sent.size_bytes >= large_bytes && on_.is_usable()) {
      on_.start_deadline();
      if (auto flushed = on_.flush(); !flushed) fail(flushed.error());
    }
    return awaited_.size() + read_ - 1;
  }

  result<answer_handle> answer(std::size_t place) {
    if (on_.is_usable() && place >= read_) {
      if (PQsendFlushRequest(on_.handle()) != 1) return on_.broken();
      on_.start_deadline();
      if (auto flushed = on_.flush(); !flushed) return flushed.error();
    }
    answer_handle last;
    while (place >= read_ && !failure_ && on_.is_usable()) last = read_one();
    if (failure_) return *failure_;
    if (!on_.is_usable() || !last) return on_.broken();
    return last;
  }

  result<void> finish() {
    is_over_ = true;
    if (on_.is_usable()) {
      if (PQpipelineSync(on_.handle()) != 1) return on_.broken();
      on_.start_deadline();
      if (auto flushed = on_.flush(); !flushed) return flushed.error();
      while (!awaited_.empty() && on_.is_usable()) read_one();
      if (on_.is_usable()) read_sync();
    }
    if (failure_) return *failure_;
    if (!on_.is_usable()) return on_.broken();
    return {};
  }

 private:
  // `prepares`: the name of what is prepared by it; empty: an answer is.
  void expect(bool is_sent, std::string prepares) {
    awaited_.push_back(std::move(prepares));
    if (!is_sent) fail(on_.broken());
  }

  void fail(database_error why) {
    if (why.kind == database_failure::unreachable) on_.close();
    if (!failure_) failure_ = std::move(why);
  }

  answer_handle read_one() {
    const std::string prepares = std::move(awaited_.front());
    awaited_.pop_front();
    ++read_;
    on_.start_deadline();
    answer_handle last;
    bool is_good = false;
    for (;;) {
      auto got = on_.next();
      if (!got) {
        fail(got.error());
        return nullptr;
      }
      if (!*got) break;
      // What the server passes over has failed before.
      if (PQresultStatus(got->get()) == PGRES_PIPELINE_ABORTED) continue;
      auto error = wire::error_in(got->get());
      is_good = !error;
      if (error) fail(std::move(*error));
      if (!on_.is_usable()) return nullptr;
      last = std::move(got).value();
    }
    if (is_good && !prepares.empty()) on_.remember_prepared(prepares);
    return last;
  }

  // The commit may fail too.
  void read_sync() {
    on_.start_deadline();
    for (int nothing = 0;;) {
      auto got = on_.next();
      if (!got) return fail(got.error());
      if (!*got) {
        if (++nothing > 2) return fail(on_.broken());
        continue;
      }
      if (PQresultStatus(got->get()) == PGRES_PIPELINE_SYNC) break;
      if (auto error = wire::error_in(got->get())) fail(std::move(*error));
      if (!on_.is_usable()) return;
    }
    if (PQexitPipelineMode(on_.handle()) != 1) fail(on_.broken());
  }

  wire& on_;
  std::set<std::string> preparing_;  // by this pipeline
  std::deque<std::string> awaited_;  // sent and not answered
  std::size_t read_ = 0;             // answered
  std::optional<database_error> failure_;
  bool is_over_ = false;
};

pipeline::pipeline(std::unique_ptr<implementation> how) : how_(std::move(how)) {}
pipeline::pipeline(pipeline&&) noexcept = default;
pipeline::~pipeline() = default;

result<pipeline> pipeline::begin(connection& on) {
  if (!on.is_usable() || PQenterPipelineMode(on.how_->handle()) != 1) return on.how_->broken();
  return pipeline(std::make_unique<implementation>(*on.how_));
}

std::size_t pipeline::add(const statement& prepared, std::span<const parameter> parameters) {
  return how_->add(prepared, parameters);
}

std::size_t pipeline::add(const statement& prepared, std::initializer_list<parameter> parameters) {
  return how_->add(prepared, std::span<const parameter>(parameters.begin(), parameters.size()));
}

result<rows> pipeline::answer(std::size_t place) {
  auto got = how_->answer(place);
  if (!got) return got.error();
  return rows(got->release());
}

result<void> pipeline::finish() { return how_->finish(); }

}  // namespace restante
