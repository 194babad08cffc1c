#include "core/publish_packet.h"

namespace restante {
namespace {

// Identifiers of the properties that a publisher may send: MQTT 5, table 2-4.
constexpr unsigned payload_format_id = 0x01, expiry_id = 0x02, content_type_id = 0x03,
                   response_topic_id = 0x08, correlation_data_id = 0x09, topic_alias_id = 0x23,
                   user_id = 0x26;

// Reads on from `at`; all is well until `failed`.
struct cursor {
  std::string_view bytes;
  std::size_t at = 0;
  bool failed = false;

  std::size_t left() const noexcept { return bytes.size() - at; }
  void skip(std::size_t count) noexcept {
    failed |= count > left();
    if (!failed) at += count;
  }
  std::uint32_t number(std::size_t size) noexcept {
    failed |= size > left();
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size && !failed; ++i)
      value = value << 8 | static_cast<unsigned char>(bytes[at++]);
    return value;
  }
  std::string_view text() noexcept {
    const std::size_t length = number(2), from = at;
    skip(length);
    return failed ? std::string_view() : bytes.substr(from, length);
  }
};

// The properties, which are all of `in`. False: not well-formed.
bool read_properties(cursor in, publish_head& head, bool& has_alias) noexcept {
  while (in.left() != 0 && !in.failed) {
    switch (in.number(1)) {
      case payload_format_id:
        in.skip(1);
        break;
      case expiry_id:
        if (head.expiry_s) return false;
        head.expiry_s = in.number(4);
        break;
      case topic_alias_id:
        has_alias = true;
        in.skip(2);
        break;
      case user_id:
        in.text();
        [[fallthrough]];
      case content_type_id:
      case response_topic_id:
      case correlation_data_id:
        in.text();
        break;
      default:
        return false;
    }
  }
  return !in.failed;
}

}  // namespace

publish_head parse_publish_head(std::string_view bytes, int qos) noexcept {
  const auto cut_off = [&](std::size_t wanted) {
    return publish_head{publish_head::form::cut_off, wanted, {}, {}};
  };
  cursor in{bytes};
  publish_head head;
  head.topic = in.text();
  if (qos > 0) in.skip(2);
  if (in.failed) return cut_off(bytes.size() + 1);
  std::size_t length = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (shift > 21) return {};
    const auto next = in.number(1);
    if (in.failed) return cut_off(bytes.size() + 1);
    length |= static_cast<std::size_t>(next & 0x7f) << shift;
    if ((next & 0x80) == 0) break;
  }
  if (length > in.left()) return cut_off(in.at + length);
  bool has_alias = false;
  if (!read_properties({bytes.substr(in.at, length)}, head, has_alias)) return {};
  if (head.topic.empty() && !has_alias) return {};
  head.is = publish_head::form::whole;
  head.bytes = in.at + length;
  return head;
}

}  // namespace restante
