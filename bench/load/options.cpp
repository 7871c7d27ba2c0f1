#include "load/options.hpp"

#include "core/text.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace gost::load {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::pair<std::string_view, Mode>, 11> modes{{{"connect", Mode::connect},
                                                                   {"roundtrip", Mode::roundtrip},
                                                                   {"bulk-down", Mode::bulk_down},
                                                                   {"bulk-up", Mode::bulk_up},
                                                                   {"bulk-both", Mode::bulk_both},
                                                                   {"idle", Mode::idle},
                                                                   {"tls-handshake", Mode::tls_handshake},
                                                                   {"udp-echo", Mode::udp_echo},
                                                                   {"udp-flood", Mode::udp_flood},
                                                                   {"udp-connect", Mode::udp_connect},
                                                                   {"udp-idle", Mode::udp_idle}}};
constexpr std::array<std::pair<std::string_view, Protocol>, 4> protocols{{{"socks5", Protocol::socks5},
                                                                          {"socks4", Protocol::socks4},
                                                                          {"forward", Protocol::forward},
                                                                          {"direct", Protocol::direct}}};

template <class Table>
auto find_name(const Table& table, std::string_view name) -> std::optional<typename Table::value_type::second_type> {
  for (const auto& [key, value] : table) {
    if (key == name) return value;
  }
  return std::nullopt;
}

using Setter = std::function<bool(std::string_view)>;

template <class Number>
Setter number(Number& target, std::int64_t least = 1) {
  return [&target, least](std::string_view text) {
    const auto value = parse_int(text);
    if (!value || *value < least || !std::in_range<Number>(*value)) return false;
    target = static_cast<Number>(*value);
    return true;
  };
}

Setter text(std::string& target) {
  return [&target](std::string_view value) {
    target = value;
    return value.size() <= 255;
  };
}

Setter duration(Duration& target) {
  return [&target](std::string_view text) {
    const auto value = parse_duration(text);
    if (value) target = *value;
    return value && *value >= 0s;
  };
}

Setter pids(std::vector<pid_t>& target) {
  return [&target](std::string_view text) {
    for (const auto piece : split(text, ',')) {
      pid_t pid = 0;
      if (!number(pid)(piece)) return false;
      target.push_back(pid);
    }
    return true;
  };
}

Setter endpoint(SocketAddress& target) {
  return [&target](std::string_view text) {
    const auto parsed = parse_endpoint(text);
    if (!parsed) return false;
    const auto ip = IpAddress::parse(parsed->host);
    if (ip) target = SocketAddress(*ip, parsed->port);
    return ip.has_value();
  };
}

Setter boolean(bool& target) {
  return [&target](std::string_view text) {
    const auto value = parse_bool(text);
    if (value) target = *value;
    return value.has_value();
  };
}

std::vector<std::pair<std::string_view, Setter>> setters(Options& options) {
  return {{"--proxy", endpoint(options.proxy)},
          {"--protocol",
           [&options](std::string_view name) {
             const auto protocol = find_name(protocols, name);
             if (protocol) options.protocol = *protocol;
             return protocol.has_value();
           }},
          {"--user", text(options.user)},
          {"--password", text(options.password)},
          {"--server-pid", pids(options.server_pids)},
          {"--connections", number(options.connections)},
          {"--concurrency", number(options.concurrency)},
          {"--tunnels", number(options.tunnels)},
          {"--streams", number(options.streams)},
          {"--size", number(options.size)},
          {"--window", number(options.window)},
          {"--trips", number(options.trips)},
          {"--bytes", number(options.bytes)},
          {"--rate", number(options.rate)},
          {"--time", duration(options.seconds)},
          {"--hold", duration(options.hold)},
          {"--patience", duration(options.patience)},
          {"--timeout", duration(options.timeout)},
          {"--sink-port", number(options.sink_port)},
          {"--resume", boolean(options.resume)},
          {"--exchange", boolean(options.exchange)},
          {"--segmentation", boolean(options.segmentation)}};
}

