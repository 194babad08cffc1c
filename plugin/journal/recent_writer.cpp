#include "journal/recent_writer.h"

#include "journal/recent_format.h"

namespace restante {

using namespace journal_format;

namespace {

constexpr std::size_t write_bytes = 16 * recent_block_bytes;

}  // namespace

void recent_writer::add(const used_once& publish) {
  if (error_ < 0) return;
  entries_.push_back(publish);
  if (entries_.size() == recent_entries) write_block();
}

void recent_writer::write_block() {
  append_recent_block(blocks_, entries_, key_, segment_, index_++);
  entries_.clear();
  if (blocks_.size() >= write_bytes) write();
}

void recent_writer::write() {
  if (!file_.ok()) file_ = open_file(in_, in_.create(file_name(segment_, recent_ending)));
  error_ = file_.ok() ? write_fully(in_, file_.get(), blocks_, written_bytes_) : file_.get();
  written_bytes_ += blocks_.size();
  blocks_.clear();
}

std::int64_t recent_writer::finish() {
  if (error_ == 0 && !entries_.empty()) write_block();
  if (error_ == 0 && !blocks_.empty()) write();
  if (error_ == 0) return static_cast<std::int64_t>(written_bytes_);
  drop();
  return error_;
}

int recent_writer::sync() { return in_.sync_data(file_.get()); }

void recent_writer::drop() {
  if (!file_.ok()) return;
  file_.close();
  in_.unlink(file_name(segment_, recent_ending));
}

}  // namespace restante
