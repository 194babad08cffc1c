#include "broker/expiry_reader.h"

#include <mosquitto_broker.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/publish_packet.h"

namespace restante {
namespace {

constexpr std::size_t largest_client_bytes = 8'192;  // of Mosquitto's client: it has some 1,000
constexpr std::size_t usual_head_bytes = 512;
constexpr std::size_t largest_head_bytes = 1u << 20;
constexpr std::size_t compared_payload_bytes = 64;
constexpr int most_misses = 8;

// Up to so many bytes from there, fewer where memory ends.
void read_memory(std::uintptr_t from, std::size_t count, std::string& into) {
  into.resize(count);
  const iovec here{into.data(), count}, there{reinterpret_cast<void*>(from), count};
  const auto got = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
  into.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
}

std::uintptr_t pointer_at(std::string_view memory, std::size_t offset) noexcept {
  std::uintptr_t value = 0;
  if (offset + sizeof value <= memory.size()) std::memcpy(&value, memory.data() + offset, sizeof value);
  return value;
}

}  // namespace

void expiry_reader::give_up(const std::string& why) {
  gave_up_ = true;
  lines_.write(log_level::warning,
               "the expiry of publishes cannot be read, so they wait for the retention: " + why);
}

expiry_reader::reading expiry_reader::read_packet(std::uintptr_t at, const seen_publish& what,
                                                  bool needs_topic) {
  const std::size_t compared = std::min(what.payload.size(), compared_payload_bytes);
  read_memory(at, what.topic.size() + usual_head_bytes, buffer_);
  auto head = parse_publish_head(buffer_, what.qos);
  if (head.is == publish_head::form::cut_off && head.bytes <= largest_head_bytes) {
    const std::size_t wanted = head.bytes + compared;
    read_memory(at, wanted, buffer_);
    head = parse_publish_head(buffer_, what.qos);
  }
  if (head.is != publish_head::form::whole) return {};
  // A listener's mount point stands before the topic that the client wrote.
  if (head.topic.empty() ? needs_topic : !what.topic.ends_with(head.topic)) return {};
  const std::size_t wanted = head.bytes + compared;
  const auto expiry_s = head.expiry_s;
  if (buffer_.size() < wanted) read_memory(at, wanted, buffer_);
  if (buffer_.size() < wanted) return {};
  if (std::string_view(buffer_).substr(head.bytes, compared) != what.payload.substr(0, compared)) return {};
  return {true, expiry_s};
}

bool expiry_reader::search(const mosquitto* client, const seen_publish& what) {
  std::string memory;
  errno = 0;
  read_memory(reinterpret_cast<std::uintptr_t>(client), largest_client_bytes, memory);
  if (memory.empty()) {
    give_up(std::string("process_vm_readv: ") + std::strerror(errno));
    return false;
  }
  for (std::size_t offset = 0; offset + sizeof(std::uintptr_t) <= memory.size();
       offset += sizeof(std::uintptr_t)) {
    const auto candidate = pointer_at(memory, offset);
    if (candidate % alignof(std::max_align_t) != 0 || candidate < 4'096) continue;
    if (!read_packet(candidate, what, true).matches) continue;
    offset_ = offset;
    return true;
  }
  return false;
}

std::optional<std::uint32_t> expiry_reader::read(const mosquitto* client, std::string_view topic,
                                                 std::string_view payload, int qos) {
  if (gave_up_) return std::nullopt;
  const seen_publish what{topic, payload, qos};
  if (!offset_ && !search(client, what)) {
    if (!gave_up_ && ++misses_ == most_misses) give_up("Mosquitto's packets are not found");
    return std::nullopt;
  }
  read_memory(reinterpret_cast<std::uintptr_t>(client) + *offset_, sizeof(std::uintptr_t), buffer_);
  return read_packet(pointer_at(buffer_, 0), what, false).expiry_s;
}

}  // namespace restante