Result<> check_udp(const Options& options) {
  // A number is written into each; the longest still takes the header of SOCKS5.
  constexpr std::uint32_t shortest_datagram = 8;
  constexpr std::uint32_t longest_datagram = 65'000;
  constexpr std::uint32_t largest_window = 4096;
  if (options.protocol == Protocol::socks4) return fail(Cause::invalid, "--protocol: SOCKS4 has no UDP");
  if (options.size < shortest_datagram || options.size > longest_datagram) {
    return fail(Cause::invalid, "--size: a datagram has 8 to 65000 bytes");
  }
  if (options.window > largest_window) return fail(Cause::invalid, "--window: at most 4096");
  return {};
}

Result<> check(const Options& options) {
  if (options.protocol != Protocol::direct && options.proxy.port() == 0) {
    return fail(Cause::invalid, "--proxy is missing: the address of the server, as 127.0.0.1:1080");
  }
  if (options.protocol == Protocol::forward && options.sink_port == 0) {
    return fail(Cause::invalid, "--protocol forward needs --sink-port: the port that the server forwards to");
  }
  constexpr std::uint32_t largest_message = 1 << 20;
  if (options.size > largest_message) return fail(Cause::invalid, "--size: at most 1048576");
  return is_udp(options.mode) ? check_udp(options) : Result<>{};
}

}  // namespace

Result<Options> parse_options(std::span<char*> arguments) {
  if (arguments.empty()) return fail(Cause::invalid, "the mode is missing");
  Options options;
  options.seconds = 5s;
  options.hold = 1s;
  options.patience = 10s;
  options.timeout = 120s;
  options.mode_name = arguments[0];
  const auto mode = find_name(modes, options.mode_name);
  if (!mode) return fail(Cause::invalid, "unknown mode '" + options.mode_name + "'");
  options.mode = *mode;

  const auto known = setters(options);
  for (std::size_t i = 1; i < arguments.size(); i += 2) {
    const std::string name = arguments[i];
    const auto setter = find_name(known, name);
    if (!setter) return fail(Cause::invalid, "unknown option '" + name + "'");
    if (i + 1 == arguments.size()) return fail(Cause::invalid, name + ": its value is missing");
    if (!(*setter)(arguments[i + 1])) {
      return fail(Cause::invalid, name + ": '" + arguments[i + 1] + "' is no value for it");
    }
  }
  if (const auto checked = check(options); !checked) return fail(checked.error());
  return options;
}

std::string usage() {
  return R"(usage: gost_load MODE --proxy IP:PORT [options]

Opens tunnels through a proxy to a sink of its own (a child process on 127.0.0.0/8) and prints one JSON object:
what was done, how fast, and what it cost the server process. A tunnel for datagrams is a UDP ASSOCIATE with socks5,
and a source port of its own with forward.

modes
  connect     --connections N, --concurrency C at a time: connect, handshake, one byte each way, close
  roundtrip   --tunnels K of --size B bytes back and forth for --time T or --trips N
  bulk-down   --streams S, the sink sends;     for --time T or --bytes B for each stream
  bulk-up     --streams S, the sink receives
  bulk-both   --streams S, both send at the same time
  idle        --tunnels N opened --concurrency C at a time, at rest for --hold T, then each must echo
  tls-handshake --connections N, --concurrency C at a time, to SOCKS5 over TLS: handshake, greeting, close
  udp-echo    --tunnels K, --window W datagrams of --size B bytes of each under way, for --time T or --trips N
  udp-flood   the same datagrams in one direction, as many as arrive, for --time T
  udp-connect --connections N, --concurrency C at a time: associate, one datagram and its echo, go away
  udp-idle    as idle, where one datagram and its echo open each of the --tunnels N

options (durations as 5s, 250ms)
  --protocol P      socks5 (default), socks4, forward (the server forwards to --sink-port by itself), direct (no server)
  --user, --password  for SOCKS5; the user id for SOCKS4
  --server-pid PIDS measure these processes (1,2,3) and their children: CPU time, memory, descriptors
  --sink-port PORT  a fixed port for the sink (default: any free one)
  --rate N          bulk-down: each stream gets this many bytes a second at most
  --resume BOOL     tls-handshake: true resumes the TLS session of the connection before
  --exchange BOOL   connect: false closes right after the handshake
  --segmentation BOOL  udp-flood: false hands the kernel every datagram by itself
  --patience T      one connection or answer may take this long (10s), then it counts as an error
  --timeout T       the whole run may take this long (120s)
The exit code is 0 if everything that was started succeeded, 1 if not, 2 for wrong arguments.
)";
}

}  // namespace gost::load
