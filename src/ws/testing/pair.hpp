// For tests of WebSocket: two ends over a memory pipe, and an end whose peer is the test.
#pragma once

#include "net/testing/stream_pair.hpp"
#include "ws/connect.hpp"
#include "ws/stream.hpp"
#include "ws/upgrade.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gost::ws::testing {

using gost::testing::noise;
using gost::testing::read_to_end;

/// One frame as the peer of `to` would send it.
inline std::string frame(Role to, FrameHeader header, std::string_view payload) {
  header.length = payload.size();
  std::vector<std::uint8_t> bytes(as_bytes(payload).begin(), as_bytes(payload).end());
  if (to == Role::server) {
    header.masked = true;
    header.key = {0x11, 0x22, 0x33, 0x44};
    mask(bytes, header.key, 0);
  }
  return std::string(as_text(encode_frame_head(header).view())) + std::string(as_text(bytes));
}
inline std::string frame(Role to, Opcode opcode, std::string_view payload, bool fin = true) {
  return frame(to, FrameHeader{.opcode = opcode, .fin = fin}, payload);
}

/// What a peer reads from an end: frames, unmasked, as "binary 05 00".
inline std::string described(Role from, std::string_view raw) {
  FrameDecoder decoder(from == Role::client ? Role::server : Role::client, true);
  Bytes rest = as_bytes(raw);
  std::string text;
  std::string payload;
  auto say = [&text](std::string_view what, std::string_view of) {
    text += (text.empty() ? "" : " | ") + std::string(what) + " " + to_hex(as_bytes(of));
  };
  for (;;) {
    auto event = decoder.next(rest);
    if (!event) return text + " ! " + event.error().text;
    switch (*event) {
    case FrameDecoder::Event::need_more: return text + (decoder.at_a_boundary() ? "" : " …");
    case FrameDecoder::Event::data: {
      std::vector<std::uint8_t> some(rest.size());
      some.resize(decoder.take(some, rest));
      payload += as_text(some);
      break;
    }
    case FrameDecoder::Event::end_of_message: say("message", std::exchange(payload, {})); break;
    case FrameDecoder::Event::ping: say("ping", as_text(decoder.control())); break;
    case FrameDecoder::Event::pong: say("pong", as_text(decoder.control())); break;
    case FrameDecoder::Event::close: say("close", as_text(decoder.control())); break;
    }
  }
}

/// Writes all of `text`; there must be room.
inline void write_whole(Stream& stream, std::string_view text) {
  while (!text.empty()) {
    IoResult io = stream.try_write(as_bytes(text));
    ASSERT_EQ(io.status, IoResult::Status::ok);
    text.remove_prefix(io.bytes);
  }
}

/// As described() tells a message.
inline std::string message(std::string_view payload) {
  return "message " + to_hex(as_bytes(payload));
}

/// One end, and the raw stream of its peer.
struct Lone {
  explicit Lone(Role role, StreamOptions options = {}, const MemoryPipeOptions& pipe = {})
      : Lone(role, options, make_memory_pipe(pipe)) {}
  /// `ends`: what is below, and the peer's.
  Lone(Role role, StreamOptions options, std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> ends)
      : peer(std::move(ends.second)), role_(role) {
    options.sender.role = role;
    end = std::make_unique<WsStream>(io, std::move(ends.first), options);
  }

  /// The peer sends these bytes; all of them must fit.
  void put(std::string_view bytes) { ASSERT_EQ(peer->try_write(as_bytes(bytes)).bytes, bytes.size()); }
  void put(Opcode opcode, std::string_view payload, bool fin = true) { put(frame(role_, opcode, payload, fin)); }
  /// What the end can read now; `last` is what came instead of more.
  std::string get(std::size_t most = 100'000) {
    std::string text;
    std::vector<std::uint8_t> buffer(most);
    for (;;) {
      last = end->try_read(buffer);
      if (last.status != IoResult::Status::ok) return text;
      text += as_text(Bytes(buffer).first(last.bytes));
    }
  }
  std::string raw() {
    std::string text;
    std::vector<std::uint8_t> buffer(100'000);
    for (;;) {
      IoResult io_result = peer->try_read(buffer);
      if (io_result.status != IoResult::Status::ok) return text;
      text += as_text(Bytes(buffer).first(io_result.bytes));
    }
  }
  /// The frames that the peer has got.
  std::string heard() { return described(role_, raw()); }
  std::string error() const { return end->error(last.error).text; }

  IoContext io{Loop::Time::simulated};
  std::unique_ptr<Stream> peer;
  std::unique_ptr<WsStream> end;
  IoResult last;

 private:
  Role role_;
};

/// Both ends, after a handshake.
class Pair : public gost::testing::StreamPair {
 public:
  ServerOptions server_options;
  ClientOptions client_options;

  void connect() {
    client_options.host = "proxy.example:8080";
    io.loop.run(shake([this](std::unique_ptr<Stream> below) { return dial(std::move(below)); },
                      [this](std::unique_ptr<Stream> below) { return accept(std::move(below)); }));
  }

 private:
  Task<> accept(std::unique_ptr<Stream> below) {
    const WsUpgrade upgrade(server_options);
    keep_server(co_await upgrade.upgrade(io, std::move(below)));
  }
  Task<> dial(std::unique_ptr<Stream> below) {
    keep_client(
        co_await with_deadline(client_options.handshake_timeout, ws_connect(io, std::move(below), client_options)));
  }
};

}  // namespace gost::ws::testing
