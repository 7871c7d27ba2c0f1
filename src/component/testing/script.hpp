// For handler tests: a session over a memory pipe, a scripted client, and a router that leads to a memory pipe.
#pragma once

#include "component/router.hpp"
#include "component/session.hpp"
#include "net/memory_pipe.hpp"
#include "net/stream_io.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace gost::testing {

/// Answers every dial with `error`, or with a stream whose other end echoes what it gets.
class ScriptedRouter final : public Router {
 public:
  std::optional<Error> error;
  mutable std::vector<Endpoint> dialed;

  Task<Result<std::unique_ptr<Stream>>> dial(IoContext&, Endpoint target) const override {
    dialed.push_back(std::move(target));
    if (error) co_return fail(*error);
    auto [near, far] = make_memory_pipe();
    targets_.push_back(std::move(far));
    co_return std::move(near);
  }

  Stream& target() const { return *targets_.back(); }
  /// The target says goodbye.
  void end() const { targets_.clear(); }

 private:
  mutable std::vector<std::unique_ptr<Stream>> targets_;
};

struct Conversation {
  std::string received;  ///< hex of all that the client got until the end
  Result<> outcome;      ///< of the handler
  bool ended = false;    ///< the handler came to its end
  Duration took = Duration::zero();
};

/// Runs `handler` for a client that sends `hex` (pieces separated by '|' are sent one after the other, each when the
/// handler has nothing left to do), then keeps the connection open, or ends its side if the last piece is "fin".
inline Conversation converse(const Handler& handler, const std::string& hex, const MemoryPipeOptions& pipe = {},
                             std::function<void()> after = {}) {
  Conversation conversation;
  IoContext io(Loop::Time::simulated);
  ConnectionLoggers loggers;
  auto [server_side, client] = make_memory_pipe(pipe);
  Session session(io, std::move(server_side), ConnectionRecord(loggers, "tcp", {}, {}, Sid(), io.loop.now()));
  auto serve = [](const Handler& served, Session& on, Conversation& out, Loop& loop) -> Task<> {
    TimePoint start = loop.now();
    out.outcome = co_await served.handle(on);
    out.took = loop.now() - start;
    out.ended = true;
    on.client.reset();
  };
  auto drain = [](Stream& stream, Conversation& out) {
    std::array<std::uint8_t, 4096> buffer;
    for (;;) {
      IoResult got = stream.try_read(buffer);
      if (got.status != IoResult::Status::ok) return;
      out.received += to_hex(Bytes(buffer).first(got.bytes));
    }
  };
  auto play = [&](Stream& stream, Scope& scope) -> Task<> {
    TaskGroup group(scope);
    group.spawn(serve(handler, session, conversation, io.loop));
    std::string rest = hex;
    while (!rest.empty() && !conversation.ended) {
      auto bar = rest.find('|');
      std::string piece = rest.substr(0, bar);
      rest = bar == std::string::npos ? "" : rest.substr(bar + 1);
      if (piece == "fin") {
        stream.try_shutdown();
      } else {
        auto sent = co_await write_all(stream, *from_hex(piece));
      }
      for (int turn = 0; turn < 600; ++turn) co_await yield();  // one byte a turn at the slowest
      drain(stream, conversation);
    }
    if (after) after();
    co_await group.join();
    drain(stream, conversation);
  };
  auto root = [](auto& body, Stream& stream) -> Task<> { co_await body(stream, co_await this_scope()); };
  io.loop.run(root(play, *client));
  return conversation;
}

}  // namespace gost::testing
