#include "load/publisher.h"

#include <algorithm>

#include "clock.h"

namespace restante::faults {
namespace {

constexpr std::uint8_t first_failure = 0x80;
constexpr unsigned char duplicate_flag = 0x08;

connection_settings settings_of(std::uint32_t index) {
  return {.name = name_of_publisher(index),
          .version = index % 2 == 0 ? bench::mqtt_version::v311 : bench::mqtt_version::v5,
          .filters = {},
          .qos = 0};
}

void append_release(std::string& to, std::uint16_t packet_id) {
  const char packet[] = {0x62, 2, static_cast<char>(packet_id >> 8), static_cast<char>(packet_id & 0xFF)};
  to.append(packet, sizeof packet);
}

}  // namespace

publisher::publisher(std::uint32_t index, board& told, ledger& accepted, int events)
    : index_(index),
      told_(told),
      accepted_(accepted),
      line_(settings_of(index), *this, told, events),
      random_(index + 1),
      next_number_(told.settings.recipients) {}

void publisher::send(const underway& what) {
  const std::string recipient = name_of_recipient(what.recipient);
  const std::string id = std::to_string(what.recipient) + '-' + std::to_string(what.number);
  topic_ = "direct/" + recipient + '/' + name_of_publisher(index_) + '/' + id;
  payload_ = id;
  payload_.resize(std::max<std::size_t>(told_.settings.payload_bytes, payload_.size()), '.');
  const std::size_t at = line_.output().size();
  bench::append_publish(line_.output(), line_.version(),
                        {.topic = topic_, .payload = payload_, .packet_id = what.packet_id, .qos = what.qos});
  if (what.repeated) {
    char& flags = line_.output()[at];
    flags = static_cast<char>(static_cast<unsigned char>(flags) | duplicate_flag);
  }
}

void publisher::publish(std::int64_t now_ns) {
  if (!line_.is_ready()) {
    allowance_at_ns_ = now_ns;
    return;
  }
  const double window = told_.settings.window;
  const double a_second = static_cast<double>(told_.settings.rate) / told_.settings.publishers;
  allowance_ += a_second * static_cast<double>(now_ns - allowance_at_ns_) / bench::second_ns;
  allowance_ = is_flooder() ? window : std::min(allowance_, window);
  allowance_at_ns_ = now_ns;
  while (allowance_ >= 1 && underway_.size() + unsynced_.size() < told_.settings.window) {
    underway next;
    next.recipient = static_cast<std::uint16_t>(random_() % told_.settings.recipients);
    next.number = next_number_[next.recipient]++;
    next.qos = static_cast<std::uint8_t>(1 + random_() / 7 % 2);
    if (++last_packet_id_ == 0) ++last_packet_id_;
    next.packet_id = last_packet_id_;
    underway_.push_back(next);
    send(next);
    ++told_.published;
    --allowance_;
  }
}

void publisher::on_ready() {
  for (auto& each : underway_) {
    if (each.released) {
      append_release(line_.output(), each.packet_id);
    } else {
      each.repeated = true;
      send(each);
    }
  }
}

void publisher::on_packet(const bench::packet_view& what) {
  const bool completes = what.type == bench::packet_type::puback || what.type == bench::packet_type::pubcomp;
  if (!completes && what.type != bench::packet_type::pubrec) return line_.count_refusal();
  const auto answer = bench::read_puback(what);
  if (!answer) return line_.count_refusal();
  const auto found = std::find_if(underway_.begin(), underway_.end(),
                                  [&](const underway& each) { return each.packet_id == answer->packet_id; });
  if (found == underway_.end()) return line_.count_refusal();
  // PUBCOMP knows but one failure, an id that the broker has forgotten in a crash: then it has nothing to
  // complete.
  if (answer->reason >= first_failure && what.type != bench::packet_type::pubcomp)
    return line_.count_refusal();
  if (!found->released) note_accepted(*found);
  if (completes) {
    underway_.erase(found);
  } else {
    found->released = true;
    append_release(line_.output(), answer->packet_id);
  }
}

void publisher::note_accepted(const underway& what) {
  accepted_.add({.at_ns = bench::now_ns(),
                 .number = what.number,
                 .sender = static_cast<std::uint16_t>(index_),
                 .recipient = what.recipient,
                 .what = seen::accepted,
                 .qos = what.qos,
                 .repeated = what.repeated});
  unsynced_.push_back(accepted_.added());
}

void publisher::note_synced() {
  while (!unsynced_.empty() && unsynced_.front() <= accepted_.synced()) {
    unsynced_.pop_front();
    ++told_.accepted;
    if (is_flooder()) ++told_.flood;
  }
}

}  // namespace restante::faults
