// For tests of mux sessions: a session whose peer is the test, which speaks in hex.
#pragma once

#include "mux/session.hpp"
#include "net/memory_pipe.hpp"
#include "net/stream_io.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gost::testing {

/// Keeps what is accepted.
struct KeptStreams final : MuxSink {
  std::vector<std::unique_ptr<MuxStream>> streams;
  void accepted(std::unique_ptr<MuxStream> stream) override { streams.push_back(std::move(stream)); }
};

struct SessionLab {
  explicit SessionLab(const MuxOptions& options = {}, MuxSide side = MuxSide::server, bool with_sink = true,
                      const MemoryPipeOptions& pipe = {}) {
    auto [near, far] = make_memory_pipe(pipe);
    peer = std::move(far);
    session = std::make_unique<MuxSession>(io, std::move(near), options, side, with_sink ? &sink : nullptr);
  }

  /// Runs the session beside `test`.
  template <class Test>
  void run(Test test) {
    io.loop.run(beside(test));
  }
  Task<> serve() {
    reason = co_await session->run();
    ended = true;
    ended_at = io.loop.now();
  }
  template <class Test>
  Task<> beside(Test test) {
    TaskGroup group(co_await this_scope());
    group.spawn(serve());
    co_await test(*this);
    session->end();
    co_await group.join();
  }
  static Task<> settle() {
    for (int turn = 0; turn < 20; ++turn) co_await yield();
  }
  Task<> say(std::string hex) {
    auto bytes = from_hex(hex).value();
    EXPECT_TRUE(co_await write_all(*peer, bytes));
    co_await settle();
  }
  /// What the session has said since the last call.
  Task<std::string> heard() {
    co_await settle();
    std::string hex;
    std::array<std::uint8_t, 4096> buffer;
    for (;;) {
      IoResult got = peer->try_read(buffer);
      if (got.status != IoResult::Status::ok) co_return hex;
      hex += to_hex(Bytes(buffer).first(got.bytes));
    }
  }

  IoContext io{Loop::Time::simulated};
  KeptStreams sink;
  std::unique_ptr<Stream> peer;
  std::unique_ptr<MuxSession> session;
  std::optional<Error> reason;
  bool ended = false;
  TimePoint ended_at;
};

/// What one try_read gives, as text.
inline std::string read(Stream& stream) {
  std::array<std::uint8_t, 4096> buffer;
  IoResult got = stream.try_read(buffer);
  switch (got.status) {
  case IoResult::Status::ok: return std::string(as_text(Bytes(buffer).first(got.bytes)));
  case IoResult::Status::would_block: return "<nothing>";
  case IoResult::Status::eof: return "<eof>";
  case IoResult::Status::error: return "<error " + std::to_string(got.error) + ">";
  }
  return "";
}

}  // namespace gost::testing
