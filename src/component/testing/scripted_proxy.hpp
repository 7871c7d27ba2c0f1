// For connector tests: a proxy whose words are written down, reached over memory pipes.
#pragma once

#include "component/connector.hpp"
#include "component/testing/scripted_datagram.hpp"
#include "net/memory_pipe.hpp"
#include "net/stream_io.hpp"
#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace gost::testing {

class ScriptedProxy final : public Underlay {
 public:
  /// The proxy reads as many bytes as `wanted` has (hex) and answers (hex).
  struct Line {
    std::string wanted;
    std::string answer;
  };
  using Script = std::vector<Line>;

  ScriptedProxy() = default;
  ScriptedProxy(std::initializer_list<Script> of_streams) : scripts(of_streams) {}

  /// What each stream says in turn; for a stream without a script the proxy cannot be reached.
  std::vector<Script> scripts;
  MemoryPipeOptions pipe;  ///< of our end
  bool hangs_up = false;   ///< after the last line; else the stream stays open
  Endpoint address{"192.0.2.1", 1080};
  bool first_of_chain = true;
  std::shared_ptr<DatagramScript> datagrams = std::make_shared<DatagramScript>();
  std::optional<Error> datagram_error;

  // What happened.
  std::deque<std::string> received;              ///< of each stream, hex
  std::vector<SocketAddress> relays;             ///< to which datagrams were wanted
  std::vector<std::unique_ptr<Stream>> streams;  ///< the proxy's ends
  int admissions = 0;

  Task<Result<std::unique_ptr<Stream>>> open_stream() override {
    if (streams.size() == scripts.size()) co_return fail(Cause::refused, "dial tcp: connection refused");
    auto [near, far] = make_memory_pipe(pipe);
    streams.push_back(std::move(far));
    received.emplace_back();
    group_->spawn(play(streams.size() - 1));
    co_return std::move(near);
  }
  Task<Result<std::unique_ptr<Datagram>>> open_datagram(SocketAddress peer) override {
    relays.push_back(peer);
    if (datagram_error) co_return fail(*datagram_error);
    co_return std::make_unique<ScriptedDatagram>(datagrams);
  }
  const Endpoint& proxy() const override { return address; }
  bool direct() const override { return first_of_chain; }
  void admitted() override { ++admissions; }

  /// Runs what a connector does while the proxy plays its part.
  template <class T>
  Task<T> serve(Task<T> client) {
    TaskGroup group(co_await this_scope());
    group_ = &group;
    T result = co_await std::move(client);
    for (int turn = 0; turn < 100; ++turn) co_await yield();  // the proxy reads what it was sent
    group.stop();
    co_await group.join();
    co_return result;
  }

 private:
  Task<> play(std::size_t number) {
    for (std::size_t i = 0; i < scripts[number].size(); ++i) {
      const Line line = scripts[number][i];
      for (std::size_t left = from_hex(line.wanted)->size(); left > 0; --left) {
        std::array<std::uint8_t, 1> byte{};
        auto read = co_await read_exactly(*streams[number], byte);
        if (!read) co_return;
        received[number] += to_hex(byte);
      }
      const auto answer = *from_hex(line.answer);
      if (auto sent = co_await write_all(*streams[number], answer); !sent) co_return;
    }
    if (hangs_up) streams[number].reset();
  }

  TaskGroup* group_ = nullptr;
};

/// All of what can be read from `stream` now, as text.
inline std::string read_now(Stream& stream) {
  std::string text;
  std::array<std::uint8_t, 4096> buffer;
  for (;;) {
    IoResult io = stream.try_read(buffer);
    if (io.status != IoResult::Status::ok) return text;
    text += as_text(Bytes(buffer).first(io.bytes));
  }
}

}  // namespace gost::testing
