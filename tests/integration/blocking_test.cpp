// An account that blocks another hears nothing of it, and the other cannot tell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "support/post_office_fixture.h"

namespace restante {
namespace {

using namespace support;

class blocking : public post_office_fixture {
 protected:
  void block(const std::string& who, const std::string& whom) {
    sql("insert into restante.block (account_id, blocked_id) select a.id, b.id from restante.account a, "
        "restante.account b where a.name = '" +
        who + "' and b.name = '" + whom + "'");
  }
  // Whether bob hears the next message of alice. He hears dave's behind it in any case.
  bool bob_hears(mqtt_message message) {
    const std::string number = std::to_string(++sent_);
    message.topic += number;
    EXPECT_EQ(alice_->publish(message), 0) << "the same answer, blocked or not";
    EXPECT_EQ(dave_->publish(direct("bob", "dave", "d" + number)), 0);
    bool heard = false;
    while (true) {
      const auto next = bob_->expect_publish();
      bob_->acknowledge(next);
      const auto key = next.topic.substr(next.topic.find('/', next.topic.find('/') + 1) + 1);
      bob_->publish(acknowledgement_of("bob", {key}));
      if (next.topic == "direct/bob/dave/d" + number) return heard;
      EXPECT_EQ(next.topic, message.topic);
      heard = true;
    }
  }
  void open_with_all_there() {
    open();
    bob_.emplace(raw(account("bob")));
    bob_->subscribe({"direct/bob/#", "group/crew/#"});
    alice_.emplace(raw(account("alice")));
    dave_.emplace(raw(account("dave")));
  }

  std::optional<raw_mqtt> alice_, bob_, dave_;
  int sent_ = 0;
};

TEST_F(blocking, is_in_force_on_open_connections_until_it_is_taken_back) {
  open_with_all_there();
  const auto to_bob = direct("bob", "alice", "m"), to_crew = to_group("crew", "alice", "g");
  EXPECT_TRUE(bob_hears(to_bob));
  EXPECT_TRUE(bob_hears(to_crew));
  block("bob", "alice");
  ASSERT_TRUE(eventually([&] { return !bob_hears(to_bob); }));
  EXPECT_FALSE(bob_hears(to_crew));
  auto live = to_bob;
  live.qos = 0;
  live.topic = "direct/bob/alice/live";
  alice_->publish(live);
  live.topic += "-twice";
  alice_->publish(live);
  EXPECT_FALSE(bob_hears(to_bob)) << "nor the live copies before it";
  EXPECT_TRUE(eventually([&] {
    return sql("select count(*) from restante.dead_letter where reason = 'blocked' and message_id = 'm" +
               std::to_string(sent_) + "'") == "1";
  }));
  sql("delete from restante.block");
  EXPECT_TRUE(eventually([&] { return bob_hears(to_bob); }));
  EXPECT_TRUE(bob_hears(to_crew));
  wait_until_waiting("bob", 0);
}

TEST_F(blocking, goes_one_way) {
  open_with_all_there();
  block("alice", "bob");
  EXPECT_TRUE(bob_hears(direct("bob", "alice", "m")));
}

}  // namespace
}  // namespace restante
