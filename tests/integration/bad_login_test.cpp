// Bad logins, filters and packets: refused with a reason or hung up on, and nothing else affected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "bad_input_fixture.h"

namespace restante {
namespace {

using namespace support;
using ::testing::Each;

class bad_logins : public bad_input {
 protected:
  // The reason code, or nothing when the broker hung up without one.
  std::optional<int> try_once(const connect_settings& who) {
    raw_mqtt client(broker().port());
    const auto answer = client.try_connect(who);
    if (!answer) return std::nullopt;
    if (answer->reason != 0) {
      EXPECT_TRUE(client.closed_by_broker());
    }
    return answer->reason;
  }
  // The broker hangs up on those whom it puts off; they come again, as clients do.
  std::optional<int> try_login(const connect_settings& who) {
    std::optional<int> reason;
    eventually([&] { return (reason = try_once(who)).has_value(); }, patience,
               std::chrono::milliseconds(100));
    return reason;
  }
  static connect_settings with_password(const std::string& user, const std::string& password,
                                        mqtt_version version = mqtt_version::v5) {
    return {.client_id = "somebody", .user = user, .password = password, .version = version};
  }
  // CONNECT of MQTT 3.1.1 with these flags and this end.
  std::optional<int> try_packet(char flags, const std::string& end) {
    raw_mqtt client(broker().port());
    const std::string body =
        encode_text("MQTT") + '\x04' + flags + encode_uint16(60) + encode_text("somebody") + end;
    client.send({.type = packet_type::connect, .body = body});
    const auto answer = client.next();
    if (!answer) return std::nullopt;
    return parse_connack(*answer).reason;
  }
};

TEST_F(bad_logins, of_unknown_wrong_blocked_or_deleted_accounts_are_refused_alike) {
  open_with_witnesses();
  EXPECT_EQ(run_restante({"user", "add", "mute"}).exit_code, 0);  // has no password
  EXPECT_EQ(run_restante({"user", "block", "bob"}).exit_code, 0);
  for (const auto& [name, password] :
       {std::pair("nobody", "nobody"), std::pair("alice", "wrong"), std::pair("alice", ""),
        std::pair("Alice", "alice"), std::pair("bob", "bob"), std::pair("mute", ""),
        std::pair("mute", "mute")}) {
    EXPECT_EQ(try_login(with_password(name, password)), 0x87) << name;
    EXPECT_EQ(try_login(with_password(name, password, mqtt_version::v3)), 5) << name;
  }
  broker().wait_for_log("login of nobody refused: there is no such account");
  broker().wait_for_log("login of alice refused: the password is wrong");
  broker().wait_for_log("login of bob refused: the account is blocked or deleted");
  EXPECT_EQ(run_restante({"user", "delete", "bob"}).exit_code, 0);
  EXPECT_EQ(try_login(with_password("bob", "bob")), 0x87);
  EXPECT_EQ(try_login(with_password("alice", "alice")), 0);
  expect_others_unaffected();
}

TEST_F(bad_logins, without_a_name_or_a_password_are_refused) {
  open_with_witnesses();
  EXPECT_EQ(try_login({.client_id = "somebody"}), 0x87);
  EXPECT_EQ(try_login({.client_id = "somebody", .version = mqtt_version::v3}), 5);
  EXPECT_EQ(try_packet('\x82', encode_text("alice")), 5) << "a name alone";
  EXPECT_EQ(try_packet('\xc2', encode_text("") + encode_text("alice")), 5) << "an empty name";
  EXPECT_NE(try_packet('\x42', encode_text("alice")), 0) << "a password alone";
  broker().wait_for_log("login of nobody refused: no name or no password");
  expect_others_unaffected();
}

TEST_F(bad_logins, with_names_that_no_account_can_have_are_refused) {
  open_with_witnesses();
  for (const std::string& name :
       {std::string("#"), std::string("+"), std::string("alice/#"), std::string("al+ce"),
        std::string("alice/bob"), std::string("%u"), std::string("al ice"), std::string("al\xc3\xad-ce"),
        std::string("$SYS"), std::string(65, 'a'), std::string(65'535, 'a'), std::string("' or 1=1 --")}) {
    EXPECT_EQ(try_login(with_password(name, "alice")), 0x87) << name.substr(0, 80);
    EXPECT_EQ(try_login(with_password(name, "alice", mqtt_version::v3)), 5) << name.substr(0, 80);
  }
  broker().wait_for_log("login of nobody refused: the name is none that an account can have");
  for (const std::string& name :
       {std::string("\xff\xfe"), std::string("ali\xc0\x80"), std::string("alice\0x", 7)}) {
    EXPECT_NE(try_once(with_password(name, "alice")), 0) << "not UTF-8 without NUL";
  }
  expect_others_unaffected();
}

TEST_F(bad_logins, with_passwords_of_any_length_and_bytes_are_refused) {
  open_with_witnesses();
  for (const std::string& password :
       {std::string(65'535, 'x'), std::string(5'000, '\xff'), std::string("\0", 1), std::string("alic"),
        std::string("alicee"), std::string("$6$x$y")}) {
    EXPECT_EQ(try_login(with_password("alice", password)), 0x87) << password.substr(0, 20);
  }
  EXPECT_EQ(try_login(with_password("alice", "alice")), 0);
  expect_others_unaffected();
}

TEST_F(bad_logins, do_not_include_odd_client_ids_which_grant_nothing) {
  open_with_witnesses();
  int notes = 0;
  for (const std::string& id : {std::string("#"), std::string("a/+/b"), std::string("$SYS"),
                                std::string(10'000, 'i'), std::string("\xc3\xa9\xe2\x82\xac")}) {
    connect_settings who = account("alice");
    who.client_id = id;
    auto alice = raw(who);
    EXPECT_EQ(alice.subscribe({"direct/alice/#"}).at(0), 1) << id.substr(0, 20);
    const std::string note = "note" + std::to_string(++notes);
    alice.publish(direct("alice", "alice", note));
    EXPECT_EQ(alice.expect_publish().topic, "direct/alice/alice/" + note);
    alice.publish(acknowledgement_of("alice", {"alice/" + note}));
    EXPECT_EQ(alice.subscribe({"direct/bob/#"}).at(0), 0x87) << id.substr(0, 20);
  }
  auto nameless = raw({.user = "alice", .password = "alice"});
  EXPECT_EQ(nameless.subscribe({"direct/alice/#"}).at(0), 1);
  nameless.publish(direct("alice", "alice", "last"));
  EXPECT_EQ(nameless.expect_publish().topic, "direct/alice/alice/last");
  expect_others_unaffected();
}

TEST_F(bad_logins, with_the_client_id_of_another_account_take_nothing_over) {
  open_with_witnesses();
  auto bob = raw(account("bob"));
  bob.subscribe({"direct/bob/#"});
  auto thief = account("alice");
  thief.client_id = "bob";
  EXPECT_EQ(try_login(thief), 0x87);
  broker().wait_for_log("login of alice refused: another account is connected with this client id");
  auto alice = raw(account("alice"));
  EXPECT_EQ(alice.publish(direct("bob", "alice", "m1")), 0);
  EXPECT_EQ(bob.expect_publish().topic, "direct/bob/alice/m1");
}

class bad_filters : public bad_input {};

TEST_F(bad_filters, that_reach_beyond_ones_own_are_refused) {
  open_with_witnesses();
  auto modern = raw(account("alice"));
  auto old =
      raw({.client_id = "alice-old", .user = "alice", .password = "alice", .version = mqtt_version::v3});
  for (const std::string filter : {"#",
                                   "+/#",
                                   "+/bob/#",
                                   "direct/#",
                                   "direct/+/#",
                                   "direct/+/alice/+",
                                   "direct/bob/#",
                                   "direct/bob/alice/m1",
                                   "group/#",
                                   "group/+/#",
                                   "group/elsewhere/#",
                                   "receipt/#",
                                   "receipt/bob/#",
                                   "receipt/+/alice/+",
                                   "ack/#",
                                   "ack/alice",
                                   "ack/bob",
                                   "$share/g/direct/alice/#",
                                   "$share/g/#",
                                   "$share/g/group/crew/#",
                                   "$SYS/#",
                                   "/direct/bob/#",
                                   "weather/#"}) {
    EXPECT_EQ(modern.subscribe({filter}).at(0), 0x87) << filter;
    EXPECT_EQ(old.subscribe({filter}).at(0), 0x80) << filter;
  }
  broker().wait_for_log("subscription of alice to direct/bob/# refused: ");
  const auto mixed = modern.subscribe({"direct/bob/#", "direct/alice/#", "#"});
  EXPECT_EQ(mixed, (std::vector{0x87, 1, 0x87}));
  auto bob = raw(account("bob"));
  bob.publish(direct("dave", "bob", "not for alice"));
  bob.publish(direct("dave", "bob", "m1"));
  bob.publish(direct("alice", "bob", "m2"));
  EXPECT_EQ(modern.expect_publish().topic, "direct/alice/bob/m2");
  expect_others_unaffected();
}

TEST_F(bad_filters, that_mqtt_does_not_allow_close_the_connection_of_their_sender_alone) {
  open_with_witnesses();
  for (const std::string& filter :
       {std::string(), std::string("direct/alice/#/m"), std::string("direct/ali+ce/m"),
        std::string("direct/alice#"), std::string("direct/\xff/#"), std::string("direct/alice/m\0", 15),
        std::string("$share/g"), std::string("$share//direct/alice/#")}) {
    auto alice = raw(account("alice"));
    alice.send(subscribe_packet(mqtt_version::v5, 7, {filter}, 1));
    const auto answer = alice.next();
    // Some it refuses, some it hangs up on.
    if (answer && answer->type == packet_type::suback) {
      EXPECT_THAT(parse_suback(*answer, mqtt_version::v5), Each(::testing::Ge(0x80))) << filter;
    } else {
      EXPECT_TRUE(alice.closed_by_broker()) << filter;
    }
    expect_others_unaffected();
  }
}

TEST_F(bad_filters, that_are_too_many_are_refused) {
  open_with_witnesses();
  auto alice = raw(account("alice"));
  std::vector<std::string> filters;
  for (int i = 0; i <= 1'000; ++i) filters.push_back("direct/alice/bob/only" + std::to_string(i));
  const auto answers = alice.subscribe(filters);
  EXPECT_EQ(std::count(answers.begin(), answers.end(), 1), 1'000);
  EXPECT_EQ(answers.back(), 0x87);
  broker().wait_for_log("the session has too many filters already");
  auto bob = raw(account("bob"));
  bob.publish(direct("alice", "bob", "only1000"));
  bob.publish(direct("alice", "bob", "only999"));
  EXPECT_EQ(alice.expect_publish().topic, "direct/alice/bob/only999");
  expect_others_unaffected();
}

class bad_packets : public bad_input {};

TEST_F(bad_packets, close_the_connection_of_their_sender_alone) {
  open_with_witnesses();
  const std::string topic = encode_text("direct/bob/alice/m1"), id = encode_uint16(1);
  const std::string bytes[] = {
      std::string("\x36\x02\x00\x00", 4),                                  // PUBLISH of QoS 3
      std::string("\xff\xff\xff\xff\xff\xff", 6),                          // a length without end
      std::string("\x00\x00", 2),                                          // type 0
      encode({.type = packet_type::connect, .body = topic}),               // a second CONNECT
      encode({.type = packet_type::publish, .flags = 2, .body = topic}),   // without packet id
      encode({.type = packet_type::publish, .flags = 2, .body = "\x7f"}),  // topic cut off
      encode({.type = packet_type::publish,
              .flags = 2,
              .body = topic + id +
                      "\x05\x03\x00\xff"
                      "a"}),  // property cut off
      encode({.type = packet_type::publish,
              .flags = 2,
              .body = topic + id + std::string("\x04\x01\x00\x01\x00", 5)}),
      encode({.type = packet_type::publish,
              .flags = 2,
              .body = topic + id + std::string("\x04\x03\x00\x01\xff", 5)}),
      encode({.type = packet_type::publish,
              .flags = 2,
              .body = topic + id + "\x02\x7e\x01"}),  // no such property
      encode({.type = packet_type::puback, .body = "\x01"}),
      encode({.type = packet_type::subscribe, .flags = 2, .body = id}),
      "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: " + std::string(200, 'x') + "\r\n\r\n"};
  for (const auto& each : bytes) {
    auto alice = raw(account("alice"));
    alice.send_bytes(each);
    EXPECT_TRUE(alice.closed_by_broker()) << ::testing::PrintToString(each);
    expect_others_unaffected();
  }
  // Hung up on in the middle of a packet.
  auto alice = raw(account("alice"));
  const auto whole =
      encode(publish_packet(direct("bob", "alice", "half", "0123456789"), mqtt_version::v5, 1));
  alice.send_bytes(std::string_view(whole).substr(0, whole.size() - 4));
  alice.drop();
  expect_nothing_kept_from("alice");
}

TEST_F(bad_packets, before_any_login_do_nothing) {
  open_with_witnesses();
  for (const auto& what : {publish_packet(direct("bob", "alice", "m1"), mqtt_version::v5, 1),
                           subscribe_packet(mqtt_version::v5, 1, {"direct/alice/#"}, 1),
                           acknowledgement_packet(packet_type::pubrel, mqtt_version::v5, 1)}) {
    raw_mqtt stranger(broker().port());
    stranger.send(what);
    EXPECT_TRUE(stranger.closed_by_broker());
  }
  expect_nothing_kept_from("alice");
}

}  // namespace
}  // namespace restante
