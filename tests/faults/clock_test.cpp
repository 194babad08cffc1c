// The broker's wall clock jumps; PostgreSQL's goes on.
#include "office_under_load.h"

namespace restante::faults {
namespace {

using clocks = office_under_load;

constexpr std::int64_t almost_an_hour_s = 3'590;
constexpr std::int64_t over_an_hour_s = 3'660;
constexpr char refusal[] = "this clock and the database's are more than an hour apart";

TEST_F(clocks, set_back_almost_an_hour_keep_the_order) {
  open();
  publish_some();
  note_fault();
  faults().clock_s = -almost_an_hour_s;
  publish_some();
  crash_broker();
  publish_some();
  finish("clock set back an hour");
}

TEST_F(clocks, set_ahead_almost_an_hour_and_right_again_keep_the_order) {
  open();
  publish_some();
  note_fault();
  faults().clock_s = almost_an_hour_s;
  publish_some();
  crash_broker();
  publish_some();
  note_fault();
  faults().clock_s = 0;
  publish_some();
  crash_broker();
  publish_some();
  finish("clock an hour ahead, and set right");
}

class wrong_clocks : public office_under_load {
 protected:
  void restart_at(std::int64_t clock_s) {
    note_fault();
    broker().kill();
    faults().clock_s = clock_s;
    broker().start();
  }
  // Publishes are refused from the next start on, and taken again when the clock is right.
  void refuse_by(std::int64_t clock_s) {
    open();
    publish_some();
    const std::size_t before = broker().log_text().size();
    restart_at(clock_s);
    broker().wait_for_log(refusal, before);
    const std::uint64_t accepted = load().accepted;
    wait_while_it_goes_on("a publish is put off", [&] {
      return broker().log_text().find("put off, connection closed", before) != std::string::npos;
    });
    const std::uint64_t lost = load().connections_lost;
    wait_while_it_goes_on("more are",
                          [&] { return load().connections_lost >= lost + load().settings.publishers; });
    // Repeats of what was accepted before are answered; there are no more than were under way.
    EXPECT_LE(load().accepted, accepted + load().settings.publishers * load().settings.window);
    restart_at(0);
    publish_some();
  }
};

TEST_F(wrong_clocks, more_than_an_hour_behind_accept_nothing) {
  refuse_by(-over_an_hour_s);
  finish("clock more than an hour behind");
}

TEST_F(wrong_clocks, more_than_an_hour_ahead_accept_nothing) {
  refuse_by(over_an_hour_s);
  finish("clock more than an hour ahead");
}

}  // namespace
}  // namespace restante::faults
