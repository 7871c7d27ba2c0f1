// Two sessions with each other, over memory and over sockets: many streams at once.
#include "mux/session.hpp"
#include "net/memory_pipe.hpp"
#include "net/stream_io.hpp"
#include "net/tcp.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace gost {
namespace {

using Ends = std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>>;

/// Sends back what comes, to the end.
Task<> echo(std::unique_ptr<MuxStream> stream) {
  std::vector<std::uint8_t> buffer(20'000);
  for (;;) {
    auto got = co_await read_some(*stream, buffer);
    if (!got || *got == 0) co_return;
    if (!co_await write_all(*stream, Bytes(buffer).first(*got))) co_return;
  }
}

/// Reads what comes, to the end.
Task<> drain(std::unique_ptr<MuxStream> stream) {
  std::vector<std::uint8_t> buffer(60'000);
  for (;;) {
    auto got = co_await read_some(*stream, buffer);
    if (!got || *got == 0) co_return;
  }
}

struct Server final : MuxSink {
  TaskGroup* group = nullptr;
  bool echoes = true;
  void accepted(std::unique_ptr<MuxStream> stream) override {
    group->spawn(echoes ? echo(std::move(stream)) : drain(std::move(stream)));
  }
};

struct Two {
  Two(IoContext& context, Ends ends, const MuxOptions& options)
      : io(context),
        client(io, std::move(ends.first), options, MuxSide::client),
        server(io, std::move(ends.second), options, MuxSide::server, &sink) {}

  Task<> serve(bool the_server) {
    auto reason = co_await (the_server ? server : client).run();
    (the_server ? server_reason : client_reason) = std::move(reason);
    // A session that broke takes the other one with it, as a closed connection does.
    if (!the_server) client_ended = true;
  }

  IoContext& io;
  Server sink;
  MuxSession client;
  MuxSession server;
  std::optional<Error> client_reason;
  std::optional<Error> server_reason;
  bool client_ended = false;
  int complete = 0;
};

/// One of each kind.
std::vector<MuxOptions> every_protocol() {
  return {SmuxOptions{.version = 1}, SmuxOptions{.version = 2}, YamuxOptions()};
}

std::uint8_t byte_at(std::uint32_t id, std::size_t at) {
  return static_cast<std::uint8_t>(at * 7 + at / 256 + id);
}

Task<> send_bytes(Stream& stream, Bytes bytes) {
  std::ignore = co_await write_all(stream, bytes);
}

Task<> exchange(Two& two, std::size_t size) {
  auto stream = two.client.open();
  if (!stream) co_return;
  std::vector<std::uint8_t> sent(size);
  for (std::size_t at = 0; at < size; ++at) sent[at] = byte_at((*stream)->id(), at);
  std::vector<std::uint8_t> got(size);
  TaskGroup group(co_await this_scope());
  group.spawn(send_bytes(**stream, sent));
  auto read = co_await read_exactly(**stream, got);
  // A stream that broke does not look complete.
  if (read) {
    EXPECT_TRUE(got == sent);
    ++two.complete;
  }
  co_await group.join();
}

Task<> exchange_all(Two& two, std::size_t streams, std::size_t size) {
  TaskGroup sessions(co_await this_scope());
  TaskGroup handlers(co_await this_scope());
  two.sink.group = &handlers;
  sessions.spawn(two.serve(false));
  sessions.spawn(two.serve(true));
  TaskGroup clients(co_await this_scope());
  for (std::size_t i = 0; i < streams; ++i) clients.spawn(exchange(two, size));
  co_await clients.join();
  if (!two.client_ended) {
    for (int turn = 0; turn < 5000 && two.server.streams() > 0; ++turn) co_await yield();
  }
  two.client.end();
  two.server.end();
  co_await sessions.join();
  co_await handlers.join();
}

TEST(MuxTransfer, StreamsArriveWholeHoweverTheBytesAreCut) {
  for (const MuxOptions& options : std::vector<MuxOptions>{
           SmuxOptions{.version = 1, .max_frame_size = 100},
           SmuxOptions{.version = 2, .max_frame_size = 100, .max_stream_buffer = 300}, YamuxOptions()}) {
    for (std::size_t piece : {1U, 7U, 1000U}) {
      IoContext io(Loop::Time::simulated);
      Two two(io, make_memory_pipe({.capacity = 50 + piece, .read_at_most = piece}), options);
      io.loop.run(exchange_all(two, 20, 2000));
      EXPECT_EQ(two.complete, 20);
      EXPECT_FALSE(two.client_reason) << two.client_reason->text;
      EXPECT_FALSE(two.server_reason) << two.server_reason->text;
    }
  }
}

TEST(MuxTransfer, AThousandStreamsOverMemory) {
  for (const MuxOptions& options : every_protocol()) {
    IoContext io(Loop::Time::simulated);
    Two two(io, make_memory_pipe(), options);
    io.loop.run(exchange_all(two, 1000, 3000));
    EXPECT_EQ(two.complete, 1000);
  }
}

TEST(MuxTransfer, LargeTransfersOverSockets) {
  for (const MuxOptions& options : every_protocol()) {
    IoContext io;
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    auto one = TcpStream::adopt(io.loop, Fd(fds[0]), {}).value();
    auto other = TcpStream::adopt(io.loop, Fd(fds[1]), {}).value();
    Two two(io, {std::move(one), std::move(other)}, options);
    io.loop.run(exchange_all(two, 8, 3'000'000));
    EXPECT_EQ(two.complete, 8);
    EXPECT_FALSE(two.client_reason);
  }
}

/// Like a TLS stream: what it was once given is on its way, and must be given again until it is reported as written.
class CommittingStream final : public Stream {
 public:
  explicit CommittingStream(std::unique_ptr<Stream> below) : below_(std::move(below)) {}

  IoResult try_read(MutableBytes into) override { return below_->try_read(into); }
  IoResult try_write(Bytes from) override {
    if (given_.empty()) {
      given_.assign(from.begin(), from.end());
      left_ = given_;
    } else if (from.size() < given_.size() || !std::ranges::equal(from.first(given_.size()), given_)) {
      return IoResult::failed(EPROTO);
    }
    while (!left_.empty()) {
      IoResult io = below_->try_write(left_);
      if (io.status != IoResult::Status::ok) return io;
      left_ = left_.subspan(io.bytes);
    }
    return IoResult::moved(std::exchange(given_, {}).size());
  }
  IoResult try_shutdown() override { return below_->try_shutdown(); }
  void abort() override { below_->abort(); }
  bool ready(Interest interest) const override { return below_->ready(interest); }
  Wait*& waiting(Interest interest) override { return below_->waiting(interest); }
  SocketAddress local() const override { return below_->local(); }
  SocketAddress remote() const override { return below_->remote(); }
  std::string layers() const override { return below_->layers(); }

 private:
  std::unique_ptr<Stream> below_;
  std::vector<std::uint8_t> given_;
  Bytes left_;
};

TEST(MuxTransfer, AStreamBelowThatWasGivenBytesGetsThemAgain) {
  for (const MuxOptions& options : every_protocol()) {
    IoContext io(Loop::Time::simulated);
    auto [one, other] = make_memory_pipe({.capacity = 500});
    Ends ends{std::make_unique<CommittingStream>(std::move(one)),
              std::make_unique<CommittingStream>(std::move(other))};
    Two two(io, std::move(ends), options);
    io.loop.run(exchange_all(two, 8, 20'000));
    EXPECT_EQ(two.complete, 8);
    EXPECT_FALSE(two.client_reason) << two.client_reason->text;
  }
}

TEST(MuxTransfer, WhicheverStepFailsEverythingEndsAndNothingLooksComplete) {
  int failures = 0;
  for (std::size_t step = 0; step < 200; ++step) {
    IoContext io(Loop::Time::simulated);
    Two two(io, make_memory_pipe({.capacity = 300, .fail_at = step}),
            SmuxOptions{.version = 2, .max_stream_buffer = 200});
    io.loop.run(exchange_all(two, 4, 1000));
    if (two.client_reason) ++failures;
    if (two.complete < 4) EXPECT_TRUE(two.client_reason.has_value()) << step;
  }
  EXPECT_GT(failures, 20);
}

/// Sends for as long as the session lives.
Task<> flood(Two& two, std::uint64_t& sent) {
  auto stream = two.client.open().value();
  std::vector<std::uint8_t> block(100'000);
  while (co_await stream->until(Interest::write) == Outcome::ready) {
    IoResult io = stream->try_write(block);
    if (io.status == IoResult::Status::ok) sent += io.bytes;
    if (io.status == IoResult::Status::error) co_return;
  }
}

/// All streams send for the same time over a way that is narrower than what they have; what each has sent.
template <std::size_t kStreams>
std::array<std::uint64_t, kStreams> compete(const MuxOptions& options, std::size_t capacity, std::uint64_t enough) {
  IoContext io(Loop::Time::simulated);
  Two two(io, make_memory_pipe({.capacity = capacity}), options);
  two.sink.echoes = false;
  std::array<std::uint64_t, kStreams> sent{};
  io.loop.run([](Two& t, auto& counts, std::uint64_t least) -> Task<> {
    TaskGroup group(co_await this_scope());
    t.sink.group = &group;
    group.spawn(t.serve(false));
    group.spawn(t.serve(true));
    for (auto& count : counts) group.spawn(flood(t, count));
    while (counts[0] < least) co_await yield();
    group.stop();
    co_await group.join();
  }(two, sent, enough));
  return sent;
}

TEST(MuxTransfer, StreamsThatCompeteSendTheSame) {
  for (std::uint64_t count : compete<10>(SmuxOptions{.max_frame_size = 1000}, 30'000, 1'000'000)) {
    EXPECT_GT(count, 800'000U);
    EXPECT_LT(count, 1'200'000U);
  }
}

TEST(MuxTransfer, AThousandStreamsShareWithinATenth) {
  {
    auto sent = compete<1000>(SmuxOptions{.version = 2, .max_frame_size = 1000}, 2000, 40'000);
    auto [least, most] = std::ranges::minmax(sent);
    EXPECT_GT(least, 36'000U);
    EXPECT_LE(most - least, most / 10);
  }
  // Its frames are longer.
  auto sent = compete<20>(YamuxOptions(), 2000, 1'500'000);
  auto [least, most] = std::ranges::minmax(sent);
  EXPECT_GT(least, 1'300'000U);
  EXPECT_LE(most - least, most / 10);
}

TEST(MuxTransfer, IsNotUsableAsSoonAsTheConnectionIsKnownToBeDead) {
  IoContext io;
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  auto near = TcpStream::adopt(io.loop, Fd(fds[0]), {}).value();
  MuxSession session(io, std::move(near), {}, MuxSide::client);
  EXPECT_TRUE(session.usable());
  {
    Fd far(fds[1]);
  }  // closed
  io.loop.run([](MuxSession& dead) -> Task<> {
    for (int turn = 0; turn < 3; ++turn) co_await yield();
    EXPECT_FALSE(dead.usable()) << "before anybody has read";
    auto reason = co_await dead.run();
    EXPECT_FALSE(reason);
    EXPECT_FALSE(dead.open());
  }(session));
}

}  // namespace
}  // namespace gost
