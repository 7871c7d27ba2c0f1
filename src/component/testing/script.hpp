// For handler tests: a session over a memory pipe, a scripted client, and a router that leads to a memory pipe.
#pragma once

#include "component/router.hpp"
#include "component/session.hpp"
#include "net/memory_pipe.hpp"
#include "net/stream_io.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
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

/// One conversation while it goes on.
class Talk {
 public:
  Talk(const Handler& handler, const std::string& hex, const MemoryPipeOptions& pipe, std::function<void()> after)
      : handler_(handler), rest_(hex), after_(std::move(after)) {
    auto [server_side, client] = make_memory_pipe(pipe);
    client_ = std::move(client);
    session_.emplace(io_, std::move(server_side), ConnectionRecord(loggers_, "tcp", {}, {}, Sid(), io_.loop.now()));
  }

  Conversation run() {
    io_.loop.run(play());
    return std::move(conversation_);
  }

 private:
  Task<> serve() {
    TimePoint start = io_.loop.now();
    conversation_.outcome = co_await handler_.handle(*session_);
    conversation_.took = io_.loop.now() - start;
    conversation_.ended = true;
    session_->client.reset();
  }

  Task<> play() {
    TaskGroup group(co_await this_scope());
    group.spawn(serve());
    while (!rest_.empty() && !conversation_.ended) {
      std::string piece = next_piece();
      if (piece == "fin") {
        client_->try_shutdown();
      } else {
        std::ignore = co_await write_all(*client_, *from_hex(piece));
      }
      for (int turn = 0; turn < 600; ++turn) co_await yield();  // one byte a turn at the slowest
      drain();
    }
    if (after_) after_();
    co_await group.join();
    drain();
  }

  std::string next_piece() {
    auto bar = rest_.find('|');
    std::string piece = rest_.substr(0, bar);
    rest_ = bar == std::string::npos ? "" : rest_.substr(bar + 1);
    return piece;
  }

  void drain() {
    std::array<std::uint8_t, 4096> buffer;
    for (;;) {
      IoResult got = client_->try_read(buffer);
      if (got.status != IoResult::Status::ok) return;
      conversation_.received += to_hex(Bytes(buffer).first(got.bytes));
    }
  }

  const Handler& handler_;
  std::string rest_;
  std::function<void()> after_;
  IoContext io_{Loop::Time::simulated};
  ConnectionLoggers loggers_;
  std::unique_ptr<Stream> client_;
  std::optional<Session> session_;
  Conversation conversation_;
};

/// Runs `handler` for a client that sends `hex` (pieces separated by '|' are sent one after the other, each when the
/// handler has nothing left to do), then keeps the connection open, or ends its side if the last piece is "fin".
/// `after` is called when all is sent.
inline Conversation converse(const Handler& handler, const std::string& hex, const MemoryPipeOptions& pipe = {},
                             std::function<void()> after = {}) {
  return Talk(handler, hex, pipe, std::move(after)).run();
}

}  // namespace gost::testing
