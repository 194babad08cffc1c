// Reads flushed records back, the newest from the ring. Keeps the file it read last open.
//
// Threads: the broker's.
#pragma once

#include <string>

#include "journal/journal_state.h"
#include "journal/record_ring.h"
#include "journal/whole_file.h"

namespace restante {

class segment_reader {
 public:
  segment_reader(journal_state& state, record_ring& ring) : state_(state), ring_(ring) {}

  // As journal::read(), up to the end of what is flushed. Fails the journal for good when the disk does not
  // give back what it was given; gives nothing for now when no more files can be opened.
  journal_chunk read(journal_position from, std::size_t bytes);

 private:
  struct place {
    journal_position start = 0, end = 0;  // of the segment; end: of what is flushed there
    bool last = false;
  };
  bool locate(journal_position at, place& found);
  bool open(journal_position start);
  std::int64_t load(const place& where, journal_position at, std::size_t count);
  bool read_some(const place& where, std::size_t bytes, journal_chunk& into, std::size_t& taken);
  bool failed(journal_position at, const std::string& why, journal_chunk& into);

  journal_state& state_;
  record_ring& ring_;
  open_file file_;
  journal_position file_start_ = 0;
  std::string buffer_;
};

}  // namespace restante
