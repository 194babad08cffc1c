// What clients should not do, and others who must not notice.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "support/post_office_fixture.h"

namespace restante {

class bad_input : public support::post_office_fixture {
 protected:
  // Opens, with dave writing to carol while others do what they do.
  void open_with_witnesses(const support::broker_settings& settings = {}) {
    open(settings);
    carol_.emplace(raw(support::account("carol")));
    carol_->subscribe({"direct/carol/#"});
    dave_.emplace(raw(support::account("dave")));
  }

  // A message goes through, and nothing else came before it.
  void expect_others_unaffected() {
    ASSERT_TRUE(broker().running()) << broker().log_text();
    const auto witness = support::direct("carol", "dave", "w" + std::to_string(++witnesses_), "still here");
    EXPECT_EQ(dave_->publish(witness), 0);
    const auto heard = carol_->expect_publish();
    EXPECT_EQ(heard.topic, witness.topic);
    EXPECT_EQ(heard.payload, witness.payload);
    carol_->acknowledge(heard);
  }
  // Of this sender, once all that was accepted before is stored.
  void expect_nothing_kept_from(const std::string& sender) {
    expect_others_unaffected();
    wait_until_waiting("carol", witnesses_);
    EXPECT_EQ(sql("select count(*) from restante.waiting where sender = '" + sender + "'"), "0");
    EXPECT_EQ(sql("select count(*) from restante.dead_letter where sender = '" + sender + "'"), "0");
  }

 private:
  std::optional<support::raw_mqtt> carol_, dave_;
  int witnesses_ = 0;
};

}  // namespace restante
