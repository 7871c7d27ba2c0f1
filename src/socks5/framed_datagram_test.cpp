#include "socks5/framed_datagram.hpp"

#include "net/memory_pipe.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cerrno>
#include <optional>
#include <tuple>

namespace gost::socks5 {
namespace {

struct Got {
  std::string peer;
  std::string name;
  std::string payload;
  friend bool operator==(const Got&, const Got&) = default;
};

/// A FramedDatagram and the plain stream at its other end.
class Framed {
 public:
  explicit Framed(const MemoryPipeOptions& pipe = {}, const FramedDatagramOptions& options = {}) {
    auto [near, far] = make_memory_pipe(pipe);
    datagram.emplace(std::move(near), SocketAddress(*IpAddress::parse("10.0.0.1"), 4000), options);
    peer = std::move(far);
  }

  /// Receives until nothing more comes; remembers how that ended.
  std::vector<Got> receive() {
    std::vector<Got> got;
    for (;;) {
      end = datagram->try_receive(batch);
      if (end.status != IoResult::Status::ok) return got;
      for (const auto& item : batch.items())
        got.push_back({item.peer.to_string(), std::string(item.name), std::string(as_text(item.payload))});
    }
  }
  void peer_sends(std::string_view hex) {
    auto bytes = *from_hex(hex);
    ASSERT_EQ(peer->try_write(bytes).bytes, bytes.size());
  }
  std::string peer_got() {
    std::string hex;
    std::array<std::uint8_t, 4096> buffer;
    for (;;) {
      IoResult io = peer->try_read(buffer);
      if (io.status != IoResult::Status::ok) return hex;
      hex += to_hex(Bytes(buffer).first(io.bytes));
    }
  }

