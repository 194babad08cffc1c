// A rule check allocates nothing: counted by this executable's own operator new.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <utility>

#include "core/policy.h"

namespace {
thread_local std::size_t allocations = 0;

void* allocate(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
}  // namespace

// The array and nothrow forms come back to these.
void* operator new(std::size_t bytes) { return allocate(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace restante {
namespace {

account_record large_account() {
  account_record record;
  record.name = "alice";
  record.active = true;
  for (int i = 0; i < 100; ++i) record.groups.push_back({"a-group-with-a-long-name-" + std::to_string(i)});
  const auto add = [&](rule_effect effect, rule_action action, std::string filter) {
    rule made{
        static_cast<std::int64_t>(record.rules.size()), effect, action, std::move(filter), true, {}, {}};
    record.rules.push_back(std::move(made));
  };
  for (const auto action : {rule_action::publish, rule_action::subscribe}) {
    add(rule_effect::deny, action, "a/long/filter/which/nobody/asks/for/%u/%c/%g");
    add(rule_effect::allow, action, "device/a-prefix-longer-than-a-small-string-%c/#");
    add(rule_effect::allow, action, "direct/+/%u/+");
    add(rule_effect::allow, action, "direct/%u/#");
    add(rule_effect::allow, action, "group/%g/#");
    add(rule_effect::allow, action, "plain/#");
  }
  return record;
}

TEST(policy, judges_without_allocation) {
  const policy judge(large_account(), topic_prefix("a/prefix/that/is/longer/than/a/small/string"));
  const std::string prefix = "a/prefix/that/is/longer/than/a/small/string/";
  const std::string client_id = "a-client-id-longer-than-a-small-string";
  const std::string topics[] = {
      prefix + "direct/bob/alice/01ARZ3NDEKTSV4RRFFQ69G5FAV",
      prefix + "direct/bob/mallory/01ARZ3NDEKTSV4RRFFQ69G5FAV",
      prefix + "group/a-group-with-a-long-name-77/alice/01ARZ3NDEKTSV4RRFFQ69G5FAV",
      prefix + "device/a-prefix-longer-than-a-small-string-" + client_id + "/state",
      prefix + "direct/malformed",
      prefix + "plain/of/no/durable/root",
      "outside/the/prefix/altogether/and/long/enough",
  };
  const std::string filters[] = {
      prefix + "direct/alice/#",
      prefix + "direct/#",
      prefix + "group/a-group-with-a-long-name-77/#",
      prefix + "device/a-prefix-longer-than-a-small-string-" + client_id + "/+/x",
      prefix + "ack/alice",
      "$share/a-group-of-subscribers/" + prefix + "plain/#",
      "$share/a-group-of-subscribers/" + prefix + "direct/alice/#",
      "#",
      "not#well-formed-and-longer-than-a-small-string",
  };
  int allowed = 0;
  const auto before = allocations;
  for (const auto& topic : topics) {
    allowed += judge.may_publish(client_id, topic) ? 1 : 0;
    allowed += judge.may_hear(client_id, topic) ? 1 : 0;
  }
  for (const auto& filter : filters) allowed += judge.may_subscribe(client_id, filter) ? 1 : 0;
  EXPECT_EQ(allocations - before, 0U);
  EXPECT_GT(allowed, 8);  // else the checks were cut short
}

TEST(policy, counts_allocations_at_all) {
  const auto before = allocations;
  const std::string text(1'000, 'x');
  EXPECT_EQ(allocations - before, 1U) << text;
}

}  // namespace
}  // namespace restante
