#include "ws/stream.hpp"

#include "net/relay.hpp"
#include "net/tcp.hpp"
#include "ws/testing/jealous.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace gost::ws {
namespace {

using namespace std::chrono_literals;
using testing::described;
using testing::frame;
using testing::Jealous;
using testing::Lone;
using testing::message;
using testing::noise;
using testing::OverJealous;
using testing::Pair;
using testing::read_to_end;
using testing::write_whole;

constexpr auto kOk = IoResult::Status::ok;
constexpr auto kWouldBlock = IoResult::Status::would_block;

std::string text_of(std::size_t size, std::uint32_t seed = 1) {
  return std::string(as_text(noise(size, seed)));
}

TEST(WsStream, AWriteIsOneBinaryMessageMaskedByTheClientOnly) {
  for (Role role : {Role::server, Role::client}) {
    for (std::size_t size : {1U, 125U, 126U, 65'535U, 65'536U}) {
      Lone lone(role, {}, {.capacity = 200'000});
      const std::string sent = text_of(size);
      write_whole(*lone.end, sent);
      const std::string raw = lone.raw();
      EXPECT_EQ(described(role, raw), message(sent)) << size;
      EXPECT_EQ(raw[0], '\x82');
      EXPECT_EQ((raw[1] & 0x80) != 0, role == Role::client);
    }
  }
}

TEST(WsStream, ALongWriteBecomesMessagesOfTheSizeThatIsSet) {
  Lone lone(Role::server, {.sender = {.max_payload = 100}});
  write_whole(*lone.end, std::string(250, 'x'));
  EXPECT_EQ(lone.heard(), message(std::string(100, 'x')) + " | " + message(std::string(100, 'x')) + " | " +
                              message(std::string(50, 'x')));
}

TEST(WsStream, MaskKeysDiffer) {
  Lone lone(Role::client);
  write_whole(*lone.end, "a");
  const std::string first = lone.raw();
  write_whole(*lone.end, "a");
  EXPECT_NE(first, lone.raw());
}

/// Writes `sent` to a peer that reads in pieces, with pings in between.
void through_a_narrow_pipe(Role role, bool jealous, bool compression, std::size_t capacity) {
  IoContext io{Loop::Time::simulated};
  auto [near, peer] = make_memory_pipe({.capacity = capacity});
  if (jealous) near = std::make_unique<Jealous>(std::move(near));
  WsStream end(io, std::move(near), {.sender = {.role = role, .compression = compression}});
  const std::string sent = text_of(200'000, 3);
  std::string_view left = sent;
  std::string raw;
  std::vector<std::uint8_t> buffer(70'000);
  for (int turn = 0; !left.empty() || turn % 5 != 0; ++turn) {
    if (turn % 5 == 0) {
      const std::string ping = frame(role, Opcode::ping, std::to_string(turn % 10));
      peer->try_write(as_bytes(ping));
      EXPECT_EQ(end.try_read(buffer).status, kWouldBlock);
    }
    IoResult wrote = left.empty() ? IoResult::moved(0) : end.try_write(as_bytes(left));
    ASSERT_NE(wrote.status, IoResult::Status::error);
    left.remove_prefix(wrote.bytes);
    IoResult read = peer->try_read(MutableBytes(buffer).first(1 + static_cast<std::size_t>(turn * 37) % 5'000));
    if (read.status == kOk) raw += as_text(Bytes(buffer).first(read.bytes));
    if (turn % 5 == 1) EXPECT_LE(io.buffers.kept(), 4U);
  }
  for (IoResult read = IoResult::moved(0); read.status == kOk || end.undelivered() > 0;
       read = peer->try_read(buffer)) {
    raw += as_text(Bytes(buffer).first(read.bytes));
    end.try_read(MutableBytes(buffer).subspan(69'000));  // sends what is queued
  }
  // All frames are whole, and the payload is what was sent.
  Lone other(role == Role::client ? Role::server : Role::client, {.sender = {.compression = compression}},
             {.capacity = 1'000'000});
  other.put(raw);
  EXPECT_TRUE(other.get() == sent);
  EXPECT_EQ(other.last.status, kWouldBlock);
}

TEST(WsStream, AFrameThatHasBegunIsFinishedWithTheSameBytes) {
  for (Role role : {Role::server, Role::client})
    for (bool jealous : {false, true})
      for (bool compression : {false, true})
        for (std::size_t capacity : {10U, 1'000U, 65'536U, 300'000U}) {
          SCOPED_TRACE((role == Role::client ? "client " : "server ") + std::to_string(capacity) +
                       (jealous ? " jealous" : "") + (compression ? " compressed" : ""));
          through_a_narrow_pipe(role, jealous, compression, capacity);
        }
}

TEST(WsStream, ACallerThatComesBackWithLessLosesNothing) {
  for (bool compression : {false, true}) {
    Lone lone(Role::client, {.sender = {.compression = compression}}, {.capacity = 20});
    const std::string sent = text_of(100);
    std::string raw;
    std::string_view left = sent;
    while (!left.empty()) {
      IoResult io = lone.end->try_write(as_bytes(left.size() % 3 == 0 ? left : left.substr(0, 7)));
      left.remove_prefix(io.bytes);
      raw += lone.raw();
    }
    if (!compression)
      EXPECT_EQ(described(Role::client, raw), message(sent.substr(0, 7)) + described(Role::client, raw).substr(22));
    Lone other(Role::server, {.sender = {.compression = compression}});
    other.put(raw);
    EXPECT_EQ(other.get(), sent);
  }
}

TEST(WsStream, APongWaitsForTheFrameThatIsUnderWayAndForRoom) {
  Lone lone(Role::server, {}, {.capacity = 50});
  EXPECT_EQ(lone.end->try_write(as_bytes(std::string(60, 'x'))).bytes, 48U);
  lone.put(Opcode::ping, "p");
  EXPECT_EQ(lone.get(), "");
  const std::string first = lone.raw();
  EXPECT_EQ(first.size(), 50U);
  EXPECT_EQ(lone.end->try_write(as_bytes(std::string(12, 'x'))).bytes, 12U);
  EXPECT_EQ(described(Role::server, first + lone.raw()), message(std::string(60, 'x')) + " | pong 70");
}

TEST(WsStream, APongForWhichThereIsNoRoomIsSentLaterByItself) {
  Lone lone(Role::server, {}, {.capacity = 50});
  EXPECT_EQ(lone.end->try_write(as_bytes(std::string(48, 'x'))).bytes, 48U);
  lone.put(Opcode::ping, "p");
  EXPECT_EQ(lone.get(), "");
  lone.io.loop.run([](Lone& l) -> Task<> {
    co_await sleep_for(1s);
    EXPECT_EQ(l.heard(), message(std::string(48, 'x')));
    co_await sleep_for(1s);
    EXPECT_EQ(l.heard(), "pong 70");
  }(lone));
}

TEST(WsStream, APongIsSentAlsoIfTheFrameBeforeItLeavesNoRoom) {
  Lone lone(Role::server, {}, {.capacity = 50});
  EXPECT_EQ(lone.end->try_write(as_bytes(std::string(60, 'x'))).bytes, 48U);
  lone.put(Opcode::ping, "p");
  EXPECT_EQ(lone.get(), "");
  std::array<std::uint8_t, 12> front{};
  EXPECT_EQ(lone.peer->try_read(front).bytes, 12U);
  EXPECT_EQ(lone.end->try_write(as_bytes(std::string(12, 'x'))).bytes, 12U);
  EXPECT_EQ(described(Role::server, std::string(as_text(front)) + lone.raw()), message(std::string(60, 'x')));
  lone.io.loop.run([](Lone& l) -> Task<> {
    co_await sleep_for(2s);
    EXPECT_EQ(l.heard(), "pong 70");
  }(lone));
}

TEST(WsStream, APeerThatDoesNotReadItsPongCostsAlmostNothing) {
  OverJealous lone(Role::server, {}, {.capacity = 50});
  write_whole(*lone.end, std::string(48, 'x'));
  lone.put(Opcode::ping, "p");
  EXPECT_EQ(lone.get(), "");
  lone.below.tries = lone.below.looks = 0;
  lone.io.loop.run([](OverJealous& l) -> Task<> {
    co_await sleep_for(100s);
    EXPECT_EQ(l.below.tries, 0);
    EXPECT_LT(l.below.looks, 120);
    EXPECT_EQ(l.heard(), message(std::string(48, 'x')));
    co_await sleep_for(1s);
    EXPECT_EQ(l.heard(), "pong 70");
  }(lone));
}

TEST(WsStream, ControlFramesAreBoundedThoughTheirQueueIsNeverEmpty) {
  for (const std::size_t read : {50U, 90U}) {
    auto [near, peer] = make_memory_pipe({.capacity = 1'000});
    BufferPool buffers;
    FrameSender sender(*near, buffers, {.role = Role::server});
    std::string raw;
    std::array<std::uint8_t, 100> into{};
    for (int i = 0; i < 3'000; ++i) {
      sender.queue(Opcode::pong, as_bytes(std::to_string(i) + std::string(60, '.')));
      sender.flush();
      ASSERT_LT(sender.queued(), 5'000U) << i;
      raw += as_text(Bytes(into).first(peer->try_read(MutableBytes(into).first(read)).bytes));
    }
    while (sender.queued() > 0) {
      sender.flush();
      raw += as_text(Bytes(into).first(peer->try_read(into).bytes));
    }
    for (IoResult io = peer->try_read(into); io.status == kOk; io = peer->try_read(into))
      raw += as_text(Bytes(into).first(io.bytes));
    const std::string heard = described(Role::server, raw);
    EXPECT_TRUE(heard.ends_with("pong " + to_hex(as_bytes("2999" + std::string(60, '.'))))) << heard.substr(0, 1000);
  }
}

TEST(WsStream, EveryPingIsAnsweredAndPongsThatNobodyReadsDoNotPileUp) {
  Lone lone(Role::server, {}, {.capacity = 60'000});
  std::string pings;
  std::string pongs;
  for (int i = 0; i < 300; ++i) {
    const std::string payload = std::to_string(i) + std::string(100, '.');
    pings += frame(Role::server, Opcode::ping, payload);
    pongs += (i > 0 ? " | pong " : "pong ") + to_hex(as_bytes(payload));
  }
  lone.put(pings);
  EXPECT_EQ(lone.get(), "");
  EXPECT_EQ(lone.heard(), pongs);

  // The same with a peer that does not read: the last one is answered, and few of the others.
  Lone deaf(Role::server, {}, {.capacity = 60'000});
  write_whole(*deaf.end, std::string(59'996, 'x'));
  deaf.put(pings);
  EXPECT_EQ(deaf.get(), "");
  EXPECT_EQ(deaf.raw().size(), 60'000U);
  EXPECT_EQ(deaf.get(), "");
  const std::string raw = deaf.raw();
  EXPECT_LT(raw.size(), 5'000U);
  const std::string heard = described(Role::server, raw);
  EXPECT_TRUE(heard.starts_with("pong ") && heard.ends_with(pongs.substr(pongs.rfind(" | ")))) << heard;
}

TEST(WsStream, WhoSendsNothingButOverheadDoesNotKeepTheLoopForItself) {
  Lone lone(Role::server, {}, {.capacity = 2'000'000});
  std::string nothing;
  while (nothing.size() < 900'000) nothing += frame(Role::server, Opcode::binary, "");
  lone.put(nothing + frame(Role::server, Opcode::binary, "a"));
  std::array<std::uint8_t, 10> got{};
  EXPECT_EQ(lone.end->try_read(got).status, kWouldBlock);
  EXPECT_FALSE(lone.end->ready(Interest::read)) << "others go first";
  lone.io.loop.run([](Lone& l) -> Task<> {
    std::array<std::uint8_t, 1> byte{};
    EXPECT_TRUE(co_await read_exactly(*l.end, byte));
    EXPECT_EQ(byte[0], 'a');
  }(lone));
}

TEST(WsStream, ASmallReadLeavesTheRestReadable) {
  Lone lone(Role::server);
  lone.put(frame(Role::server, Opcode::binary, "abc") + frame(Role::server, Opcode::text, "def"));
  std::string all;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(lone.end->ready(Interest::read)) << i;
    std::array<std::uint8_t, 2> two{};
    IoResult got = lone.end->try_read(two);
    ASSERT_EQ(got.status, kOk);
    all += as_text(Bytes(two).first(got.bytes));
  }
  EXPECT_EQ(all, "abcdef");
  EXPECT_FALSE(lone.end->ready(Interest::read));
}

TEST(WsStream, BytesThatCameWithTheHandshakeAreRead) {
  IoContext io{Loop::Time::simulated};
  auto [near, peer] = make_memory_pipe();
  const std::string first = frame(Role::client, Opcode::binary, "early") + "\x82";
  WsStream end(io, std::move(near), {.sender = {.role = Role::client}}, as_bytes(first));
  EXPECT_TRUE(end.ready(Interest::read));
  EXPECT_EQ(peer->try_write(as_bytes("\x01!")).bytes, 2U);
  std::array<std::uint8_t, 20> got{};
  ASSERT_EQ(end.try_read(got).bytes, 6U);
  EXPECT_EQ(as_text(Bytes(got).first(6)), "early!");
}

TEST(WsStream, TheEndBelowIsTheEndUnlessItCutsAMessage) {
  for (const std::string& cut : {std::string("\x82"), std::string("\x82\x05"),
                                 std::string("\x82\x05"
                                             "ab"),
                                 frame(Role::client, Opcode::binary, "ab", false)}) {
    Lone lone(Role::client);
    lone.put(cut);
    lone.peer->try_shutdown();
    lone.get();
    EXPECT_EQ(lone.last.error, ECONNRESET) << to_hex(as_bytes(cut));
    EXPECT_EQ(lone.error(), "websocket: the connection ended within a message");
  }
  Lone lone(Role::client);
  lone.put(Opcode::binary, "whole");
  lone.peer->try_shutdown();
  EXPECT_EQ(lone.get(), "whole");
  EXPECT_EQ(lone.last.status, IoResult::Status::eof);
  write_whole(*lone.end, "the other direction goes on");
  EXPECT_EQ(lone.heard(), message("the other direction goes on"));
}

TEST(WsStream, AShutdownEndsTheSendingSideWithoutAClose) {
  Lone lone(Role::server);
  write_whole(*lone.end, "last");
  EXPECT_EQ(lone.end->try_shutdown().status, kOk);
  EXPECT_EQ(lone.end->try_write(as_bytes("x")).error, EPIPE);
  EXPECT_EQ(lone.heard(), message("last"));
  std::array<std::uint8_t, 1> byte{};
  EXPECT_EQ(lone.peer->try_read(byte).status, IoResult::Status::eof);
  lone.put(Opcode::ping, "is not answered any more");
  lone.put(Opcode::binary, "answer");
  EXPECT_EQ(lone.get(), "answer");

  Lone stubborn(Role::server, {}, {.half_close = false});
  EXPECT_EQ(stubborn.end->try_shutdown().error, ENOTSUP);
}

TEST(WsStream, AMessageThatGrowsWithoutEndFillsOneBufferAtATime) {
  // A million zeros in a thousand bytes, in one message.
  std::string bomb;
  {
    std::vector<std::uint8_t> into(kMaxDeflated + kMaxDeflated / 2);
    const std::string zeros(kMaxDeflated, '\0');
    for (int i = 0; i < 32; ++i) {
      const std::size_t size = deflate_message(as_bytes(zeros), into).value();
      FrameHeader header{.opcode = i == 0 ? Opcode::binary : Opcode::continuation, .fin = i == 31, .rsv1 = i == 0};
      // Within one message each flushed piece keeps its tail.
      std::string piece(as_text(Bytes(into).first(size)));
      if (i < 31) piece += std::string("\0\0\xff\xff", 4);
      bomb += frame(Role::server, header, piece);
    }
  }
  Lone lone(Role::server, {.sender = {.compression = true}});
  lone.put(bomb + frame(Role::server, Opcode::ping, "still there"));
  std::vector<std::uint8_t> into(1'000);
  std::size_t total = 0;
  for (IoResult io = IoResult::moved(0); io.status == kOk; io = lone.end->try_read(into)) total += io.bytes;
  EXPECT_EQ(total, 32 * kMaxDeflated);
  EXPECT_LE(lone.io.buffers.kept(), 2U);
  EXPECT_EQ(lone.heard(), "pong " + to_hex(as_bytes("still there")));
}

TEST(WsStream, BrokenCompressedDataIsAnError) {
  struct Case {
    const char* hex;
    const char* error;
  };
  for (const auto& [hex, error] : {Case{"ffff", "bad compressed data"}, Case{"f248cdc9", "truncated compressed data"},
                                   Case{"07", "bad compressed data"}}) {
    Lone lone(Role::server, {.sender = {.compression = true}});
    lone.put(frame(Role::server, FrameHeader{.rsv1 = true}, as_text(*from_hex(hex))));
    lone.get();
    EXPECT_EQ(lone.error(), std::string("websocket: the client broke the protocol: ") + error) << hex;
    EXPECT_TRUE(lone.heard().starts_with("close 03ea"));
  }
}

TEST(WsStream, CompressedMessagesAreThoseOfTheRfc) {
  for (const char* hex :
       {"f248cdc9c90700", "000500faff48656c6c6f00", "f348cdc9c9070000", "f248050000 00ffff cac9c90700"}) {
    for (std::size_t piece : {1U, 100U}) {
      Lone lone(Role::client, {.sender = {.compression = true}});
      const std::string raw = frame(Role::client, FrameHeader{.rsv1 = true}, as_text(*from_hex(hex))) +
                              frame(Role::client, Opcode::binary, "!");
      std::string got;
      for (std::size_t at = 0; at < raw.size(); at += piece) {
        lone.put(raw.substr(at, piece));
        got += lone.get(2);
      }
      EXPECT_EQ(got, "Hello!") << hex;
      EXPECT_EQ(lone.last.status, kWouldBlock);
    }
  }
}

TEST(WsStream, SaysWhereItIs) {
  IoContext io{Loop::Time::simulated};
  auto [near, peer] = make_memory_pipe();
  const SocketAddress client(IpAddress::v4({203, 0, 113, 9}), 0);
  WsStream end(io, std::make_unique<Jealous>(std::move(near)), {.client = client});
  EXPECT_EQ(end.layers(), "memory,jealous,ws");
  EXPECT_EQ(end.remote(), client);
  EXPECT_EQ(end.kernel(Interest::write), nullptr);
  auto [other, far] = make_memory_pipe();
  EXPECT_EQ(WsStream(io, std::make_unique<Jealous>(std::move(other)), {}).remote().port(), 5);
}

struct Relayed {
  std::string got;  ///< by the target
  std::optional<Error> error;
  std::optional<Error> targets;
  Duration took{};
};

Task<> run_relay(Lone& client, std::unique_ptr<Stream> target, Relayed& outcome) {
  const TimePoint start = client.io.loop.now();
  const RelayOptions options;
  RelayCounters counters;
  outcome.error = co_await relay(*client.end, *target, client.io.pools(), options, counters);
  outcome.took = client.io.loop.now() - start;
}

/// A tunnel whose client says `last` in a message, and closes; the target does not react to it.
Relayed close_a_tunnel(Lone& client, const std::string& last, std::string_view close) {
  Relayed outcome;
  client.put(Opcode::binary, last);
  client.put(Opcode::close, close);
  client.io.loop.run([](Lone& c, Relayed& out) -> Task<> {
    auto [near, target] = make_memory_pipe();
    TaskGroup group(co_await this_scope());
    group.spawn(run_relay(c, std::move(near), out));
    out.targets = co_await read_to_end(*target, out.got);
    co_await group.join();
  }(client, outcome));
  return outcome;
}

TEST(WsStream, ACloseEndsTheTunnelAtOnceAlthoughTheTargetDoesNotReact) {
  for (const char* close : {"", "\x03\xe8", "\x03\xe9gone"}) {
    Lone lone(Role::server);
    const Relayed tunnel = close_a_tunnel(lone, "last words", close);
    EXPECT_EQ(tunnel.took, 0s);
    EXPECT_EQ(tunnel.got, "last words");
    EXPECT_FALSE(tunnel.error) << tunnel.error->text;
    EXPECT_FALSE(tunnel.targets) << tunnel.targets->text;
    EXPECT_TRUE(lone.heard().starts_with("close "));
  }
}

TEST(WsStream, ACloseThatTellsAFailureIsPassedOnAsAReset) {
  Lone lone(Role::server);
  const Relayed tunnel = close_a_tunnel(lone, "half of it",
                                        "\x03\xf3"
                                        "backend died");
  EXPECT_EQ(tunnel.took, 0s);
  ASSERT_TRUE(tunnel.error && tunnel.targets);
  EXPECT_TRUE(tunnel.error->text.ends_with("websocket: the client closed with 1011: backend died"))
      << tunnel.error->text;
  EXPECT_EQ(tunnel.targets->cause, Cause::reset);
  EXPECT_EQ(lone.heard(), "close 03f3");
}

Task<> send_and_end(Stream& stream, const std::string& text) {
  EXPECT_TRUE(co_await write_all(stream, as_bytes(text)));
  EXPECT_EQ(stream.try_shutdown().status, kOk);
}

Task<> read_all(Stream& stream, std::string& into) {
  EXPECT_FALSE(co_await read_to_end(stream, into));
}

TEST(WsStream, OverSocketsBothDirectionsArriveWhole) {
  IoContext io;
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  WsStream client(io, TcpStream::adopt(io.loop, Fd(ends[0]), {}).value(), {.sender = {.role = Role::client}});
  WsStream server(io, TcpStream::adopt(io.loop, Fd(ends[1]), {}).value(), {.sender = {.role = Role::server}});
  const std::string up = text_of(5'000'000, 1);
  const std::string down = text_of(3'000'001, 2);
  std::string got_up;
  std::string got_down;
  io.loop.run([](Stream& c, Stream& s, const std::string& u, const std::string& d, std::string& gu,
                 std::string& gd) -> Task<> {
    TaskGroup group(co_await this_scope());
    group.spawn(send_and_end(c, u));
    group.spawn(send_and_end(s, d));
    group.spawn(read_all(s, gu));
    group.spawn(read_all(c, gd));
    co_await group.join();
  }(client, server, up, down, got_up, got_down));
  EXPECT_TRUE(got_up == up);
  EXPECT_TRUE(got_down == down);
  EXPECT_LE(io.buffers.kept(), 4U);
}

}  // namespace
}  // namespace gost::ws
