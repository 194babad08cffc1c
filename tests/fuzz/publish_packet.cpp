// Input: one byte for the QoS, then a PUBLISH from behind its fixed header on.
#include "core/publish_packet.h"

#include <algorithm>
#include <string>

#include "check.h"
#include "core/properties.h"

namespace {

using namespace restante;
using namespace restante::fuzz;
using form = publish_head::form;

bool same(const publish_head& one, const publish_head& other) {
  return one.is == other.is && one.bytes == other.bytes && one.topic == other.topic &&
         one.expiry_s == other.expiry_s;
}

void check_bytes(std::string_view bytes, int qos) {
  const publish_head head = parse_publish_head(bytes, qos);
  if (head.is == form::cut_off) {
    check(head.bytes > bytes.size(), "what is cut off wants more");
    return;
  }
  check(same(parse_publish_head(std::string(bytes) + '\0', qos), head), "what comes after does not matter");
  if (head.is == form::malformed) return;
  check(head.bytes <= bytes.size(), "a head is not longer than what was given");
  check(head.topic.empty() || (head.topic.data() == bytes.data() + 2 && head.topic.size() + 2 < head.bytes),
        "the topic comes first");
  for (std::size_t end = 0; end < head.bytes; ++end) {
    const auto shorter = parse_publish_head(bytes.substr(0, end), qos);
    check(shorter.is == form::cut_off, "without its last byte a head is cut off");
    check(shorter.bytes > end && shorter.bytes <= head.bytes, "a head that is cut off never wants too much");
  }
  check(same(parse_publish_head(bytes.substr(0, head.bytes), qos), head), "a head needs nothing behind it");
}

// Variable byte integer (MQTT 5, section 1.5.5).
std::string length_of(std::size_t length) {
  std::string text;
  do {
    text += static_cast<char>(length % 128 + (length >= 128 ? 128 : 0));
    length /= 128;
  } while (length > 0);
  return text;
}

// Whatever a message may keep comes through, among other properties, and so does the expiry.
void check_kept(std::string_view wire, int qos) {
  if (!decode_properties(wire)) return;
  for (const bool expires : {false, true}) {
    const std::string properties = (expires ? std::string("\2\0\1\2\3", 5) : "") + std::string(wire);
    const std::string before = std::string("\0\1t", 3) + (qos > 0 ? "id" : "") + length_of(properties.size());
    const std::string packet = before + properties + "payload";
    const auto head = parse_publish_head(packet, qos);
    check(head.is == form::whole && head.topic == "t", "a good packet is whole");
    check(head.bytes == before.size() + properties.size(), "the payload begins behind the properties");
    check(head.expiry_s == (expires ? std::optional<std::uint32_t>(0x010203) : std::nullopt),
          "the expiry is read");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const int qos = std::min(data[0] & 3, 2);
  const auto bytes = text_of(data, size).substr(1);
  check_bytes(bytes, qos);
  check_kept(bytes, qos);
  return 0;
}
