#include "core/session.h"

#include <gtest/gtest.h>

namespace restante {
namespace {

const auto crew = std::make_shared<const std::string>("crew");

TEST(session, hears_by_the_best_of_its_filters) {
  session here;
  here.filters = {{"direct/bert/#", 0}, {"direct/bert/anna/+", 1}, {"group/crew/#", 2}};
  EXPECT_EQ(here.hears("direct/bert/anna/m1"), hearing::kept);
  EXPECT_EQ(here.subscribed_qos("direct/bert/anna/m1"), 1);
  EXPECT_EQ(here.hears("direct/bert/cleo/m1"), hearing::live_only);
  EXPECT_EQ(here.subscribed_qos("direct/bert/cleo/m1"), 0);
  EXPECT_EQ(here.subscribed_qos("group/crew/anna/m1"), 2);
  EXPECT_EQ(here.hears("receipt/bert/anna/m1"), hearing::not_at_all);
  EXPECT_EQ(here.subscribed_qos("receipt/bert/anna/m1"), -1);
}

TEST(session, hears_everything_while_its_filters_are_unknown) {
  session here;
  here.filters_unknown = true;
  EXPECT_EQ(here.hears("direct/bert/anna/m1"), hearing::kept);
  EXPECT_EQ(here.subscribed_qos("direct/bert/anna/m1"), 2);
  EXPECT_TRUE(here.wants_mail());
}

TEST(session, wants_mail_by_a_filter_above_qos_0_only) {
  session here;
  EXPECT_FALSE(here.wants_mail());
  here.filters = {{"direct/bert/#", 0}};
  EXPECT_FALSE(here.wants_mail());
  here.filters.push_back({"group/crew/#", 1});
  EXPECT_TRUE(here.wants_mail());
}

TEST(session, counts_what_it_holds_once) {
  session here;
  here.hold(1, 0, 100, nullptr);
  here.hold(2, 7, 10, crew);
  EXPECT_EQ(here.held_bytes, 110U);
  EXPECT_EQ(here.held_without_number, 1U);
  here.hold(1, 6, 40, nullptr);  // the same again, by its number
  EXPECT_EQ(here.held.size(), 2U);
  EXPECT_EQ(here.held_bytes, 50U);
  EXPECT_EQ(here.held_without_number, 0U);
  EXPECT_EQ(here.held.find(1)->number, 6);
  here.hold(2, 0, 20, crew);
  EXPECT_EQ(here.held_bytes, 60U);
  EXPECT_EQ(here.held_without_number, 1U);
}

TEST(session, releases_what_it_holds_and_nothing_else) {
  session here;
  here.hold(1, 0, 100, nullptr);
  here.hold(2, 7, 10, crew);
  held_message was;
  EXPECT_FALSE(here.release(3, was));
  EXPECT_FALSE(here.release(4, was));
  EXPECT_TRUE(here.release(2, was));
  EXPECT_EQ(was.number, 7);
  EXPECT_EQ(was.group, crew);
  EXPECT_EQ(was.place, unknown_place);
  EXPECT_EQ(here.held_bytes, 100U);
  EXPECT_EQ(here.held_without_number, 1U);
  EXPECT_TRUE(here.release(1));
  EXPECT_FALSE(here.release(1));
  here.hold(5, 8, 10, nullptr, 77);
  EXPECT_TRUE(here.release(5, was));
  EXPECT_EQ(was.place, 77U);
  EXPECT_EQ(was.group, nullptr);
  EXPECT_EQ(here.held_bytes, 0U);
  EXPECT_EQ(here.held_without_number, 0U);
  EXPECT_TRUE(here.held.empty());
}

}  // namespace
}  // namespace restante
