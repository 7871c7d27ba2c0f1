// For tests of protocols on a stream: both ends of one over a memory pipe, and what they say to each other.
#pragma once

#include "net/io_context.hpp"
#include "net/memory_pipe.hpp"
#include "net/stream_io.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace gost::testing {

inline std::vector<std::uint8_t> noise(std::size_t size, std::uint32_t seed) {
  std::minstd_rand random(seed);
  std::vector<std::uint8_t> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

/// The first error that reading meets, if it is not the end of the stream.
inline Task<std::optional<Error>> read_to_end(Stream& stream, std::string& into) {
  std::vector<std::uint8_t> buffer(70'000);
  for (;;) {
    auto got = co_await read_some(stream, buffer);
    if (!got) co_return got.error();
    if (*got == 0) co_return std::nullopt;
    into += as_text(Bytes(buffer).first(*got));
  }
}

/// Two ends on one loop with simulated time. A protocol's pair derives from it and says how each end is made.
class StreamPair {
 public:
  MemoryPipeOptions pipe;
  bool client_first = true;  ///< the pipe's options are the client's (else the server's)

  IoContext io{Loop::Time::simulated};
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
  std::optional<Error> client_error;
  std::optional<Error> server_error;

 protected:
  /// Both handshakes at once; what became of them stands in the members. `dial` and `accept` make a task of an end of
  /// the pipe.
  template <class Dial, class Accept>
  Task<> shake(Dial dial, Accept accept) {
    client.reset();
    server.reset();
    client_error.reset();
    server_error.reset();
    auto [first, second] = make_memory_pipe(pipe);
    if (!client_first) std::swap(first, second);
    TaskGroup group(co_await this_scope());
    group.spawn(dial(std::move(first)));
    group.spawn(accept(std::move(second)));
    co_await group.join();
  }

  void keep_client(Result<std::unique_ptr<Stream>> made) { keep(std::move(made), client, client_error); }
  void keep_server(Result<std::unique_ptr<Stream>> made) { keep(std::move(made), server, server_error); }

 private:
  static void keep(Result<std::unique_ptr<Stream>> made, std::unique_ptr<Stream>& stream,
                   std::optional<Error>& error) {
    if (made) {
      stream = std::move(*made);
    } else {
      error = made.error();
    }
  }
};

inline Task<> say(Stream& stream, std::string text) {
  EXPECT_TRUE(co_await write_all(stream, as_bytes(text)));
}

/// One message each way.
inline Task<> ping_pong(StreamPair& pair) {
  for (auto [from, to, text] : {std::tuple(pair.client.get(), pair.server.get(), "ping"),
                                std::tuple(pair.server.get(), pair.client.get(), "pong")}) {
    TaskGroup group(co_await this_scope());
    group.spawn(say(*from, text));
    std::array<std::uint8_t, 4> got{};
    EXPECT_TRUE(co_await read_exactly(*to, got));
    EXPECT_EQ(as_text(got), text);
    co_await group.join();
  }
}

}  // namespace gost::testing
