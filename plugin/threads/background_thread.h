// Threads beside the broker's: they receive no signals, which are the broker's, and have a table of open
// files of their own, so that they keep no socket of the broker's open and cost it nothing. While threads
// share one table the kernel counts each use of each file: a bare broker with an idle thread beside it needs
// 6 % more processor time a message than with one that has its own table.
//
// Such a thread sees the descriptors below 3 and those it is given, under the same numbers, and what it opens
// itself; nobody else sees that. Where the system does not allow it (before Linux 5.9, or forbidden by a
// sandbox), the table stays shared, so nobody may rely on not seeing a descriptor.
#pragma once

#include <functional>
#include <thread>
#include <vector>

namespace restante {

// `given`: descriptors that the thread needs, opened before. `run` must not throw.
// Throws std::system_error if there is no thread to be had.
std::thread start_background_thread(std::vector<int> given, std::function<void()> run);

// The thread sanitizer takes equal descriptors of two threads for the same file.
#ifdef __SANITIZE_THREAD__
inline constexpr bool may_leave_shared_files = false;
#else
inline constexpr bool may_leave_shared_files = true;
#endif

// What the thread does first. True: from now on its table is its own.
bool leave_shared_files(std::vector<int> given) noexcept;

}  // namespace restante
