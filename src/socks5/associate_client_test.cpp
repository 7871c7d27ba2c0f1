#include "socks5/associate_client.hpp"

#include "component/testing/scripted_proxy.hpp"
#include "socks5/udp_codec.hpp"

#include <cerrno>

namespace gost::socks5 {
namespace {

using namespace std::chrono_literals;
using testing::DatagramScript;
using testing::Packet;
using testing::ScriptedDatagram;
using testing::ScriptedProxy;

SocketAddress address(std::string_view ip, std::uint16_t port) {
  return {*IpAddress::parse(ip), port};
}

const SocketAddress kRelay = address("192.0.2.1", 0x5a93);
const SocketAddress kPeer = address("127.0.0.1", 0x5a8f);

std::string bytes(std::string_view hex, std::string_view text = "") {
  return std::string(as_text(*from_hex(hex))) + std::string(text);
}
const std::string kHeader = bytes("000000017f0000015a8f");

class AssociateClient : public ::testing::Test {
 protected:
  void begin(std::size_t buffer_size = 4096, const MemoryPipeOptions& pipe = {}) {
    auto [near, far] = make_memory_pipe(pipe);
    control_ = std::move(far);
    datagram_.emplace(io_.loop, std::move(near), std::make_unique<ScriptedDatagram>(path_), kRelay, buffer_size);
  }
  std::vector<Packet> receive() {
    std::vector<Packet> got;
    end_ = datagram_->try_receive(io_.datagrams);
    for (const auto& item : io_.datagrams.items())
      got.push_back({item.peer, std::string(item.name), std::string(as_text(item.payload))});
    return got;
  }
  void from_relay(std::string payload) { path_->put({kRelay, "", std::move(payload)}); }
  SendOutcome send(const OutgoingDatagram& datagram) { return datagram_->try_send({&datagram, 1}); }

  /// Some turns of the loop, in which coroutines that were woken run.
  void turns() { io_.loop.run(some_turns()); }
  static Task<> some_turns() {
    for (int i = 0; i < 8; ++i) co_await yield();
  }
  static Task<> one_turn() { co_await yield(); }
  static Task<> later(Duration time) { co_await sleep_for(time); }

