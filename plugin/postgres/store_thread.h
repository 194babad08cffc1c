// PostgreSQL as the core wants it: a thread of its own with one connection, which stores batches, reads
// pages, and keeps the store in order in between.
//
// It connects when started and again whenever the connection is lost, with pauses of 100 ms to 5 s. It stores
// nothing until it is alone on the database (an advisory lock) and has said store_ready. A batch that was
// given is kept over lost connections until it is committed. While there is no connection pages fail at once.
//
// Work is taken in turns: the batch, then pages for no longer than a tenth of a second, then one piece of
// maintenance. A page so waits for one batch, and for the pages before it.
//
// Bounds: what store_requests.h says; pages are not read while 64 MB of them were not taken.
// Threads: start(), stop() and the methods of `store` on the broker's thread; none waits but stop().
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/ports.h"
#include "postgres/store_events.h"
#include "postgres/store_settings.h"

namespace restante {

class store_thread final : public store {
 public:
  // `wake` is called whenever there are results, on the store's thread (or within read()); it must be cheap
  // and must not throw.
  store_thread(store_settings settings, std::function<void()> wake);
  ~store_thread() override;  // stops at once
  store_thread(const store_thread&) = delete;
  store_thread& operator=(const store_thread&) = delete;

  // Once. The thread receives no signals. Throws std::system_error if there is no thread to be had.
  void start();

  // Writes what was given, if that is possible until `deadline`, and ends the thread. Returns a second after
  // the deadline at the latest, or, should it be connecting just then, when that has failed: two seconds for
  // each host that does not answer. What take_results() has not taken is still there.
  void stop(std::chrono::steady_clock::time_point deadline);

  void write(store_batch batch) override;
  void read(page_request request) override;
  void report(broker_report report) override;
  void remember_acknowledging(std::string account) override;

  // What became of it all, in the order in which the transactions ran.
  std::vector<store_event> take_results();

 private:
  class worker;
  std::unique_ptr<worker> worker_;
};

}  // namespace restante
