// The journal's limit, reached while PostgreSQL is away.
#include "office_under_load.h"

namespace restante::faults {
namespace {

using full_journals = office_under_load;

// A client of the test's own, beside the load: acknowledges only what it is told to.
support::connect_settings account(const std::string& name) {
  return {.client_id = name, .user = name, .password = "faults"};
}

TEST_F(full_journals, hold_the_flooder_first_then_all_and_take_acknowledgements_still) {
  open({.rate = 1'000, .payload_bytes = 4'000, .flooders = 1},
       {.options = {{"journal_limit", "16MB"}, {"sender_limit", "300"}}});
  // Somebody received a message, and acknowledges it when the journal is full.
  const std::string slow = name_of_recipient(63);
  support::raw_mqtt sender(broker().port()), recipient(broker().port());
  sender.login(account(name_of_publisher(63)));
  recipient.login(account(slow));
  recipient.subscribe({"direct/" + slow + "/#"});
  sender.publish({.topic = "direct/" + slow + "/" + name_of_publisher(63) + "/one"});
  recipient.expect_publish();

  note_fault();
  postgres().freeze();
  const std::string flooder = name_of_publisher(0);
  wait_while_it_goes_on("sender_limit holds the flooder", [&] {
    return broker().log_text().find(flooder + " has reached sender_limit") != std::string::npos;
  });
  const std::uint64_t flood = load().flood;
  const std::uint64_t others = load().accepted - flood;
  // Acknowledgements under way make a little room for it still.
  wait_while_it_goes_on("the others go on", [&] { return load().accepted - load().flood >= others + 500; });
  EXPECT_LT(load().flood, flood + 100);
  wait_while_it_goes_on("the journal is full", [&] {
    return broker().log_text().find("the journal takes no more") != std::string::npos;
  });
  wait_while_it_goes_on("all senders are disconnected", [&] { return load().publishers_connected == 0; });
  EXPECT_TRUE(support::is_success(
      recipient.publish({.topic = "ack/" + slow, .payload = name_of_publisher(63) + "/one\n"})));
  // Neither what was accepted nor the acknowledgement is forgotten: in the end nothing waits.
  crash_broker();
  postgres().thaw();
  publish_some();
  finish("journal's limit");
}

}  // namespace
}  // namespace restante::faults
