// For handler tests: a session over a memory pipe, a scripted client, and a router that leads to a memory pipe.
#pragma once

#include "component/router.hpp"
#include "component/session.hpp"
#include "component/testing/scripted_datagram.hpp"
#include "net/memory_pipe.hpp"
#include "net/stream_io.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace gost::testing {

/// Answers every dial with `error`, or with a stream whose other end is target(); every open_datagram() with `error`
/// or with `datagrams`.
class ScriptedRouter : public Router {
 public:
  std::optional<Error> error;
  mutable std::vector<Endpoint> dialed;
  std::shared_ptr<DatagramScript> datagrams;
  /// What resolve() knows besides literals, how long it takes, and whom it was asked about.
  std::map<std::string, IpAddress, std::less<>> names;
  Duration lookup_time = Duration::zero();
  mutable std::vector<std::string> looked_up;
  std::set<std::string, std::less<>> forbidden;  ///< hosts

  Task<Result<std::unique_ptr<Stream>>> dial(IoContext&, Endpoint target, Requester) const override {
    dialed.push_back(std::move(target));
    if (error) co_return fail(*error);
    auto [near, far] = make_memory_pipe();
    targets_.push_back(std::move(far));
    co_return std::move(near);
  }

  Task<Result<std::unique_ptr<Datagram>>> open_datagram(IoContext&, Requester) const override {
    if (error || !datagrams) co_return fail(error.value_or(Error{Cause::other, "no datagrams here"}));
    co_return std::make_unique<ScriptedDatagram>(datagrams);
  }
  Task<Result<DatagramWay>> open_datagram_to(IoContext& io, Endpoint target, Requester from) const override {
    if (forbids(Network::udp, target.host, target.port))
      co_return fail(Cause::denied, "bypass: " + target.to_string());
    auto ip = co_await resolve(io, target.host);
    if (!ip) co_return fail(ip.error());
    auto opened = co_await open_datagram(io, std::move(from));
    if (!opened) co_return fail(opened.error());
    co_return DatagramWay{std::move(*opened), SocketAddress(*ip, target.port)};
  }
  Task<Result<IpAddress>> resolve(IoContext&, std::string host) const override {
    if (auto ip = IpAddress::parse(host)) co_return *ip;
    looked_up.push_back(host);
    if (lookup_time > Duration::zero()) {
      if (Outcome outcome = co_await sleep_for(lookup_time); outcome != Outcome::ready)
        co_return fail(stop_error(outcome));
    }
    auto known = names.find(host);
    if (known == names.end()) co_return fail(Cause::host_unreachable, "lookup " + host + ": no such host");
    co_return known->second;
  }
  bool forbids(Network, std::string_view host, std::uint16_t) const override { return forbidden.contains(host); }

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

/// A session whose client is the test: the other end of a memory pipe.
class ServedSession {
 public:
  ServedSession(IoContext& io, const ConnectionLoggers& loggers, const SocketAddress& remote,
                const SocketAddress& local, const MemoryPipeOptions& pipe = {}) {
    auto [server_side, far] = make_memory_pipe(pipe);
    client = std::move(far);
    session.emplace(io, std::move(server_side),
                    ConnectionRecord(loggers, "tcp", remote, local, Sid(), io.loop.now()));
  }

  /// Runs the handler to its end, then closes the server's side.
  Task<> serve(const Handler& handler) {
    outcome = co_await handler.handle(*session);
    ended = true;
    session->client.reset();
  }

  /// Sends the bytes of `hex`.
  Task<> say(std::string hex) {
    auto bytes = from_hex(hex).value();
    std::ignore = co_await write_all(*client, bytes);
  }
  /// The next `count` bytes that the server sends, as hex; shorter if the stream ends before.
  Task<std::string> hear(std::size_t count) {
    std::vector<std::uint8_t> bytes(count);
    std::size_t size = 0;
    while (size < count) {
      auto got = co_await read_some(*client, MutableBytes(bytes).subspan(size));
      if (!got || *got == 0) break;
      size += *got;
    }
    co_return to_hex(Bytes(bytes).first(size));
  }
  /// Lets everybody else run until there is nothing to do at this moment.
  static Task<> settle() {
    for (int turn = 0; turn < 50; ++turn) co_await yield();
  }

  std::unique_ptr<Stream> client;
  std::optional<Session> session;
  Result<> outcome;
  bool ended = false;
};

}  // namespace gost::testing
