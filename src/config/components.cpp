#include "config/components.hpp"

#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gost::config {

namespace {

using Names = std::vector<std::string_view>;

const Names kHandlers{"api",      "auto", "dns",    "file",     "forward", "http",  "http2",  "http3", "masque",
                      "metadata", "red",  "redir",  "redirect", "redu",    "relay", "router", "rtcp",  "rudp",
                      "serial",   "sni",  "socks5", "socks4",   "socks4a", "socks", "ss",     "sshd",  "ssu",
                      "tap",      "tcp",  "tun",    "tungo",    "tunnel",  "udp",   "unix"};
const Names kListeners{"dns",   "dtls",   "ftcp", "grpc", "h2",    "h2c",      "h3",   "http2", "http3",
                       "icmp",  "icmp6",  "kcp",  "mtcp", "mtls",  "mws",      "mwss", "ohttp", "otls",
                       "pht",   "phts",   "quic", "red",  "redir", "redirect", "redu", "rtcp",  "rudp",
                       "runix", "serial", "ssh",  "sshd", "stdio", "tap",      "tcp",  "tls",   "tun",
                       "tungo", "udp",    "unix", "ws",   "wss",   "wt"};
const Names kConnectors{"direct", "forward", "http",   "http2",  "masque",  "relay",  "router",
                        "serial", "sni",     "socks5", "socks4", "socks4a", "socks",  "ss",
                        "sshd",   "ssu",     "tcp",    "tunnel", "unix",    "virtual"};
const Names kDialers{"direct", "dtls", "ftcp", "grpc", "h2",   "h2c",   "h3",      "http2", "http3", "icmp", "icmp6",
                     "kcp",    "mtcp", "mtls", "mws",  "mwss", "ohttp", "otls",    "pht",   "phts",  "quic", "serial",
                     "ssh",    "sshd", "tcp",  "tls",  "udp",  "unix",  "virtual", "ws",    "wss",   "wt"};

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
  case Kind::handler: return "handler";
  case Kind::listener: return "listener";
  case Kind::connector: return "connector";
  case Kind::dialer: return "dialer";
  }
  return "";
}

const std::vector<std::string_view>& known_names(Kind kind) {
  switch (kind) {
  case Kind::handler: return kHandlers;
  case Kind::listener: return kListeners;
  case Kind::connector: return kConnectors;
  case Kind::dialer: break;
  }
  return kDialers;
}

bool is_known(Kind kind, std::string_view name) {
  return std::ranges::find(known_names(kind), name) != known_names(kind).end();
}

std::string_view canonical_name(Kind kind, std::string_view name) {
  if (name == "socks") return "socks5";
  if (name == "socks4a") return "socks4";
  if (name == "virtual") return "direct";
  if (!name.empty()) return name;
  switch (kind) {
  case Kind::handler: return "auto";
  case Kind::connector: return "http";
  case Kind::listener:
  case Kind::dialer: break;
  }
  return "tcp";
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best = nearest(word, candidates);
  return best.empty() ? std::string() : fmt::format(" Did you mean '{}'?", best);
}

}  // namespace gost::config
