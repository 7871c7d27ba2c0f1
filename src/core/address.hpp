// Addresses: an IP, a socket address, and an endpoint whose host may still be a name.
#pragma once

#include "core/bytes.hpp"
#include "core/error.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gost {

/// An IPv4 or IPv6 address. IPv6 may carry a zone (interface index).
class IpAddress {
 public:
  IpAddress() = default;  ///< 0.0.0.0
  static IpAddress v4(std::array<std::uint8_t, 4> bytes);
  static IpAddress v6(std::array<std::uint8_t, 16> bytes, std::uint32_t zone = 0);
  /// Dotted IPv4, or IPv6 with an optional %zone (name or number of an interface). No brackets.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const { return v4_; }
  bool is_v6() const { return !v4_; }
  bool is_v4_mapped() const;
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_link_local() const;
  std::uint32_t zone() const { return zone_; }
  /// 4 or 16 bytes, in network order.
  Bytes bytes() const { return {bytes_.data(), v4_ ? std::size_t{4} : std::size_t{16}}; }
  /// An IPv4-mapped IPv6 address as plain IPv4, anything else unchanged: as Go dials and prints it.
  IpAddress unmapped() const;
  std::string to_string() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  bool v4_ = true;
  std::uint32_t zone_ = 0;
  std::array<std::uint8_t, 16> bytes_{};
};

/// An IP address and a port, convertible from and to the kernel's form.
class SocketAddress {
 public:
  SocketAddress() = default;
  SocketAddress(IpAddress ip, std::uint16_t port) : ip_(ip), port_(port) {}
  /// From what the kernel filled in; IPv4-mapped addresses become IPv4. Another family gives 0.0.0.0:0.
  static SocketAddress from_native(const sockaddr_storage& native);
  /// Fills `native` and returns its length.
  socklen_t to_native(sockaddr_storage& native) const;

  const IpAddress& ip() const { return ip_; }
  std::uint16_t port() const { return port_; }
  int family() const { return ip_.is_v4() ? AF_INET : AF_INET6; }
  /// "1.2.3.4:80", "[::1]:80".
  std::string to_string() const;

  friend bool operator==(const SocketAddress&, const SocketAddress&) = default;

 private:
  IpAddress ip_;
  std::uint16_t port_ = 0;
};

/// A place to connect to: an IP literal or a name, and a port. The host may be empty (the local host).
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;

  /// Go's net.JoinHostPort: brackets around a host with a colon.
  std::string to_string() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// Go's net.SplitHostPort plus a decimal port 0..65535; the error texts are Go's ("address 8080: missing port in
/// address").
Result<Endpoint> parse_endpoint(std::string_view text);

/// Go's net.JoinHostPort for text of any kind.
std::string join_host_port(std::string_view host, std::string_view port);

}  // namespace gost
