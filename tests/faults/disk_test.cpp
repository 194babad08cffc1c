// The journal's file system is full, or read-only.
#include "office_under_load.h"
#include "small_file_system.h"
#include "support/failure.h"

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

TEST_F(disks, that_the_journal_fills_itself_are_emptied_once_postgresql_is_back) {
  const support::temporary_directory folder;
  const small_file_system disk(folder.path(), "32m");
  open({.payload_bytes = 2'000},
       {.options = {{"journal", folder.path() / "journal"}, {"journal_limit", "64MB"}}});
  publish_some();
  note_fault();
  postgres().freeze();
  // Where a test may not mount, it has to be said.
  faults().disk_is_full = !disk.is_mounted();
  wait_while_it_goes_on("the journal is full", [&] { return says("the journal takes no more"); });
  wait_while_it_goes_on("all senders are disconnected", [&] { return load().publishers_connected == 0; });
  faults().disk_is_full = false;
  postgres().thaw();
  publish_some();
  finish(disk.is_mounted() ? "journal's file system filled by it"
                           : "journal's file system full (by preload)");
}

TEST_F(disks, that_are_read_only_refuse_the_start) {
  open();
  publish_some();
  faults().disk_is_read_only = true;
  const std::size_t before = broker().log_text().size();
  EXPECT_THROW(crash_broker(), support::failure);
  EXPECT_NE(broker().log_text().find("(Read-only file system): mount", before), std::string::npos);
  faults().disk_is_read_only = false;
  broker().start();
  publish_some();
  finish("journal read-only at the start");
}

}  // namespace
}  // namespace restante::faults
