#include "load/recipient.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "clock.h"

namespace restante::faults {
namespace {

constexpr std::size_t most_lines = 500;
constexpr std::size_t most_underway = 4;
constexpr std::uint8_t first_failure = 0x80;
constexpr unsigned char duplicate_flag = 0x08;

connection_settings settings_of(std::uint32_t index) {
  const std::string name = name_of_recipient(index);
  return {.name = name,
          .version = index % 2 == 0 ? bench::mqtt_version::v5 : bench::mqtt_version::v311,
          .filters = {"direct/" + name + "/#"},
          .qos = static_cast<std::uint8_t>(index / 2 % 2 + 1)};
}

template <typename Number>
bool read_number(std::string_view text, Number& into) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), into);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

void append_answer(std::string& to, unsigned char first, std::uint16_t packet_id) {
  const char packet[] = {static_cast<char>(first), 2, static_cast<char>(packet_id >> 8),
                         static_cast<char>(packet_id & 0xFF)};
  to.append(packet, sizeof packet);
}

}  // namespace

recipient::recipient(std::uint32_t index, board& told, ledger& received, int events)
    : index_(index),
      told_(told),
      received_(received),
      line_(settings_of(index), *this, told, events),
      topic_("ack/" + name_of_recipient(index)),
      acknowledged_(told.settings.publishers) {}

void recipient::on_ready() {
  for (const auto& each : underway_) send(each, true);
}

void recipient::on_packet(const bench::packet_view& what) {
  switch (what.type) {
    case bench::packet_type::publish:
      return take(what);
    case bench::packet_type::pubrel:
      if (const auto read = bench::read_puback(what)) append_answer(line_.output(), 0x70, read->packet_id);
      return;
    case bench::packet_type::puback: {
      const auto answer = bench::read_puback(what);
      if (!answer || answer->reason >= first_failure) return line_.count_refusal();
      const auto found = std::find_if(underway_.begin(), underway_.end(), [&](const underway& each) {
        return each.packet_id == answer->packet_id;
      });
      if (found == underway_.end()) return line_.count_refusal();
      note_acknowledged(*found);
      underway_.erase(found);
      return;
    }
    default:
      line_.count_refusal();
  }
}

// direct/{me}/sender-NNN/{me}-{number}
void recipient::take(const bench::packet_view& what) {
  const auto mail = bench::read_publish(what, line_.version());
  if (!mail) return line_.count_refusal();
  if (mail->qos == 1) bench::append_puback(line_.output(), mail->packet_id);
  if (mail->qos == 2) append_answer(line_.output(), 0x50, mail->packet_id);
  const std::size_t id = mail->topic.rfind('/');
  const std::size_t sender = id == std::string_view::npos || id < 3 ? id : id - 3;
  const std::size_t dash = mail->topic.rfind('-');
  message which;
  if (sender == std::string_view::npos || dash == std::string_view::npos || dash < id ||
      !read_number(mail->topic.substr(sender, 3), which.sender) ||
      !read_number(mail->topic.substr(dash + 1), which.number) || which.sender >= acknowledged_.size()) {
    return line_.count_refusal();
  }
  note(seen::handed_over, which, mail->qos);
  ++told_.handed_over;
  gathered_.push_back(which);
}

void recipient::note(seen what, const message& which, std::uint8_t qos) {
  received_.add({.at_ns = bench::now_ns(),
                 .number = which.number,
                 .sender = which.sender,
                 .recipient = static_cast<std::uint16_t>(index_),
                 .what = what,
                 .qos = qos});
}

void recipient::note_acknowledged(const underway& what) {
  for (const auto& each : what.messages) {
    note(seen::acknowledged, each, 1);
    auto& known = acknowledged_[each.sender];
    if (known.size() <= each.number) known.resize(each.number + 1);
    if (!known[each.number]) ++told_.acknowledged;
    known[each.number] = true;
  }
}

void recipient::send(const underway& what, bool repeated) {
  std::string lines;
  for (const auto& each : what.messages) {
    lines += name_of_publisher(each.sender) + '/' + std::to_string(index_) + '-' +
             std::to_string(each.number) + '\n';
  }
  const std::size_t at = line_.output().size();
  bench::append_publish(line_.output(), line_.version(),
                        {.topic = topic_, .payload = lines, .packet_id = what.packet_id, .qos = 1});
  if (repeated) {
    char& flags = line_.output()[at];
    flags = static_cast<char>(static_cast<unsigned char>(flags) | duplicate_flag);
  }
}

void recipient::acknowledge() {
  while (line_.is_ready() && !gathered_.empty() && underway_.size() < most_underway) {
    const auto end = gathered_.begin() + static_cast<std::ptrdiff_t>(std::min(most_lines, gathered_.size()));
    underway next;
    if (++last_packet_id_ == 0xFFFF) last_packet_id_ = 1;  // the last is SUBSCRIBE's
    next.packet_id = last_packet_id_;
    next.messages.assign(gathered_.begin(), end);
    gathered_.erase(gathered_.begin(), end);
    send(next, false);
    underway_.push_back(std::move(next));
  }
}

}  // namespace restante::faults
