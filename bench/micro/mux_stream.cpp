// What multiplexing costs: bytes per second of processor time from one end of a TCP connection over loopback to the
// other one, both on this thread: of the connection itself, and of one stream of a session on it.
#include "mux/session.hpp"
#include "net/stream_io.hpp"
#include "net/tcp.hpp"

#include <benchmark/benchmark.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

namespace gost {
namespace {

constexpr std::size_t kBlock = std::size_t{64} * 1024;
constexpr std::size_t kBlocks = 4096;  ///< of one measurement

void need(bool good) {
  if (!good) std::abort();
}

/// Both ends of a connection to ourselves.
std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> connected(Loop& loop) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  need(::bind(listener.get(), generic, size) == 0 && ::listen(listener.get(), 1) == 0);
  need(::getsockname(listener.get(), generic, &size) == 0);
  Fd near(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  need(::connect(near.get(), generic, size) == 0);
  Fd far(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  need(far.get() >= 0 && ::fcntl(near.get(), F_SETFL, O_NONBLOCK) == 0);
  int on = 1;
  for (const Fd* end : {&near, &far}) need(::setsockopt(end->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
  return {TcpStream::adopt(loop, std::move(near), {}).value(), TcpStream::adopt(loop, std::move(far), {}).value()};
}

Task<> send_all(Stream& stream) {
  std::vector<std::uint8_t> block(kBlock, 'x');
  for (std::size_t i = 0; i < kBlocks; ++i) {
    need((co_await write_all(stream, block)).has_value());
    co_await yield();
  }
}

Task<> receive_all(Stream& stream) {
  std::vector<std::uint8_t> block(kBlock);
  for (std::size_t left = kBlocks * kBlock; left > 0;) {
    auto got = co_await read_some(stream, block);
    need(got && *got > 0);
    left -= *got;
    co_await yield();
  }
}

Task<> transfer(Stream& from, Stream& to) {
  TaskGroup group(co_await this_scope());
  group.spawn(send_all(from));
  group.spawn(receive_all(to));
  co_await group.join();
}

void raw_tcp(benchmark::State& state) {
  IoContext io;
  auto [near, far] = connected(io.loop);
  for (auto _ : state) io.loop.run(transfer(*near, *far));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kBlock * kBlocks));
}

struct Sink final : MuxSink {
  std::unique_ptr<MuxStream> stream;
  void accepted(std::unique_ptr<MuxStream> accepted) override { stream = std::move(accepted); }
};

Task<> run(MuxSession& session) {
  std::ignore = co_await session.run();
}

Task<> transfer_in_session(MuxSession& client, MuxSession& server, Sink& sink, benchmark::State& state) {
  TaskGroup group(co_await this_scope());
  group.spawn(run(client));
  group.spawn(run(server));
  auto stream = client.open().value();
  while (sink.stream == nullptr) co_await yield();
  for (auto _ : state) co_await transfer(*stream, *sink.stream);
  stream.reset();
  sink.stream.reset();
  client.end();
  server.end();
  co_await group.join();
}

void one_stream(benchmark::State& state, const MuxOptions& options) {
  IoContext io;
  Sink sink;
  auto [near, far] = connected(io.loop);
  MuxSession client(io, std::move(near), options, MuxSide::client);
  MuxSession server(io, std::move(far), options, MuxSide::server, &sink);
  io.loop.run(transfer_in_session(client, server, sink, state));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kBlock * kBlocks));
}

BENCHMARK(raw_tcp)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(one_stream, smux_1, SmuxOptions{.version = 1})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(one_stream, smux_2, SmuxOptions{.version = 2})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(one_stream, yamux, YamuxOptions())->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gost
