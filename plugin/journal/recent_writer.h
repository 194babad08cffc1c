// Puts the fingerprints of one segment aside as they are found, in a file ".recent" (recent_format.h): a few
// blocks at a time, since memory that a thread has used once stays the process's.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "journal/files.h"
#include "journal/journal_format.h"
#include "journal/whole_file.h"

namespace restante {

class recent_writer {
 public:
  recent_writer(files& in, hash_key key, journal_position segment) : in_(in), key_(key), segment_(segment) {}

  // The file is made for the first, in the place of an older one. After an error nothing more is written.
  void add(const used_once& publish);
  // Writes the rest. The file's size, 0 if there is none; or the error, negated, and the file is gone.
  std::int64_t finish();
  // Waits for the disk, but for the directory. 0, or the error, negated. Only when finished, and not empty.
  int sync();
  // It is not wanted after all.
  void drop();

 private:
  void write();
  void write_block();

  files& in_;
  const hash_key key_;
  const journal_position segment_;
  open_file file_;
  std::vector<used_once> entries_;  // of the next block
  std::string blocks_;              // not written yet
  std::uint64_t index_ = 0;         // of the next block
  std::uint64_t written_bytes_ = 0;
  std::int64_t error_ = 0;
};

}  // namespace restante
