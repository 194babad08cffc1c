// Input: properties as on the wire.
#include "core/properties.h"

#include "check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace restante;
  using namespace restante::fuzz;
  const auto wire = text_of(data, size);
  const auto properties = decode_properties(wire);
  if (properties) {
    const auto encoded = encode_properties(*properties);
    check(encoded.size() == wire.size(), "every byte of what is decoded is kept");
    check(decode_properties(encoded) == properties, "what is encoded decodes to the same");
    check(encode_properties(*decode_properties(encoded)) == encoded, "there is one form");
    check(!decode_properties(std::string(wire) + '\x26'), "a property that is cut off is refused");
  }

  // The other way round: whatever a message may have.
  publish_properties made;
  const auto parts = split(wire, '\0');
  const auto given = [&](std::size_t at) { return at < parts.size() && !parts[at].empty(); };
  if (given(0)) made.payload_format = static_cast<std::uint8_t>(parts[0][0] & 1);
  if (given(1)) made.content_type = parts[1];
  if (given(2)) made.response_topic = parts[2];
  if (given(3)) made.correlation_data = parts[3];
  for (std::size_t i = 4; i + 1 < parts.size(); i += 2) made.user.emplace_back(parts[i], parts[i + 1]);
  check(decode_properties(encode_properties(made)) == made, "what a message has is kept");
  return 0;
}
