#include "socks5/association.hpp"

#include "component/testing/script.hpp"

#include <rapidcheck/gtest.h>

namespace gost::socks5 {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::DatagramScript;
using testing::Packet;
using testing::ScriptedDatagram;
using testing::ServedSession;

SocketAddress address(std::string_view ip, std::uint16_t port) {
  return {IpAddress::parse(ip).value(), port};
}

const SocketAddress kClient = address("10.0.0.1", 4321);
const SocketAddress kTarget = address("8.8.8.8", 53);

/// An association whose socket is a script.
class Bench {
 public:
  explicit Bench(const ClientPin& pin, std::size_t buffer_size = 4096)
      : drops_(buffer_size, *served_.session),
        association_(std::make_unique<ScriptedDatagram>(socket), pin, *served_.session, drops_) {}

  void comes(const SocketAddress& from, const std::string& hex) {
    auto bytes = from_hex(hex).value();
    socket->put({from, "", std::string(as_text(bytes))});
  }
  /// What the association makes of all that came.
  std::vector<Packet> receive() {
    std::vector<Packet> packets;
    if (association_.try_receive(io.datagrams).status != IoResult::Status::ok) return packets;
    for (const ReceivedDatagram& datagram : io.datagrams.items())
      packets.push_back({datagram.peer, std::string(datagram.name), std::string(as_text(datagram.payload))});
    return packets;
  }
  SendOutcome send(std::vector<Packet> packets) {
    std::vector<OutgoingDatagram> datagrams;
    for (const Packet& packet : packets)
      datagrams.push_back({.peer = packet.peer, .name = packet.name, .payload = as_bytes(packet.payload)});
    return association_.try_send(datagrams);
  }
  SendOutcome send_raw(std::span<const OutgoingDatagram> datagrams) { return association_.try_send(datagrams); }
  std::uint64_t dropped() const { return served_.session->datagrams.dropped; }

  IoContext io{Loop::Time::simulated};
  std::shared_ptr<DatagramScript> socket = std::make_shared<DatagramScript>();

