// A descriptor that poll() finds readable once somebody has signalled it (eventfd). Threads: any.
#pragma once

namespace restante {

class event_descriptor {
 public:
  // Throws std::system_error if there is none to be had.
  event_descriptor();
  ~event_descriptor();
  event_descriptor(const event_descriptor&) = delete;
  event_descriptor& operator=(const event_descriptor&) = delete;

  int get() const noexcept { return descriptor_; }
  void signal() noexcept;
  void clear() noexcept;

 private:
  const int descriptor_;
};

}  // namespace restante
