#include "participant.h"

#include <algorithm>

namespace restante::bench {
namespace {

// What stands behind the second slash: {from}/{id} of both direct/{to}/{from}/{id} and
// group/{group}/{from}/{id}.
std::string_view key_of(std::string_view topic) {
  topic.remove_prefix(topic.find('/') + 1);
  topic.remove_prefix(topic.find('/') + 1);
  return topic;
}

}  // namespace

std::string account_name(std::size_t index) {
  const auto digits = std::to_string(index);
  return "user-" + std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
}

participant::participant(std::size_t index, client_settings login, const settings& how, tally& counts,
                         std::vector<bench::client*>& written)
    : index_(static_cast<std::uint32_t>(index)),
      how_(how),
      counts_(counts),
      client_(std::move(login), *this, written),
      acknowledge_topic_("ack/" + client_.settings().name) {}

std::uint64_t participant::send(std::string_view topic, std::uint32_t recipient, std::uint64_t number) {
  repeat(topic, recipient, number, sent_);
  ++counts_.published;
  return sent_++;
}

void participant::repeat(std::string_view topic, std::uint32_t recipient, std::uint64_t number,
                         std::uint64_t id) {
  topic_.assign(topic);
  append_message_id(topic_, how_.run, id);
  write_letter({.sent_ns = now_ns(), .number = number, .sender = index_, .recipient = recipient},
               how_.payload_bytes, payload_);
  client_.publish_mail(topic_, payload_, how_.qos);
}

stream_check& participant::stream_from(std::uint32_t sender) {
  for (auto& [known, stream] : streams_) {
    if (known == sender) return stream;
  }
  return streams_.emplace_back(sender, stream_check{}).second;
}

const stream_check& participant::stream(std::uint32_t sender) const {
  static const stream_check nothing;
  for (const auto& [known, stream] : streams_) {
    if (known == sender) return stream;
  }
  return nothing;
}

void participant::on_mail(const publish_view& mail) {
  if (mail.topic.starts_with("receipt/")) {
    ++counts_.receipts;
    return;
  }
  const auto read = read_letter(mail.payload);
  if (!read || (read->recipient != index_ && read->recipient != letter::everybody)) {
    ++counts_.misdelivered;
    return;
  }
  ++counts_.delivered;
  ++received_;
  stream_from(read->sender).receive(read->number);
  if (counts_.is_measuring) counts_.latency.add(now_ns() - read->sent_ns);
  acknowledge(mail.topic, read->sender);
}

void participant::on_broken(const char* why) {
  if (counts_.broken++ == 0) counts_.why_broken = client_.settings().name + ": " + why;
}

void participant::acknowledge(std::string_view topic, std::uint32_t sender) {
  if (how_.acknowledge == acknowledge_by::receipt) {
    const auto key = key_of(topic);
    topic_.assign("receipt/").append(account_name(sender)).append("/").append(client_.settings().name);
    topic_.append(key.substr(key.find('/')));
    // What was sent at QoS 0 is not kept, so there is nothing that could be told to be delivered.
    client_.publish_acknowledgement(topic_, how_.qos == 0 ? "read" : "delivered", 0);
    ++counts_.receipts_sent;
  } else if (how_.acknowledge == acknowledge_by::lines) {
    if (lines_++ == 0) {
      first_line_ns_ = now_ns();
    } else {
      line_text_.push_back('\n');
    }
    line_text_.append(key_of(topic));
    if (lines_ >= how_.lines) send_lines();
  }
}

std::uint64_t participant::settled() {
  if (how_.acknowledge != acknowledge_by::lines || how_.acknowledge_qos == 0) return received_;
  for (; confirmed_publishes_ < client_.acknowledgements().confirmed; ++confirmed_publishes_) {
    settled_ = lines_sent_by_.front();
    lines_sent_by_.pop_front();
  }
  return settled_;
}

void participant::send_lines() {
  lines_sent_ += lines_;
  lines_sent_by_.push_back(lines_sent_);
  client_.publish_acknowledgement(acknowledge_topic_, line_text_, how_.acknowledge_qos);
  counts_.lines += lines_;
  ++counts_.line_publishes;
  line_text_.clear();
  lines_ = 0;
}

void participant::acknowledge_due(std::int64_t now, bool all) {
  if (lines_ > 0 && client_.is_ready() && (all || now - first_line_ns_ >= how_.acknowledge_after_ns))
    send_lines();
}

}  // namespace restante::bench