 private:
  ConnectionLoggers loggers_;
  ServedSession served_{io, loggers_, kClient, address("10.0.0.2", 1080)};
  Drops drops_;
  Association association_;
};

const std::string kToTarget = "000000 01 08080808 0035";

TEST(Association, YieldsWhatTheClientSendsAndWhereTo) {
  Bench bench({kClient.ip()});
  bench.comes(kClient, kToTarget + "6869");
  bench.comes(kClient, "000000 04 20010db8000000000000000000000001 0035");
  bench.comes(kClient, "000000 03 0b 6578616d706c652e636f6d 0050 78");
  bench.comes(kClient, "abcd00 01 08080808 0035 79");
  EXPECT_EQ(bench.receive(), (std::vector<Packet>{{kTarget, "", "hi"},
                                                  {address("2001:db8::1", 53), "", ""},
                                                  {address("0.0.0.0", 80), "example.com", "x"},
                                                  {kTarget, "", "y"}}))
      << "an empty payload is a datagram, and RSV is ignored as in GOST";
  EXPECT_EQ(bench.dropped(), 0U);
}

TEST(Association, WrapsWhatComesForTheClient) {
  Bench bench({kClient.ip()});
  bench.comes(kClient, kToTarget + "00");
  bench.receive();
  auto outcome = bench.send({{kTarget, "", "a"},
                             {kTarget, "", "bc"},
                             {address("2001:db8::1", 53), "", "d"},
                             {address("0.0.0.0", 80), "x.y", "e"}});
  EXPECT_EQ(outcome.sent, 4U);
  auto sent = bench.socket->take();
  ASSERT_EQ(sent.size(), 4U);
  for (const Packet& packet : sent) EXPECT_EQ(packet.peer, kClient);
  EXPECT_EQ(to_hex(as_bytes(sent[0].payload)),
            "000000010808080800356"
            "1");
  EXPECT_EQ(to_hex(as_bytes(sent[1].payload)),
            "000000010808080800356"
            "263");
  EXPECT_EQ(to_hex(as_bytes(sent[2].payload)), "0000000420010db8000000000000000000000001003564");
  EXPECT_EQ(to_hex(as_bytes(sent[3].payload)), "0000000303782e79005065");
  EXPECT_EQ(bench.socket->sends, std::vector<std::size_t>{4}) << "all with one call";
}

TEST(Association, NothingLeavesBeforeTheClientIsKnown) {
  Bench bench({kClient.ip()});
  EXPECT_EQ(bench.send({{kTarget, "", "a"}, {kTarget, "", "b"}}).dropped, 2U);
  EXPECT_TRUE(bench.socket->sent.empty());
}

TEST(Association, OnlyTheClientsAddressAndFirstPortCount) {
  Bench bench({kClient.ip()});
  bench.comes(address("10.0.0.66", 4321), kToTarget + "01");
  EXPECT_TRUE(bench.receive().empty());
  bench.comes(address("10.0.0.1", 9), "ffff");  // malformed: pins nothing
  bench.comes(kClient, kToTarget + "02");
  bench.comes(address("10.0.0.1", 4322), kToTarget + "03");
  bench.comes(address("10.0.0.66", 4321), kToTarget + "04");
  EXPECT_EQ(bench.receive(), (std::vector<Packet>{{kTarget, "", "\x02"}}));
  EXPECT_EQ(bench.dropped(), 4U);
  bench.send({{kTarget, "", "a"}});
  EXPECT_EQ(bench.socket->take().at(0).peer, kClient) << "never to whoever sent last";
}

TEST(Association, ThePortOfTheRequestIsHonouredIfItsAddressIsTheClients) {
  EXPECT_EQ(pin_for(kClient, {"10.0.0.1", 4000}).port, 4000);
  EXPECT_EQ(pin_for(kClient, {"::ffff:10.0.0.1", 4000}).port, 4000);
  for (auto other : {"0.0.0.0", "10.0.0.9", "::", "example.com", ""})
    EXPECT_EQ(pin_for(kClient, {other, 4000}).port, 0) << other;
  EXPECT_EQ(pin_for({}, {"0.0.0.0", 4000}).port, 0);

  Bench bench(pin_for(kClient, {"10.0.0.1", 4000}));
  bench.comes(kClient, kToTarget + "01");
  bench.comes(address("10.0.0.1", 4000), kToTarget + "02");
  EXPECT_EQ(bench.receive().size(), 1U);
  bench.send({{kTarget, "", "a"}});
  EXPECT_EQ(bench.socket->take().at(0).peer.port(), 4000);
}

TEST(Association, WithoutAnAddressTheFirstSenderIsTheClient) {
  Bench bench({});
  bench.comes(address("192.0.2.1", 5), kToTarget + "01");
  bench.comes(address("192.0.2.2", 5), kToTarget + "02");
  bench.comes(address("192.0.2.1", 5), kToTarget + "03");
  EXPECT_EQ(bench.receive().size(), 2U);
  EXPECT_EQ(bench.dropped(), 1U);
}

TEST(Association, AMalformedDatagramHarmsOnlyItself) {
  const std::string whole = "00000003 03 782e79 0050";
  auto bytes = from_hex(whole).value();
  Bench bench({kClient.ip()});
  for (std::size_t size = 0; size < bytes.size(); ++size) bench.comes(kClient, to_hex(Bytes(bytes).first(size)));
  for (auto type : {"00", "02", "05", "ff"}) bench.comes(kClient, std::string("000000") + type + "08080808003500");
  bench.comes(kClient, whole);
  EXPECT_EQ(bench.receive(), (std::vector<Packet>{{address("0.0.0.0", 80), "x.y", ""}}));
  EXPECT_EQ(bench.dropped(), bytes.size() + 4);
}

TEST(Association, WhatIsLongerThanTheLimitIsDroppedAsAWhole) {
  Bench bench({kClient.ip()}, 64);
  bench.comes(kClient, kToTarget + std::string(2 * 54, 'a'));
  bench.comes(kClient, kToTarget + std::string(2 * 55, 'a'));
  EXPECT_EQ(bench.receive().size(), 1U) << "64 bytes with the header";
  EXPECT_EQ(bench.dropped(), 1U);
}

std::string fragment(int position, const std::string& payload, const std::string& target = "01 08080808 0035") {
  return "0000" + to_hex(std::array{static_cast<std::uint8_t>(position)}) + target + payload;
}

TEST(Association, FragmentsArePutTogether) {
  Bench bench({kClient.ip()});
  bench.comes(kClient, fragment(1, "61"));
  bench.comes(kClient, kToTarget + "78");
  bench.comes(kClient, fragment(2, "62"));
  EXPECT_EQ(bench.receive(), (std::vector<Packet>{{kTarget, "", "x"}})) << "a whole one passes by";
  bench.comes(kClient, fragment(0x83, "63"));
  // And two more in the same batch, one to a name: what a batch refers to stays for as long as the batch.
  bench.comes(kClient, fragment(1, "64", "03 03 782e79 0050"));
  bench.comes(kClient, fragment(0x82, "65", "03 03 782e79 0050"));
  bench.comes(kClient, fragment(1, "66"));
  bench.comes(kClient, fragment(0x82, "67"));
  EXPECT_EQ(bench.receive(),
            (std::vector<Packet>{{kTarget, "", "abc"}, {address("0.0.0.0", 80), "x.y", "de"}, {kTarget, "", "fg"}}));
  EXPECT_EQ(bench.dropped(), 0U);
}

Task<> pass(Duration time) {
  co_await sleep_for(time);
}

TEST(Association, FragmentsThatComeToNothingAreCounted) {
  Bench bench({kClient.ip()});
  for (int position : {5, 0x85}) bench.comes(kClient, fragment(position, "61"));
  for (int position = 1; position < 128; ++position) bench.comes(kClient, fragment(position, "61"));
  EXPECT_TRUE(bench.receive().empty());
  EXPECT_EQ(bench.dropped(), 2U);
  bench.io.loop.run(pass(4s));
  EXPECT_EQ(bench.dropped(), 2U);
  bench.io.loop.run(pass(1s));
  EXPECT_EQ(bench.dropped(), 129U) << "after 5 s the memory is given back, even if nothing comes any more";
  bench.comes(kClient, fragment(0x82, "62"));
  EXPECT_TRUE(bench.receive().empty());
  EXPECT_EQ(bench.dropped(), 130U);
}

TEST(Association, OthersCannotDisturbFragments) {
  Bench bench({kClient.ip()});
  bench.comes(kClient, fragment(1, "61"));
  for (int position : {1, 2, 7}) bench.comes(address("10.0.0.66", 4321), fragment(position, "78"));
  bench.comes(kClient, fragment(0x82, "62"));
  EXPECT_EQ(bench.receive(), (std::vector<Packet>{{kTarget, "", "ab"}}));
}

TEST(Association, ManySourcesInOneBatchKeepTheirOrder) {
  Bench bench({kClient.ip()});
  bench.comes(kClient, kToTarget);
  bench.receive();
  std::vector<Packet> packets;
  for (std::uint16_t i = 0; i < 700; ++i)
    packets.push_back({address("8.8.8.8", i < 400 ? 53 : i), "", std::to_string(i)});
  EXPECT_EQ(bench.send(packets).sent, 700U);
  auto sent = bench.socket->take();
  ASSERT_EQ(sent.size(), 700U);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    Bytes bytes = as_bytes(sent[i].payload);
    auto header = decode_udp_header(bytes).value();
    ASSERT_EQ(header.address.peer, packets[i].peer) << i;
    ASSERT_EQ(as_text(bytes.subspan(header.size)), packets[i].payload) << i;
  }
}

