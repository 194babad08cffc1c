// Stores into a mapped file, without the end of the process when the disk does not take them.
//
// Such a store raises SIGBUS when somebody cut the file, the disk gave an error, or the file system has no
// room after all. If it was within a guarded range, memory that belongs to no file takes the place of the
// whole range, the store goes on there, and take_tripped() says so. Every other SIGBUS is passed on to the
// handler that was there before, or ends the process as if there were no handler.
//
// The handler is there as long as any guard is, unless somebody else put another in its place meanwhile.
//
// Threads: any; one at a time for a guard.
#pragma once

#include <cstddef>

namespace restante {

class bus_guard {
 public:
  bus_guard(char* begin, std::size_t size_bytes);  // from a page's beginning on, or all of a mapping
  ~bus_guard();
  bus_guard(const bus_guard&) = delete;
  bus_guard& operator=(const bus_guard&) = delete;

  bool ok() const { return range_ != nullptr; }  // false: it guards nothing
  // Whether a store since the last call, or any after it, is not in the file. The range is to be mapped
  // again.
  bool take_tripped();

  struct range;

 private:
  range* range_ = nullptr;
};

}  // namespace restante
