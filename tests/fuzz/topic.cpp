// Input: a topic, or `{prefix} LF {topic}`.
#include "core/topic.h"

#include <string>

#include "check.h"
#include "core/filter.h"

namespace {

using namespace restante;
using namespace restante::fuzz;

std::string joined(std::initializer_list<std::string_view> levels) {
  std::string text;
  for (const auto level : levels) {
    if (!text.empty()) text += '/';
    text += level;
  }
  return text;
}

// The topic again, from what was parsed; empty if it is not a durable one.
std::string printed(const parsed_topic& parsed) {
  if (const auto* t = std::get_if<direct_topic>(&parsed)) return joined({"direct", t->to, t->from, t->id});
  if (const auto* t = std::get_if<group_topic>(&parsed)) return joined({"group", t->group, t->from, t->id});
  if (const auto* t = std::get_if<acknowledge_topic>(&parsed)) return joined({"ack", t->by});
  if (const auto* t = std::get_if<receipt_topic>(&parsed)) return joined({"receipt", t->from, t->by, t->id});
  if (const auto* t = std::get_if<request_topic>(&parsed))
    return joined({"service", t->name, t->from, t->id});
  if (const auto* t = std::get_if<answer_topic>(&parsed)) return joined({"answer", t->to, t->name, t->id});
  if (const auto* t = std::get_if<profile_topic>(&parsed)) return joined({"profile", t->account});
  return {};
}

void check_topic(std::string_view text) {
  const auto levels = split(text, '/');
  const bool acknowledges = levels[0] == "ack";
  const bool answers = levels[0] == "answer";
  const bool shows = levels[0] == "profile";
  const bool durable = acknowledges || answers || shows || levels[0] == "direct" || levels[0] == "group" ||
                       levels[0] == "receipt" || levels[0] == "service";
  const bool well_formed = acknowledges || shows ? levels.size() == 2 && is_account(levels[1])
                                                 : levels.size() == 4 && is_account(levels[1]) &&
                                                       is_account(levels[2]) && is_id(levels[3]);

  const parsed_topic parsed = parse_topic(text);
  check(std::holds_alternative<ordinary_topic>(parsed) == !durable, "what has no durable root is ordinary");
  check(std::holds_alternative<malformed_topic>(parsed) == (durable && !well_formed),
        "below a durable root, only the shapes of the table are taken");
  check(is_durable_root(levels[0]) == durable && first_level(text) == levels[0],
        "the root is the first level");
  if (!durable || !well_formed) {
    check(speaker(parsed).empty(), "only durable topics have a speaker");
    return;
  }
  check(printed(parsed) == text, "what is parsed prints back to the same");
  check(speaker(parsed) == (answers || shows ? "" : levels[acknowledges ? 1 : 2]),
        "the speaker stands before the id, but for answers and profiles");
  check(is_kept_until_handed_over(parsed) == (answers || levels[0] == "receipt") &&
            is_kept_until_handed_over(text) == is_kept_until_handed_over(parsed),
        "receipts and answers are kept until they are handed over");
  check(is_topic(text), "a durable topic is a topic name");
}

void check_prefix(std::string_view text, std::string_view topic) {
  const topic_prefix prefix(text);
  check(prefix.text().empty() || prefix.text().ends_with('/'), "a prefix ends in a slash");
  const std::string whole = prefix.prepend(topic);
  const auto [rest, inside] = prefix.strip(whole);
  check(inside && rest == topic, "a prefix comes off as it was put on");
  const auto other = prefix.strip(topic);
  check(other.inside ? prefix.prepend(other.rest) == topic : other.rest == topic,
        "nothing but the prefix is taken off");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto lines = split(text_of(data, size), '\n');
  check_topic(lines.back());
  check_prefix(lines.front(), lines.back());
  return 0;
}