  std::optional<FramedDatagram> datagram;
  std::unique_ptr<Stream> peer;
  DatagramBatch batch;
  IoResult end;
};

OutgoingDatagram to(std::string_view ip, std::uint16_t port, std::string_view payload, std::string_view head = {}) {
  return {SocketAddress(*IpAddress::parse(ip), port), {}, as_bytes(head), as_bytes(payload)};
}

const std::string kHello = "0005ff0108080808003568656c6c6f";

TEST(FramedDatagram, FramesGoOutAsOneWriteInOrder) {
  Framed framed;
  std::array out{to("8.8.8.8", 53, "llo", "he"), to("::1", 5, "x"),
                 OutgoingDatagram{SocketAddress(IpAddress(), 7), "ab", {}, as_bytes("y")}};
  SendOutcome outcome = framed.datagram->try_send(out);
  EXPECT_EQ(outcome.sent, 3U);
  EXPECT_EQ(outcome.dropped, 0U);
  EXPECT_EQ(framed.peer_got(), kHello + "0001ff0400000000000000000000000000000001000578" + "0001ff03026162000779");
  EXPECT_FALSE(framed.datagram->pending());
}

TEST(FramedDatagram, FramesArriveInWhateverPiecesTheyCome) {
  for (std::size_t piece : {1U, 2U, 7U, 1000U}) {
    Framed framed({.read_at_most = piece});
    framed.peer_sends(kHello + "0000ff017f0000010035" + "0001ff03026162000779");
    auto got = framed.receive();
    EXPECT_EQ(got,
              (std::vector<Got>{{"8.8.8.8:53", "", "hello"}, {"127.0.0.1:53", "", ""}, {"0.0.0.0:7", "ab", "y"}}))
        << piece;
    EXPECT_EQ(framed.end.status, IoResult::Status::would_block);
  }
}

TEST(FramedDatagram, AnUnfinishedFrameWaitsForItsRest) {
  Framed framed;
  for (std::size_t at = 0; at + 2 < kHello.size(); at += 2) {
    framed.peer_sends(kHello.substr(at, 2));
    EXPECT_TRUE(framed.receive().empty());
  }
  framed.peer_sends(kHello.substr(kHello.size() - 2));
  EXPECT_EQ(framed.receive().size(), 1U);
  framed.peer.reset();
  EXPECT_TRUE(framed.receive().empty());
  EXPECT_NE(framed.end.status, IoResult::Status::would_block);
}

TEST(FramedDatagram, TheEndOfTheStreamIsTheEndOfThePath) {
  Framed framed;
  framed.peer_sends(kHello + "0005ff01");
  framed.peer->try_shutdown();
  EXPECT_EQ(framed.receive().size(), 1U);
  EXPECT_EQ(framed.end.status, IoResult::Status::eof);
}

TEST(FramedDatagram, AMalformedFrameEndsThePathAfterTheGoodOnes) {
  Framed framed;
  framed.peer_sends(kHello + "0001ff09");
  EXPECT_EQ(framed.receive().size(), 1U);
  EXPECT_EQ(framed.end.status, IoResult::Status::error);
  EXPECT_EQ(framed.datagram->error(framed.end.error).cause, Cause::protocol);
  EXPECT_TRUE(framed.datagram->ready(Interest::read)) << "nobody waits for a path that has ended";
}

TEST(FramedDatagram, AMalformedFrameIsSeenAtItsFirstWrongByte) {
  Framed framed;
  for (const char* piece : {"ff", "ff", "ff"}) {
    framed.peer_sends(piece);
    EXPECT_TRUE(framed.receive().empty());
    EXPECT_EQ(framed.end.status, IoResult::Status::would_block);
  }
  framed.peer_sends("09");
  framed.receive();
  EXPECT_EQ(framed.end.status, IoResult::Status::error);
}

TEST(FramedDatagram, EmptyDatagramsAreSentOnlyToOurOwnKind) {
  std::array out{to("127.0.0.1", 1, "")};
  Framed gost;
  EXPECT_EQ(gost.datagram->try_send(out).dropped, 1U);
  EXPECT_EQ(gost.peer_got(), "");
  Framed ours({}, {.send_empty = true});
  EXPECT_EQ(ours.datagram->try_send(out).sent, 1U);
  EXPECT_EQ(ours.peer_got(), "0000ff017f0000010001");
}

TEST(FramedDatagram, WhatIsTooLongIsDroppedAndCountedBothWays) {
  Framed framed({}, {.max_payload = 4});
  std::array out{to("8.8.8.8", 53, "lo", "hel"), to("127.0.0.1", 1, "four")};
  SendOutcome outcome = framed.datagram->try_send(out);
  EXPECT_EQ(outcome.sent, 1U);
  EXPECT_EQ(outcome.dropped, 1U);
  EXPECT_EQ(outcome.error, EMSGSIZE);
  EXPECT_EQ(framed.peer_got(), "0004ff017f0000010001666f7572");
  framed.peer_sends(kHello + "0001ff017f000001000178");
  EXPECT_EQ(framed.receive(), (std::vector<Got>{{"127.0.0.1:1", "", "x"}}));
  EXPECT_EQ(framed.datagram->oversized(), 1U);
  EXPECT_EQ(framed.datagram->discarded(), 1U);
}

TEST(FramedDatagram, NamesThatDoNotFitAreDropped) {
  Framed framed;
  std::string name(256, 'n');
  std::array out{OutgoingDatagram{SocketAddress(), name, {}, as_bytes("x")}};
  EXPECT_EQ(framed.datagram->try_send(out).error, ENAMETOOLONG);
  EXPECT_EQ(framed.peer_got(), "");
}

TEST(FramedDatagram, ASlowStreamKeepsWhatWasBegunAndTakesNothingMore) {
  Framed framed({.capacity = 16});
  std::array out{to("8.8.8.8", 53, "hello"), to("8.8.8.8", 53, "hello"), to("8.8.8.8", 53, "hello")};
  EXPECT_EQ(framed.datagram->try_send(out).sent, 3U);
  EXPECT_TRUE(framed.datagram->pending());
  EXPECT_EQ(framed.datagram->try_send(out).dropped, 3U);
  std::string got = framed.peer_got();
  while (framed.datagram->pending()) {
    IoResult io = framed.datagram->try_flush();
    EXPECT_NE(io.status, IoResult::Status::error);
    got += framed.peer_got();
  }
  EXPECT_EQ(got, kHello + kHello + kHello);
}

TEST(FramedDatagram, WritesThatFailAreCountedAndEndWhatIsPending) {
  Framed framed({.fail_at = 0});
  std::array out{to("8.8.8.8", 53, "hello")};
  SendOutcome outcome = framed.datagram->try_send(out);
  EXPECT_EQ(outcome.sent, 0U);
  EXPECT_EQ(outcome.dropped, 1U);
  EXPECT_EQ(outcome.error, ECONNRESET);

  Framed slow({.capacity = 16});
  EXPECT_EQ(slow.datagram->try_send(std::array{out[0], out[0]}).sent, 2U);
  slow.peer.reset();
  EXPECT_EQ(slow.datagram->try_flush().status, IoResult::Status::error);
  EXPECT_FALSE(slow.datagram->pending());
}

TEST(FramedDatagram, TheLongestDatagramsPass) {
  Framed framed({.capacity = 300'000});
  std::string payload(65535, 'p');
  std::array out{to("127.0.0.1", 1, payload), to("127.0.0.1", 2, payload), to("127.0.0.1", 3, "end")};
  EXPECT_EQ(framed.datagram->try_send(out).sent, 3U);
  std::string sent = framed.peer_got();
  framed.peer_sends(sent);
  auto got = framed.receive();
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[1].payload, payload);
  EXPECT_EQ(got[2].payload, "end");
}

RC_GTEST_PROP(FramedDatagram, WhatIsSentArrivesThroughAnyPipe, ()) {
  auto capacity = *rc::gen::inRange<std::size_t>(1, 4000);
  auto piece = *rc::gen::inRange<std::size_t>(1, 3000);
  auto sizes = *rc::gen::container<std::vector<std::uint16_t>>(rc::gen::inRange<std::uint16_t>(0, 1500));
  auto [near, far] = make_memory_pipe({.capacity = capacity, .read_at_most = piece});
  FramedDatagram receiver(std::move(near), {}, {});
  FramedDatagram sender(std::move(far), {}, {.send_empty = true});
  std::vector<std::string> payloads;
  std::vector<OutgoingDatagram> out;
  for (std::uint16_t size : sizes) payloads.emplace_back(size, static_cast<char>('a' + size % 26));
  for (const auto& payload : payloads) out.push_back(to("10.1.2.3", static_cast<std::uint16_t>(out.size()), payload));
  RC_ASSERT(sender.try_send(out).sent == out.size());
  std::vector<std::string> got;
  DatagramBatch batch;
  bool all_sent = false;
  for (IoResult io; !all_sent || io.status == IoResult::Status::ok;) {
    all_sent = !sender.pending();
    io = receiver.try_receive(batch);
    for (const auto& item : batch.items()) {
      RC_ASSERT(item.peer.port() == got.size());
      got.emplace_back(as_text(item.payload));
    }
    std::ignore = sender.try_flush();
  }
  RC_ASSERT(got == payloads);
}

}  // namespace
}  // namespace gost::socks5
