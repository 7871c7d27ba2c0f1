// What one run of the load generator does.
#pragma once

#include "core/address.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace gost::load {

enum class Mode : std::uint8_t {
  connect,
  roundtrip,
  bulk_down,
  bulk_up,
  bulk_both,
  idle,
  tls_handshake,
  udp_echo,
  udp_flood,
  udp_connect,
  udp_idle,
};

/// Whether the tunnels of a mode carry datagrams.
constexpr bool is_udp(Mode mode) {
  return mode >= Mode::udp_echo;
}

/// How a tunnel to the sink is asked for.
enum class Protocol : std::uint8_t {
  socks5,
  socks4,
  forward,  ///< the server forwards to the sink's fixed port by itself; nothing is said
  direct,   ///< no server at all: what the generator itself can do
};

struct Options {
  Mode mode = Mode::connect;
  std::string mode_name;
  Protocol protocol = Protocol::socks5;
  SocketAddress proxy;
  std::string user;
  std::string password;
  std::vector<pid_t> server_pids;  ///< processes that are measured, each with its descendants

  std::uint32_t connections = 10'000;  ///< connect, tls-handshake, udp-connect: how many in all
  std::uint32_t concurrency = 64;      ///< connect, tls-handshake, idle, udp-*: how many are being opened at a time
  std::uint32_t tunnels = 256;         ///< roundtrip, idle, udp-*: how many are open
  std::uint32_t streams = 8;           ///< bulk-*: how many are open
  std::uint32_t size = 64;             ///< roundtrip, udp-*: bytes of a message
  std::uint32_t window = 8;            ///< udp-echo, udp-flood: datagrams of each tunnel that are under way
  std::uint64_t trips = 0;             ///< roundtrip, udp-echo: how many in all (0: as many as `seconds` allow)
  std::uint64_t bytes = 0;             ///< bulk-*: bytes of each stream and direction (0: as many as `seconds` allow)
  std::uint64_t rate = 0;              ///< bulk-down: bytes a second of each stream at most (0: as fast as they go)
  Duration seconds{};                  ///< how long to measure
  Duration hold{};                     ///< idle: how long the tunnels rest
  Duration patience{};                 ///< how long one connection or answer may take
  Duration timeout{};                  ///< how long the whole run may take
  std::uint16_t sink_port = 0;         ///< 0: chosen by the kernel
  bool resume = false;                 ///< tls-handshake: with the session of the one before
  bool exchange = true;                ///< connect: one byte each way before the connection is closed
  bool segmentation = true;            ///< udp-flood: many datagrams go to the kernel as one (UDP_SEGMENT)
};

/// Parses the arguments after the program's name. The error's text says what is wrong with which of them.
Result<Options> parse_options(std::span<char*> arguments);

/// The text of `gost_load --help`.
std::string usage();

}  // namespace gost::load