TEST(Association, AHeadOfTheDatagramItselfFollowsTheHeader) {
  Bench bench({kClient.ip()});
  bench.comes(kClient, kToTarget);
  bench.receive();
  std::string much(300, 'x');
  const OutgoingDatagram datagrams[] = {{.peer = kTarget, .head = as_bytes("he"), .payload = as_bytes("llo")},
                                        {.peer = kTarget, .head = as_bytes(much), .payload = {}},
                                        {.peer = kTarget, .head = {}, .payload = as_bytes("world")}};
  auto outcome = bench.send_raw(datagrams);
  EXPECT_EQ(outcome.sent, 2U);
  EXPECT_EQ(outcome.dropped, 1U);
  EXPECT_EQ(outcome.error, EMSGSIZE);
  auto sent = bench.socket->take();
  EXPECT_EQ(sent.at(0).payload.substr(10), "hello");
  EXPECT_EQ(sent.at(1).payload.substr(10), "world");
}

/// Whatever anybody sends: nothing is delivered that did not come from the pinned client, and nothing is lost from
/// the count.
RC_GTEST_PROP(Association, EveryDatagramIsDeliveredOrCounted,
              (const std::vector<std::pair<bool, std::string>>& sent)) {
  Bench bench({kClient.ip(), kClient.port()});
  std::size_t ours = 0;
  for (const auto& [from_client, tail] : sent) {
    std::string payload = "\0\0\0\1\x08\x08\x08\x08\0\x35"s.substr(0, 4 + tail.size() % 8) + tail;
    if (payload.size() > 2) payload[2] = '\0';
    ours += from_client;
    bench.socket->put({from_client ? kClient : address("10.9.9.9", 1), "", payload});
  }
  auto got = sent.empty() ? std::vector<Packet>{} : bench.receive();
  RC_ASSERT(got.size() <= ours);
  RC_ASSERT(got.size() + bench.dropped() == sent.size());
}

}  // namespace
}  // namespace gost::socks5
