// For tests of the SOCKS5 server's commands: a handler, its client over a memory pipe, and peers with real sockets.
#pragma once

#include "component/testing/script.hpp"
#include "net/tcp.hpp"
#include "socks5/handler.hpp"
#include "socks5/relay_socket.hpp"

#include <deque>
#include <memory>
#include <string>
#include <utility>

namespace gost::socks5::testing {

using gost::testing::DatagramScript;
using gost::testing::Packet;
using gost::testing::ScriptedRouter;
using gost::testing::ServedSession;

inline SocketAddress address(std::string_view ip, std::uint16_t port) {
  return {IpAddress::parse(ip).value(), port};
}

/// Text as the hex of its bytes.
inline std::string hex(std::string_view text) {
  return to_hex(as_bytes(text));
}
inline std::string hex_port(std::uint16_t port) {
  return to_hex(std::array{static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)});
}
/// The port at the end of a reply.
inline std::uint16_t port_of(const std::string& reply) {
  auto bytes = from_hex(reply).value();
  return bytes.size() < 2 ? std::uint16_t{0}
                          : static_cast<std::uint16_t>(bytes[bytes.size() - 2] << 8 | bytes[bytes.size() - 1]);
}

/// Somebody with a UDP socket on this machine.
class UdpPeer {
 public:
  explicit UdpPeer(IoContext& io, std::string_view ip = "127.0.0.1")
      : io_(io), socket_(bind_datagrams(io.loop, address(ip, 0), false).value()) {}

  SocketAddress local() const { return socket_->local(); }
  void send(const SocketAddress& to, const std::string& hex_text) {
    auto bytes = from_hex(hex_text).value();
    const OutgoingDatagram datagram{.peer = to, .payload = bytes};
    EXPECT_EQ(socket_->try_send({&datagram, 1}).sent, 1U);
  }
  /// The next datagram as hex; "nothing" if none comes within a second.
  Task<std::string> receive() {
    if (waiting_.empty()) co_await with_deadline(std::chrono::seconds(1), some());
    if (waiting_.empty()) co_return "nothing";
    auto [sender, text] = std::move(waiting_.front());
    waiting_.pop_front();
    from = sender;
    co_return text;
  }

  SocketAddress from;  ///< of the last one

 private:
  Task<> some() {
    while (waiting_.empty() && co_await socket_->until(Interest::read) == Outcome::ready) {
      if (socket_->try_receive(io_.datagrams).status != IoResult::Status::ok) continue;
      for (const ReceivedDatagram& datagram : io_.datagrams.items())
        waiting_.emplace_back(datagram.peer, to_hex(datagram.payload));
    }
  }

  IoContext& io_;
  std::unique_ptr<Datagram> socket_;
  std::deque<std::pair<SocketAddress, std::string>> waiting_;
};

/// One session of a handler, on simulated time.
class Scene {
 public:
  explicit Scene(HandlerOptions options = {}, const MemoryPipeOptions& pipe = {})
      : served(io, loggers, address("127.0.0.1", 50'000), address("127.0.0.1", 1080), pipe) {
    options.router = router;
    handler = std::make_unique<SocksHandler>(std::move(options));
  }

  /// Serves the session while `play` speaks for the client; afterwards the client is gone, and the handler has to
  /// end.
  template <class... Arguments>
  void run(Task<> (*play)(Scene&, Arguments...), std::type_identity_t<Arguments>... arguments) {
    io.loop.run(drive(play(*this, std::move(arguments)...)));
  }
  /// Greeting and request; the reply as hex.
  Task<std::string> request(std::string request_hex, std::size_t reply_size = 10) {
    co_await served.say("050100" + std::move(request_hex));
    EXPECT_EQ(co_await served.hear(2), "0500");
    co_return co_await served.hear(reply_size);
  }

  IoContext io{Loop::Time::simulated};
  ConnectionLoggers loggers;
  std::shared_ptr<ScriptedRouter> router = std::make_shared<ScriptedRouter>();
  std::unique_ptr<SocksHandler> handler;
  ServedSession served;

 private:
  Task<> drive(Task<> play) {
    TaskGroup group(co_await this_scope());
    group.spawn(served.serve(*handler));
    co_await std::move(play);
    served.client.reset();
    co_await group.join();
  }
};

}  // namespace gost::socks5::testing
