// Sessions over a way for datagrams in memory: a dialer's carrier at one end, a listener's lobby at the other.
#include "kcp/carrier.hpp"

#include "kcp/lobby.hpp"
#include "net/memory_datagram.hpp"
#include "net/stream_io.hpp"
#include "observe/log_capture.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace gost::kcp {
namespace {

const SocketAddress kClient(IpAddress::v4({192, 0, 2, 1}), 4000);

/// Two ends of a KCP configuration on one loop.
class CarrierTest : public ::testing::Test, public StreamSink {
 public:
  CarrierTest() {
    options_.keys = {"test"};
    options_.mode = "fast3";
    options_.peer_timeout = std::chrono::seconds(5);
    connections_ = ConnectionOptions::make(options_).value();
    keys_ = Keys::derive(options_).value();
  }

  /// Runs `talk` with a client and a server.
  void run(std::function<Task<>(CarrierTest&)> talk) { io_.loop.run(main(std::move(talk))); }
  Task<> main(std::function<Task<>(CarrierTest&)> talk) {
    TaskGroup group(co_await this_scope());
    group_ = &group;
    auto [near, far] = make_memory_datagrams({.capacity = 4096});
    auto quota = std::make_shared<SessionQuota>(2, 1);
    lobby_ = std::make_unique<Lobby>(io_, *this, std::move(far), state(), connections_, quota, false, log());
    client_state_ = state();
    carrier_ = std::make_unique<Carrier>(io_, std::move(near), client_state_, connections_, nullptr, log());
    group.spawn(carry(lobby_->carrier()));
    group.spawn(carry(*carrier_));
    co_await talk(*this);
    accepted_.clear();
    group.stop();
    co_await group.join();
    carrier_.reset();
    lobby_.reset();
  }
  Logger log() { return Logger(lines_, Level::debug); }
  static Task<> carry(Carrier& carrier) { co_await carrier.run(); }
  std::shared_ptr<LoopState> state() { return LoopState::make(keys_).value(); }

  std::unique_ptr<Stream> dial(std::uint32_t conversation = 7) {
    PacketCrypt* crypt = client_state_->crypts.front().get();
    return carrier_->open({.peer = kClient, .local = {}, .crypt = crypt}, conversation).second;
  }
  Task<Stream*> accepted(std::size_t index = 0) {
    while (accepted_.size() <= index) co_await sleep_for(std::chrono::milliseconds(1));
    co_return accepted_[index].get();
  }

  void deliver(std::unique_ptr<Stream> stream) override { accepted_.push_back(std::move(stream)); }
  void deliver(std::unique_ptr<Datagram>, SocketAddress, SocketAddress) override {}
  void carry(Task<> task) override { group_->spawn(std::move(task)); }
  void enter_handshake(HandshakeGate::Slot&, Scope&) override {}
  void accept_failed(const Error& error, Duration) override { complaints_.push_back(error.text); }
  void warn(const SocketAddress&, const std::string&) override {}

