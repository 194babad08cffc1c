// Paho C looks for answers of a new connection only when its one receiving thread returns from waiting on the
// old ones: a second client of the same process takes 2 s to connect. A client of our own, whose server sends
// it something every few milliseconds, keeps that thread from waiting so long.
#pragma once

#include <memory>

namespace restante::support {

class paho_waker {
 public:
  // One for the process, made when first wanted.
  static paho_waker& instance();

  // Paho is kept awake while this lives.
  class hold {
   public:
    hold();
    ~hold();
    hold(const hold&) = delete;
    hold& operator=(const hold&) = delete;
  };

  ~paho_waker();
  paho_waker(const paho_waker&) = delete;
  paho_waker& operator=(const paho_waker&) = delete;

 private:
  paho_waker();
  class implementation;
  std::unique_ptr<implementation> how_;
};

}  // namespace restante::support
