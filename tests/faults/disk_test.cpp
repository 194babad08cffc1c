// The journal's file system is full, or read-only.
#include "office_under_load.h"

namespace restante::faults {
namespace {

class disks : public office_under_load {
 protected:
  void fill() {
    open({.payload_bytes = 1'000});
    publish_some();
    note_fault();
    faults().disk_is_full = true;
    wait_while_it_goes_on("the journal is full", [&] { return says("the journal takes no more"); });
  }
  bool says(const char* text) { return broker().log_text().find(text) != std::string::npos; }
};

TEST_F(disks, without_room_for_the_journal_put_publishes_off_until_there_is_some) {
  fill();
  faults().disk_is_full = false;
  publish_some();
  finish("journal's file system full");
}

TEST_F(disks, without_room_for_the_journal_lose_nothing_in_a_crash) {
  fill();
  note_fault();
  broker().kill();
  faults().disk_is_full = false;
  broker().start();
  publish_some();
  finish("journal's file system full, kill -9 of the broker");
}

TEST_F(disks, that_are_read_only_at_the_start_let_nobody_in) {
  open();
  publish_some();
  faults().disk_is_read_only = true;
  const std::size_t before = broker().log_text().size();
  crash_broker();
  broker().wait_for_log("the file system is read-only", before);
  const std::uint64_t put_off = load().logins_put_off;
  wait_while_it_goes_on("logins are put off", [&] { return load().logins_put_off > put_off; });
  EXPECT_EQ(load().publishers_connected, 0U);
  faults().disk_is_read_only = false;
  crash_broker();
  publish_some();
  finish("journal read-only at the start");
}

}  // namespace
}  // namespace restante::faults