  Options options_;
  std::shared_ptr<const ConnectionOptions> connections_;
  Keys keys_;
  IoContext io_{Loop::Time::simulated};
  TaskGroup* group_ = nullptr;
  std::shared_ptr<LoopState> client_state_;
  std::unique_ptr<Lobby> lobby_;
  std::unique_ptr<Carrier> carrier_;
  std::vector<std::unique_ptr<Stream>> accepted_;
  std::vector<std::string> complaints_;
  std::shared_ptr<LogCapture> lines_ = std::make_shared<LogCapture>();
};

Task<std::string> read_text(Stream& stream, std::size_t size) {
  std::string text(size, '\0');
  auto result = co_await read_exactly(stream, {reinterpret_cast<std::uint8_t*>(text.data()), size});
  co_return result ? text : result.error().text;
}

TEST_F(CarrierTest, BytesInBothDirections) {
  run([](CarrierTest& test) -> Task<> {
    auto client = test.dial();
    EXPECT_EQ(client->layers(), "memory,kcp");
    (co_await write_all(*client, as_bytes("hello"))).value();
    Stream* server = co_await test.accepted();
    EXPECT_EQ(server->remote(), kClient);
    EXPECT_EQ(co_await read_text(*server, 5), "hello");
    (co_await write_all(*server, as_bytes("good day"))).value();
    EXPECT_EQ(co_await read_text(*client, 8), "good day");
    while (client->undelivered() > 0) co_await sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(client->try_shutdown().error, ENOTSUP);
  });
}

Task<> write_much(Stream& stream, std::size_t size) {
  std::vector<std::uint8_t> data(size);
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::uint8_t>(i * 7 + i / 1000);
  (co_await write_all(stream, data)).value();
}

TEST_F(CarrierTest, ManyBytes) {
  run([](CarrierTest& test) -> Task<> {
    constexpr std::size_t kSize = 5'000'000;
    auto client = test.dial();
    test.group_->spawn(write_much(*client, kSize));
    Stream* server = co_await test.accepted();
    std::size_t read = 0;
    std::vector<std::uint8_t> some(100'000);
    bool intact = true;
    while (read < kSize) {
      auto got = co_await read_some(*server, some);
      if (!got || *got == 0) break;
      for (std::size_t i = 0; i < *got; ++i, ++read)
        intact = intact && some[i] == static_cast<std::uint8_t>(read * 7 + read / 1000);
    }
    EXPECT_EQ(read, kSize);
    EXPECT_TRUE(intact);
  });
}

TEST_F(CarrierTest, WhatWasWrittenBeforeTheEndArrives) {
  run([](CarrierTest& test) -> Task<> {
    {
      auto client = test.dial();
      (co_await write_all(*client, as_bytes("last words"))).value();
    }
    Stream* server = co_await test.accepted();
    EXPECT_EQ(co_await read_text(*server, 10), "last words");
    while (test.carrier_->sessions() > 0) co_await sleep_for(std::chrono::milliseconds(1));
  });
}

TEST_F(CarrierTest, PeerThatHasGone) {
  run([](CarrierTest& test) -> Task<> {
    auto client = test.dial();
    (co_await write_all(*client, as_bytes("hello"))).value();
    Stream* server = co_await test.accepted();
    EXPECT_EQ(co_await read_text(*server, 5), "hello");
    // The server forgets the session; what it wrote had arrived.
    (co_await write_all(*server, as_bytes("hi"))).value();
    EXPECT_EQ(co_await read_text(*client, 2), "hi");
    while (client->undelivered() > 0 || server->undelivered() > 0) co_await sleep_for(std::chrono::milliseconds(1));
    test.accepted_.clear();
    while (test.lobby_->carrier().sessions() > 0) co_await sleep_for(std::chrono::milliseconds(1));
    (co_await write_all(*client, as_bytes("again"))).value();
    EXPECT_EQ(co_await read_text(*client, 1), "read: kcp: the peer has forgotten the session, as after a restart");
    EXPECT_TRUE(test.accepted_.empty());
  });
}

TEST_F(CarrierTest, SilentPeer) {
  run([](CarrierTest& test) -> Task<> {
    auto client = test.dial();
    test.lobby_->close();
    (co_await write_all(*client, as_bytes("hello"))).value();
    const TimePoint begun = test.io_.loop.now();
    EXPECT_EQ(co_await read_text(*client, 1), "read: kcp: no acknowledgement for 5s");
    EXPECT_EQ(std::chrono::round<std::chrono::seconds>(test.io_.loop.now() - begun), std::chrono::seconds(5));
    EXPECT_EQ(client->try_write(as_bytes("x")).error, ETIMEDOUT);
  });
}

TEST_F(CarrierTest, NewConversationFromTheSameSource) {
  run([](CarrierTest& test) -> Task<> {
    auto client = test.dial(1);
    (co_await write_all(*client, as_bytes("one"))).value();
    Stream* first = co_await test.accepted();
    EXPECT_EQ(co_await read_text(*first, 3), "one");
    client->abort();
    client.reset();
    while (test.carrier_->sessions() > 0) co_await sleep_for(std::chrono::milliseconds(1));
    client = test.dial(2);
    (co_await write_all(*client, as_bytes("two"))).value();
    Stream* second = co_await test.accepted(1);
    EXPECT_EQ(co_await read_text(*second, 3), "two");
    EXPECT_EQ(co_await read_text(*first, 1), "read: kcp: the client has begun a new session");
    EXPECT_EQ(test.lobby_->carrier().sessions(), 1U);
  });
}

/// A lobby, and the far end of its way for datagrams.
class LobbyTest : public CarrierTest {
 public:
  void run(std::function<Task<>(LobbyTest&)> talk) { io_.loop.run(main(std::move(talk))); }
  Task<> main(std::function<Task<>(LobbyTest&)> talk) {
    TaskGroup group(co_await this_scope());
    group_ = &group;
    auto [near, far] = make_memory_datagrams({.capacity = 4096});
    client_state_ = state();
    way_ = std::move(near);
    auto quota = std::make_shared<SessionQuota>(2, 1);
    lobby_ = std::make_unique<Lobby>(io_, *this, std::move(far), state(), connections_, quota, false, log());
    group.spawn(carry(lobby_->carrier()));
    co_await talk(*this);
    accepted_.clear();
    group.stop();
    co_await group.join();
    lobby_.reset();
    way_.reset();
  }
  PacketCrypt& crypt() { return *client_state_->crypts.front(); }
  void send(Bytes packet, const SocketAddress& source = kClient) {
    const OutgoingDatagram datagram{.peer = source, .name = {}, .head = {}, .payload = packet};
    EXPECT_EQ(way_->try_send({&datagram, 1}).sent, 1U);
  }
  void send(const Segment& segment, const SocketAddress& source = kClient) {
    std::vector<std::uint8_t> packet(kCryptHeader + kSegmentHeader);
    encode_header(segment, MutableBytes(packet).subspan(kCryptHeader));
    seal(crypt(), client_state_->nonces, packet);
    send(packet, source);
  }
  /// The segments that have come back a moment later.
  Task<std::vector<Segment>> answers() {
    co_await sleep_for(std::chrono::milliseconds(1));
    std::vector<Segment> segments;
    if (way_->try_receive(io_.datagrams).status != IoResult::Status::ok) co_return segments;
    for (const ReceivedDatagram& datagram : io_.datagrams.items()) {
      auto bytes = kcp::open(crypt(), in_place(datagram));
      EXPECT_TRUE(bytes);
      if (bytes) segments.push_back(OpenedPacket(*bytes).first.value());
    }
    co_return segments;
  }

  std::unique_ptr<Datagram> way_;
};

TEST_F(LobbyTest, ToAStrangersSessionItSaysWhatItKnowsAndAcknowledgesNothing) {
  run([](LobbyTest& test) -> Task<> {
    const Segment replayed{.conversation = 9, .command = Command::push, .timestamp = 1234, .number = 77, .una = 5};
    for (int copy = 0; copy < 20; ++copy) test.send(replayed);
    auto answers = co_await test.answers();
    EXPECT_EQ(answers.size(), 1U) << "copies get no more answers";
    if (answers.empty()) co_return;
    EXPECT_EQ(answers[0].conversation, 9U);
    EXPECT_EQ(answers[0].command, Command::tell);
    EXPECT_EQ(answers[0].window, 1024U);
    EXPECT_EQ(answers[0].timestamp, 1234U);
    EXPECT_EQ(answers[0].number, 77U);
    EXPECT_EQ(answers[0].una, 0U);
    // Others are not held up by that, nor is the same source later.
    test.send(replayed, SocketAddress(IpAddress::v4({192, 0, 2, 2}), 4000));
    answers = co_await test.answers();
    EXPECT_EQ(answers.size(), 1U);
    co_await sleep_for(AnswerLimit::kPause);
    test.send(replayed);
    answers = co_await test.answers();
    EXPECT_EQ(answers.size(), 1U);
    EXPECT_EQ(test.lobby_->carrier().sessions(), 0U);
  });
}

TEST_F(LobbyTest, PacketsThatDoNotOpenAreToldOnceAMinute) {
  run([](LobbyTest& test) -> Task<> {
    const std::vector<std::uint8_t> noise(100, 1);
    for (int i = 0; i < 50; ++i) test.send(noise);
    test.send(Bytes(noise).first(3));
    co_await sleep_for(std::chrono::seconds(1));
    auto lines = test.lines_->take();
    EXPECT_EQ(lines.size(), 1U);
    if (lines.empty()) co_return;
    EXPECT_NE(lines[0].find("packets that did not open: 1, the last from 192.0.2.1:4000"), std::string::npos);
    EXPECT_NE(lines[0].find("warn"), std::string::npos);
    co_await sleep_for(std::chrono::minutes(1));
    test.send(noise);
    co_await sleep_for(std::chrono::seconds(1));
    lines = test.lines_->take();
    EXPECT_EQ(lines.size(), 1U);
    if (!lines.empty()) EXPECT_NE(lines[0].find("did not open: 51,"), std::string::npos) << lines[0];
  });
}

TEST_F(LobbyTest, WhatIsDroppedIsCountedAtTheSession) {
  run([](LobbyTest& test) -> Task<> {
    const Segment first{.conversation = 9, .command = Command::push};
    test.send(first);
    const std::vector<std::uint8_t> noise(100, 1);
    test.send(noise);
    test.send(Bytes(noise).first(3));
    test.send(std::vector<std::uint8_t>(kMaxPacket + 1));
    test.send({.conversation = 10, .command = Command::ack});
    co_await test.accepted();
    co_await sleep_for(std::chrono::seconds(1));
    EXPECT_EQ(test.lobby_->carrier().sessions(), 1U);
    test.accepted_[0]->abort();
    test.accepted_.clear();
    co_await sleep_for(std::chrono::seconds(6));
    EXPECT_EQ(test.lobby_->carrier().sessions(), 0U);
    auto lines = test.lines_->take();
    EXPECT_EQ(lines.size(), 1U);
    if (lines.empty()) co_return;
    EXPECT_NE(lines[0].find("1 packets did not open, 2 were malformed, 1 of another conversation, 0 of no use to "
                            "error correction"),
              std::string::npos)
        << lines[0];
  });
}

TEST_F(CarrierTest, EndOfTheWay) {
  run([](CarrierTest& test) -> Task<> {
    auto client = test.dial();
    (co_await write_all(*client, as_bytes("hello"))).value();
    co_await test.accepted();
    test.group_->stop();
    EXPECT_TRUE(client->ready(Interest::write));
  });
}

}  // namespace
}  // namespace gost::kcp
