// The durable topics, parsed once:
//
//   direct/{to}/{from}/{id}   group/{group}/{from}/{id}   ack/{me}   receipt/{from}/{by}/{id}
//   service/{name}/{from}/{id}   answer/{to}/{name}/{id}
//
// and profile/{account}, which is not kept, and where the plugin alone speaks.
//
// Views point into the text that was parsed.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <variant>

namespace restante {

struct direct_topic {
  std::string_view to, from, id;
};
struct group_topic {
  std::string_view group, from, id;
};
struct acknowledge_topic {
  std::string_view by;
};
struct receipt_topic {
  std::string_view from, by, id;  // `by` tells `from` of the message `id`
};
// A request to whoever is granted the service, and what that account answers.
struct request_topic {
  std::string_view name, from, id;
};
struct answer_topic {
  std::string_view to, name, id;  // `id` is that of the request
};
// What an account shows of itself.
struct profile_topic {
  std::string_view account;
};
// A durable root, or below one, but of none of the shapes: refused, with what is wrong.
struct malformed_topic {
  std::string_view why;  // lives for ever, fit for a log
};
// Not Restante's: judged by the rules alone.
struct ordinary_topic {};

using parsed_topic =
    std::variant<ordinary_topic, malformed_topic, direct_topic, group_topic, acknowledge_topic, receipt_topic,
                 request_topic, answer_topic, profile_topic>;

// `topic` with the operator's prefix already taken off.
parsed_topic parse_topic(std::string_view topic) noexcept;

// `{from}/{id}` in direct, group and service topics; empty in others.
std::string_view key_text(const parsed_topic& topic) noexcept;

// The account that speaks in this topic; empty for ordinary and malformed ones; for answers, where whoever
// is granted the service speaks; and for profiles.
std::string_view speaker(const parsed_topic& topic) noexcept;

// Kept until handed over, acknowledged by nobody, and known by its whole topic: receipts and answers.
bool is_kept_until_handed_over(const parsed_topic& topic) noexcept;
bool is_kept_until_handed_over(std::string_view topic) noexcept;

// Profiles count among them: nobody else publishes there, and what is heard is not the broker's to route.
inline constexpr std::array<std::string_view, 7> durable_roots = {"direct",  "group",  "ack",    "receipt",
                                                                  "service", "answer", "profile"};

// Whether the first level of a topic or filter (prefix taken off) is a durable root.
bool is_durable_root(std::string_view first_level) noexcept;
std::string_view first_level(std::string_view topic_or_filter) noexcept;

// The option `topic_prefix`: every durable topic begins with it.
class topic_prefix {
 public:
  topic_prefix() = default;
  // `text` may be empty, and may or may not end in `/`.
  explicit topic_prefix(std::string_view text);
  // What follows the prefix; the whole with `inside` false if it does not begin with it.
  struct stripped {
    std::string_view rest;
    bool inside;
  };
  stripped strip(std::string_view topic_or_filter) const noexcept;
  // What is behind the prefix; ordinary, if the topic does not begin with it.
  parsed_topic parse(std::string_view topic) const noexcept;
  std::string prepend(std::string_view topic) const;
  const std::string& text() const noexcept { return text_; }  // empty, or ends in `/`

 private:
  std::string text_;
};

}  // namespace restante