  IoContext io_{Loop::Time::simulated};
  std::shared_ptr<DatagramScript> path_ = std::make_shared<DatagramScript>();
  std::unique_ptr<Stream> control_;
  std::optional<AssociatedDatagram> datagram_;
  IoResult end_;
};

TEST_F(AssociateClient, DatagramsGoToTheRelayWithTheirHeader) {
  begin();
  EXPECT_EQ(send({.peer = kPeer, .payload = as_bytes("ping")}).sent, 1U);
  EXPECT_EQ(send({.peer = SocketAddress(IpAddress(), 53), .name = "ab", .payload = as_bytes("x")}).sent, 1U);
  EXPECT_EQ(path_->take(), (std::vector<Packet>{{kRelay, "", kHeader + "ping"},
                                                {kRelay, "",
                                                 bytes("00000003026162"
                                                       "0035",
                                                       "x")}}));
  EXPECT_TRUE(datagram_->takes_names());
}

TEST_F(AssociateClient, AHeadOfTheCallerStaysBehindTheHeader) {
  begin();
  const std::array out{OutgoingDatagram{kPeer, {}, as_bytes("a"), as_bytes("b")},
                       OutgoingDatagram{kPeer, {}, as_bytes("c"), as_bytes("d")}};
  EXPECT_EQ(datagram_->try_send(out).sent, 2U);
  EXPECT_EQ(path_->take(), (std::vector<Packet>{{kRelay, "", kHeader + "ab"}, {kRelay, "", kHeader + "cd"}}));
}

TEST_F(AssociateClient, ManyDatagramsKeepTheirOrderAndTheirHeaders) {
  begin();
  std::vector<OutgoingDatagram> out;
  std::vector<Packet> expected;
  const std::string name(200, 'n');
  for (std::uint16_t i = 0; i < 100; ++i) {
    auto port = static_cast<std::uint16_t>(i / 3);
    std::string_view host = i % 2 == 0 ? std::string_view(name) : std::string_view();
    out.push_back({SocketAddress(IpAddress(), port), host, {}, as_bytes("p")});
    auto header = encode_udp_header({SocketAddress(IpAddress(), port), host});
    expected.push_back({kRelay, "", std::string(as_text(header.view())) + "p"});
  }
  EXPECT_EQ(datagram_->try_send(out).sent, 100U);
  EXPECT_EQ(path_->take(), expected);
}

TEST_F(AssociateClient, TooLongIsDroppedNotCut) {
  begin(14);
  const std::array out{OutgoingDatagram{kPeer, {}, {}, as_bytes("hello")},
                       OutgoingDatagram{kPeer, {}, {}, as_bytes("ping")}};
  SendOutcome outcome = datagram_->try_send(out);
  EXPECT_EQ(outcome.sent, 1U);
  EXPECT_EQ(outcome.dropped, 1U);
  EXPECT_EQ(outcome.error, EMSGSIZE);
  EXPECT_EQ(path_->take(), (std::vector<Packet>{{kRelay, "", kHeader + "ping"}}));
  from_relay(kHeader + std::string(15, 'x'));
  from_relay(kHeader + std::string(14, 'y'));
  EXPECT_EQ(receive(), (std::vector<Packet>{{kPeer, "", std::string(14, 'y')}}));
  EXPECT_EQ(datagram_->discarded(), 1U);
}

TEST_F(AssociateClient, WhatThePathDropsIsTold) {
  begin();
  path_->send_error = ENETUNREACH;
  SendOutcome outcome = send({.peer = kPeer, .payload = as_bytes("ping")});
  EXPECT_EQ(outcome.dropped, 1U);
  EXPECT_EQ(outcome.error, ENETUNREACH);
  const std::string long_name(256, 'n');
  path_->send_error = 0;
  EXPECT_EQ(send({.peer = kPeer, .name = long_name, .payload = as_bytes("x")}).error, ENAMETOOLONG);
}

// The vectors udp-assoc-client-*.
TEST_F(AssociateClient, AnswersOfEveryKindOfSourceAreDelivered) {
  begin();
  from_relay(kHeader + "pong");
  from_relay(bytes("00000003096c6f63616c686f73745a8f", "pong-dom"));
  from_relay(bytes("00000004000000000000000000000000000000015a8f", "six"));
  from_relay(kHeader);
  EXPECT_EQ(receive(), (std::vector<Packet>{{kPeer, "", "pong"},
                                            {SocketAddress(IpAddress(), 0x5a8f), "localhost", "pong-dom"},
                                            {address("::1", 0x5a8f), "", "six"},
                                            {kPeer, "", ""}}));
  EXPECT_EQ(datagram_->discarded(), 0U);
}

TEST_F(AssociateClient, RsvIsIgnored) {
  begin();
  from_relay(bytes("000400017f0000015a8f", "pong-rsv"));
  EXPECT_EQ(receive(), (std::vector<Packet>{{kPeer, "", "pong-rsv"}}));
}

TEST_F(AssociateClient, OneBadDatagramHarmsOnlyItself) {
  begin();
  from_relay(bytes("00000001"));
  from_relay(
      bytes("00000009"
            "7f0000015a8f"));
  from_relay("");
  path_->put({address("192.0.2.1", 1), "", kHeader + "foreign port"});
  path_->put({address("192.0.2.2", 0x5a93), "", kHeader + "foreign host"});
  from_relay(kHeader + "good");
  EXPECT_EQ(receive(), (std::vector<Packet>{{kPeer, "", "good"}}));
  EXPECT_EQ(datagram_->discarded(), 5U);
}

TEST_F(AssociateClient, FragmentsArePutTogether) {
  begin();
  from_relay(bytes("000001017f0000015a8f", "one "));
  from_relay(kHeader + "between");
  from_relay(bytes("000082017f0000015a8f", "two"));
  from_relay(
      bytes("00008103026162"
            "0035",
            "name"));
  EXPECT_EQ(receive(),
            (std::vector<Packet>{
                {kPeer, "", "between"}, {kPeer, "", "one two"}, {SocketAddress(IpAddress(), 53), "ab", "name"}}));
  from_relay(bytes("000001017f0000015a8f", "never finished"));
  EXPECT_TRUE(receive().empty());
  io_.loop.run(later(6s));
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(end_.status, IoResult::Status::would_block);
  EXPECT_EQ(datagram_->discarded(), 1U);
}

Task<IoResult> wait_and_receive(IoContext& io, Datagram& datagram) {
  for (;;) {
    IoResult result = datagram.try_receive(io.datagrams);
    if (result.status != IoResult::Status::would_block) co_return result;
    if (co_await datagram.until(Interest::read) != Outcome::ready) co_return IoResult::failed(ECANCELED);
  }
}

Task<> close_later(std::unique_ptr<Stream>& control, bool abort) {
  co_await sleep_for(1s);
  if (abort) control->abort();
  control.reset();
}

Task<IoResult> receive_while_control_ends(IoContext& io, Datagram& datagram, std::unique_ptr<Stream>& control,
                                          bool abort) {
  TaskGroup group(co_await this_scope());
  group.spawn(close_later(control, abort));
  IoResult result = co_await with_deadline(1min, wait_and_receive(io, datagram));
  co_await group.join();
  co_return result;
}

TEST_F(AssociateClient, TheEndOfTheControlStreamEndsThePath) {
  for (bool abort : {false, true}) {
    begin();
    IoResult result = io_.loop.run(receive_while_control_ends(io_, *datagram_, control_, abort));
    EXPECT_EQ(result.status, IoResult::Status::eof);
    EXPECT_TRUE(datagram_->ready(Interest::read));
    EXPECT_EQ(send({.peer = kPeer, .payload = as_bytes("x")}).error, EPIPE);
    EXPECT_EQ(datagram_->try_flush().status, IoResult::Status::eof);
    EXPECT_TRUE(path_->take().empty());
  }
}

TEST_F(AssociateClient, AControlStreamThatHasEndedAlreadyIsSeenAtOnce) {
  auto [near, far] = make_memory_pipe();
  far.reset();
  datagram_.emplace(io_.loop, std::move(near), std::make_unique<ScriptedDatagram>(path_), kRelay, 4096U);
  from_relay(kHeader + "late");
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(end_.status, IoResult::Status::eof);
}

TEST_F(AssociateClient, BytesOnTheControlStreamAreForgotten) {
  begin(4096, {.read_at_most = 1});
  const std::vector<std::uint8_t> chatter(300, 'c');
  EXPECT_EQ(control_->try_write(chatter).bytes, chatter.size());
  io_.loop.run(later(1s));
  from_relay(kHeader + "pong");
  EXPECT_EQ(receive().size(), 1U);
  datagram_.reset();
  std::array<std::uint8_t, 1> byte{};
  EXPECT_EQ(control_->try_read(byte).status, IoResult::Status::eof) << "closing the path closes the control stream";
}

TEST_F(AssociateClient, ClosingItWhileItsControlStreamWakesIsSafe) {
  const std::vector<std::uint8_t> byte{'c'};
  for (int turns_after = 0; turns_after < 3; ++turns_after) {
    for (bool end : {false, true}) {
      begin();
      turns();
      control_->try_write(byte);  // the watch is in the loop's queue from here on
      if (end) control_.reset();
      for (int i = 0; i < turns_after; ++i) io_.loop.run(one_turn());
      datagram_.reset();
      turns();
    }
  }
  begin();
  turns();
  control_->try_write(byte);
  datagram_.reset();  // and the loop ends before its queue has run
}

// Clients of a proxy that is reached through a proxy have an association within an association.
TEST_F(AssociateClient, AssociationsNest) {
  begin();
  auto [near, far] = make_memory_pipe();
  auto outer_relay = address("198.51.100.9", 9);
  auto inner = std::make_unique<AssociatedDatagram>(
      io_.loop, std::move(near), std::make_unique<ScriptedDatagram>(path_), kRelay, std::size_t{4096});
  auto [outer_near, outer_far] = make_memory_pipe();
  AssociatedDatagram outer(io_.loop, std::move(outer_near), std::move(inner), outer_relay, 4096);
  const OutgoingDatagram out{.peer = kPeer, .payload = as_bytes("x")};
  EXPECT_EQ(outer.try_send({&out, 1}).sent, 1U);
  std::string both = bytes("00000001c63364090009") + kHeader;
  EXPECT_EQ(path_->take(), (std::vector<Packet>{{kRelay, "", both + "x"}}));
  from_relay(both + "y");
  outer.try_receive(io_.datagrams);
  ASSERT_EQ(io_.datagrams.items().size(), 1U);
  EXPECT_EQ(as_text(io_.datagrams.items()[0].payload), "y");
  EXPECT_EQ(outer.layers(), "script,socks5,socks5");
  IoResult result = io_.loop.run(receive_while_control_ends(io_, outer, far, false));
  EXPECT_EQ(result.status, IoResult::Status::eof) << "the first proxy's control stream ends";
}

/// A stream that leads to 203.0.113.7.
class StreamToProxy final : public Stream {
 public:
  explicit StreamToProxy(SocketAddress remote) : remote_(remote) {}
  IoResult try_read(MutableBytes) override { return IoResult::would_block(); }
  IoResult try_write(Bytes from) override { return IoResult::moved(from.size()); }
  IoResult try_shutdown() override { return IoResult::moved(0); }
  void abort() override {}
  bool ready(Interest) const override { return false; }
  Wait*& waiting(Interest) override { return wait_; }
  SocketAddress local() const override { return {}; }
  SocketAddress remote() const override { return remote_; }
  std::string layers() const override { return "tcp"; }

