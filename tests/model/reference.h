// The simple truth about every message, against which the mailbox is checked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/message.h"

namespace restante::model {

enum class fate { waits, acknowledged, handed_off, expired, withdrawn };
using memberships = std::map<std::string, std::set<std::string>>;

class reference {
 public:
  // What is wrong: the first violation, or empty.
  const std::string& broken() const { return broken_; }
  void violate(const std::string& what) {
    if (broken_.empty()) broken_ = what;
  }

  // `open`: the audience is fixed only when it is stored.
  void accepted(const message& what, const std::set<std::string>& audience, bool open);
  // Joins the audience of what is still open: accepted after `stored_through`.
  void joined(const std::string& account, const std::string& group, message_number stored_through);
  void acknowledged(const std::string& account, const message_key& key);
  void expired(const std::string& account, message_number number);
  // A request waits for whoever is granted the service now, and for nobody else.
  void moved(message_number number, const std::string& account);
  void withdrew(const std::string& account, const std::string& group);
  // An acknowledgement that was in memory only when the broker died counts no more.
  void forgot_acknowledgement(const std::string& account, message_number number);

  // The mailbox gives a message to a connection. `handoff`: this account never acknowledges.
  void handed_over(const std::string& account, message_number number, std::uintptr_t connection,
                   const memberships& groups, bool handoff);
  // A copy that is not kept, for those who are there.
  // `granted`: the account of the service.
  void heard_live(const std::string& account, const std::string& topic, const memberships& groups,
                  const std::string& granted);
  // One at QoS 0, of which the account may tell. `remembered`: of so many at least it must be known.
  void heard_unkept(const std::string& account, const message_key& key, const std::string& topic,
                    std::size_t remembered);
  // None of its sessions is left, with which what it heard at QoS 0 may be forgotten.
  void left(const std::string& account);
  // Whether `delivered` of this may be told: it was accepted for the account, and no large group's alone.
  bool may_tell(const std::string& account, const message_key& key) const;
  // Whether a receipt of this must be told at once.
  bool must_tell(const std::string& account, const message_key& key, const memberships& groups) const;

  bool waits(const std::string& account, const message_key& key) const;
  // Not acknowledged yet: a client that has it should acknowledge it, even if it was withdrawn or expired
  // meanwhile.
  bool may_be_acknowledged(const std::string& account, const message_key& key) const;
  bool is_for(const std::string& account, message_number number) const;
  bool was_acknowledged(const std::string& account, message_number number) const;
  std::optional<message_number> number_of(const message_key& key) const;
  std::optional<message_number> newest_on(const std::string& topic) const;
  const message& what(message_number number) const { return messages_.at(number).what; }
  std::string name_of(message_number number) const;
  // Messages for this account that are neither acknowledged, handed off, expired nor withdrawn.
  std::vector<message_number> owed_to(const std::string& account) const;

 private:
  struct record {
    message what;
    std::map<std::string, fate> audience;
    bool open = false;
    message_number heard_at = 0;  // the newest number when it was handed off
  };
  static bool is_receipt(const message& what);
  static bool is_until_handed_over(const message& what);
  struct unkept {
    message_key key;
    std::string topic;
  };

  std::map<message_number, record> messages_;
  std::map<message_key, message_number> by_key_;  // receipts and answers excluded
  std::map<std::string, message_number> by_topic_;
  std::set<std::pair<std::string, message_key>> early_;  // acknowledged outside the audience
  std::map<std::string, std::vector<unkept>> unkept_;    // by account, since it came, the newest last
  std::map<std::string, std::vector<unkept>> all_unkept_;
  std::string broken_;
};

}  // namespace restante::model
