// The journal's file system is full, or read-only.
#include "office_under_load.h"
#include "support/eventually.h"

namespace restante::faults {
namespace {

using disks = office_under_load;

TEST_F(disks, without_room_for_the_journal_put_publishes_off_until_there_is_some) {
  open({.payload_bytes = 1'000});
  publish_some();
  note_fault();
  faults().disk_is_full = true;
  wait_while_it_goes_on("the journal is full", [&] {
    return broker().log_text().find("the journal takes no more") != std::string::npos;
  });
  faults().disk_is_full = false;
  publish_some();
  finish("journal's file system full");
}

TEST_F(disks, without_room_for_the_journal_lose_nothing_in_a_crash) {
  open({.payload_bytes = 1'000});
  publish_some();
  note_fault();
  faults().disk_is_full = true;
  wait_while_it_goes_on("the journal is full", [&] {
    return broker().log_text().find("the journal takes no more") != std::string::npos;
  });
  note_fault();
  broker().kill();
  faults().disk_is_full = false;
  broker().start();
  publish_some();
  finish("journal's file system full, kill -9 of the broker");
}

}  // namespace
}  // namespace restante::faults