 private:
  SocketAddress remote_;
  Wait* wait_ = nullptr;
};

Task<Result<std::vector<IpAddress>>> scripted_lookup(IoContext&, std::string host, Family family) {
  if (host == "both" || (host == "four" && family == Family::v4) || (host == "six" && family == Family::v6))
    co_return std::vector{family == Family::v4 ? *IpAddress::parse("10.0.0.4") : *IpAddress::parse("fd00::6")};
  co_return fail(Cause::host_unreachable, "lookup " + host + ": no such host");
}

class RelayPlace : public ::testing::Test {
 protected:
  std::string locate(Endpoint bound, std::string proxy, bool direct = true,
                     SocketAddress remote = address("203.0.113.7", 1080)) {
    ScriptedProxy underlay;
    underlay.address.host = std::move(proxy);
    underlay.first_of_chain = direct;
    StreamToProxy control(remote);
    auto relay = io_.loop.run(locate_relay(io_, underlay, control, std::move(bound), &scripted_lookup));
    return relay ? relay->to_string() : relay.error().text;
  }
  IoContext io_{Loop::Time::simulated};
};

TEST_F(RelayPlace, AnAddressIsTakenAsItIs) {
  EXPECT_EQ(locate({"127.0.0.1", 5}, "192.0.2.1"), "127.0.0.1:5");
  EXPECT_EQ(locate({"fd00::1", 5}, "192.0.2.1"), "[fd00::1]:5");
}

TEST_F(RelayPlace, AnUnspecifiedAddressIsTheProxysOwn) {
  for (const char* any : {"0.0.0.0", "::", ""}) {
    EXPECT_EQ(locate({any, 5}, "192.0.2.1"), "192.0.2.1:5");
    EXPECT_EQ(locate({any, 5}, "both"), "203.0.113.7:5") << "to which the control stream leads";
    EXPECT_EQ(locate({any, 5}, ""), "203.0.113.7:5");
    EXPECT_EQ(locate({any, 5}, "both", false), "10.0.0.4:5") << "the control stream leads to another proxy";
    EXPECT_EQ(locate({any, 5}, "six", true, {}), "[fd00::6]:5");
    EXPECT_EQ(locate({any, 5}, "", false), "127.0.0.1:5") << "the machine of the proxy before it";
  }
}

TEST_F(RelayPlace, ANameIsLookedUp) {
  EXPECT_EQ(locate({"both", 5}, "192.0.2.1"), "10.0.0.4:5");
  EXPECT_EQ(locate({"six", 5}, "192.0.2.1"), "[fd00::6]:5");
  EXPECT_EQ(locate({"nowhere", 5}, "192.0.2.1"), "the address of the proxy's relay: lookup nowhere: no such host");
}

TEST_F(RelayPlace, WithoutAPortThereIsNoRelay) {
  EXPECT_EQ(locate({"127.0.0.1", 0}, "192.0.2.1"), "the proxy names no port for its relay");
}

}  // namespace
}  // namespace gost::socks5
