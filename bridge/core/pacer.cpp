#include "bridge/core/pacer.h"

#include <algorithm>
#include <cmath>

namespace restante {

namespace {

constexpr double share = 0.985;
constexpr double least_share = 0.1;  // so that it is noticed when others stop
constexpr double fastest = 1.4;      // times the even pace; the service allows twice
constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t word_lasts_us = 10 * second_us;
constexpr std::int64_t longest_wait_us = 90 * second_us;
constexpr double lately_us = 5e6;
constexpr double beginning_us = 5e6;

}  // namespace

std::int64_t pacer::may_send_at(std::int64_t now_us) const {
  if (now_us < paused_until_us_) return paused_until_us_;
  if (!has_heard_) return under_way_ == 0 ? now_us : never;
  if (!budget_) return now_us;

  std::int64_t at_us = std::max(now_us, sent_us_ + static_cast<std::int64_t>(spacing_us(now_us)));
  if (const double missing = 1 - tokens_at(at_us); missing > 0) {
    at_us += static_cast<std::int64_t>(std::ceil(missing / rate_a_us(now_us)));
  }
  if (must_ask_first(at_us)) return under_way_ == 0 ? at_us : never;
  if (budget_->remaining + freed_since_heard(now_us) - under_way_ > kept_back(now_us)) return at_us;
  if (under_way_ > 0) return never;
  return std::max(at_us, opens_at());
}

void pacer::sent(std::int64_t now_us) {
  if (budget_) {
    refill(now_us);
    tokens_ -= 1;
  }
  sent_us_ = now_us;
  ++under_way_;
}

void pacer::answered(std::uint64_t number, const std::optional<rate_budget>& budget,
                     const service_clock& clock, std::int64_t now_us) {
  --under_way_;
  has_heard_ = true;
  while (!ours_.empty() &&
         (ours_.front() < now_us - window_us - second_us || ours_.size() >= most_remembered)) {
    ours_.pop_front();
  }
  ours_.push_back(now_us);
  if (budget) {
    refill(now_us);
    take_over(number, *budget, clock, now_us);
  }
}

void pacer::lost(std::int64_t now_us) {
  --under_way_;
  if (!budget_) return;
  refill(now_us);
  budget_->remaining = std::max<std::int64_t>(budget_->remaining - 1, 0);
  ++ours_in_window_;
}

void pacer::limited(std::optional<std::int64_t> retry_after_s, double chance, std::int64_t now_us) {
  refusals_ = std::min(refusals_ + 1, 10);
  const auto jitter_us = static_cast<std::int64_t>(chance * static_cast<double>(second_us));
  std::int64_t wait_us = std::min<std::int64_t>(30, std::int64_t{1} << refusals_) * second_us;
  if (retry_after_s) {
    wait_us = *retry_after_s * second_us;
  } else if (budget_ && budget_->remaining == 0 && reset_us_ > now_us &&
             reset_us_ - now_us < longest_wait_us) {
    wait_us = reset_us_ - now_us;
  }
  paused_until_us_ = std::max(paused_until_us_, now_us + wait_us + jitter_us);
}

// Answers overtake each other. Within a window less is left with each request, so the least counts; between
// windows the later reset does.
void pacer::take_over(std::uint64_t number, const rate_budget& said, const service_clock& clock,
                      std::int64_t now_us) {
  const bool is_first = !budget_;
  if (is_first || said.reset_unix_s > budget_->reset_unix_s) {
    if (!is_first) {
      const std::int64_t later_s = said.reset_unix_s - budget_->reset_unix_s;
      slides_ = later_s < 30;
      if (!slides_) {
        others_last_window_ = later_s < 90 ? others_ : 0;
        others_ = 0;
        others_before_ = 0;
        ours_in_window_ = 0;
      }
    }
    if (!slides_ || number > newest_) budget_ = said;
  } else if (said.reset_unix_s == budget_->reset_unix_s) {
    budget_->remaining = std::min(budget_->remaining, said.remaining);
    budget_->limit = said.limit;
  } else {
    return;  // of a window that is over
  }
  if (is_first || now_us - heard_us_ > word_lasts_us) began_us_ = now_us;
  ++ours_in_window_;
  newest_ = std::max(newest_, number);
  heard_us_ = now_us;
  reset_us_ = clock.is_known() ? clock.steady_us(budget_->reset_unix_s) : now_us + window_us;
  if (is_first) others_before_ = budget_->limit - budget_->remaining - 1;
  watch_others(now_us);
}

void pacer::watch_others(std::int64_t now_us) {
  const std::int64_t used = budget_->limit - budget_->remaining - under_way_;
  std::int64_t others =
      used - (slides_ ? static_cast<std::int64_t>(ours_.size()) : ours_in_window_ + others_before_);
  // They only grow in a window, and in the first minute of one that slides; afterwards those that come
  // replace those that go.
  const bool grows = !slides_ || now_us - began_us_ < window_us;
  others = std::max<std::int64_t>(others, grows ? others_ : 0);
  others_lately_ *= std::exp(static_cast<double>(watched_us_ - now_us) / lately_us);
  if (grows) others_lately_ += static_cast<double>(others - others_);
  others_ = others;
  watched_us_ = now_us;
}

double pacer::others_a_minute(std::int64_t now_us) const {
  if (slides_) return static_cast<double>(others_);
  const double still_to_come =
      std::clamp(static_cast<double>(reset_us_ - now_us) / static_cast<double>(window_us), 0.0, 1.0);
  return static_cast<double>(others_) + static_cast<double>(others_last_window_) * still_to_come;
}

double pacer::rate_a_us(std::int64_t now_us) const {
  const double limit = static_cast<double>(budget_->limit);
  const double window = static_cast<double>(window_us);
  const double by_minute = share * (limit - others_a_minute(now_us)) / window;
  // Half of what others took lately is left to them: then two who do likewise meet instead of swinging.
  const double lately = others_lately_ * std::exp(static_cast<double>(watched_us_ - now_us) / lately_us);
  const double begun = std::min(1.0, 0.5 + static_cast<double>(now_us - began_us_) / beginning_us / 2);
  const double by_second = begun * share * limit / window - lately / lately_us / 2;
  return std::max(std::min(by_minute, by_second), least_share * limit / window);
}

double pacer::spacing_us(std::int64_t now_us) const {
  const bool may_catch_up =
      static_cast<double>(now_us - began_us_) > beginning_us && others_a_minute(now_us) < 1;
  if (!may_catch_up) return 1 / rate_a_us(now_us);
  return static_cast<double>(window_us) / static_cast<double>(budget_->limit) / fastest;
}

double pacer::tokens_at(std::int64_t now_us) const {
  const double most = 1 + static_cast<double>(budget_->limit) / 100;
  return std::min(most, tokens_ + rate_a_us(now_us) *
                                      static_cast<double>(std::max<std::int64_t>(now_us - filled_us_, 0)));
}

void pacer::refill(std::int64_t now_us) {
  if (budget_) tokens_ = tokens_at(now_us);
  filled_us_ = now_us;
}

// Left unused, so that what others take meanwhile does not overdraw.
std::int64_t pacer::kept_back(std::int64_t now_us) const {
  const bool alone = others_a_minute(now_us) < 1;
  if (budget_->limit < 100) return alone ? 0 : 1;
  return budget_->limit / (alone ? 150 : 32);
}

// With nothing left: when there will be something again.
std::int64_t pacer::opens_at() const {
  const std::int64_t latest_us = heard_us_ + longest_wait_us;
  const std::int64_t reset_us = std::min(reset_us_, latest_us);
  if (!slides_) return reset_us;
  const auto oldest = std::lower_bound(ours_.begin(), ours_.end(), heard_us_ - window_us);
  return oldest == ours_.end() ? reset_us : std::min(reset_us, *oldest + window_us);
}

bool pacer::must_ask_first(std::int64_t now_us) const {
  if (now_us - heard_us_ > word_lasts_us) return true;
  if (!slides_ && now_us >= reset_us_) return true;
  return budget_->remaining <= kept_back(now_us) && now_us >= opens_at();
}

// Ours that were counted when we last heard, and are over a minute old now.
std::int64_t pacer::freed_since_heard(std::int64_t now_us) const {
  if (!slides_) return 0;
  const auto first = std::lower_bound(ours_.begin(), ours_.end(), heard_us_ - window_us);
  const auto last = std::lower_bound(first, ours_.end(), now_us - window_us);
  return last - first;
}

}  // namespace restante
