#include "core/address.hpp"

#include "core/text.hpp"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>

namespace gost {

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> bytes) {
  IpAddress ip;
  std::ranges::copy(bytes, ip.bytes_.begin());
  return ip;
}

IpAddress IpAddress::v6(std::array<std::uint8_t, 16> bytes, std::uint32_t zone) {
  IpAddress ip;
  ip.v4_ = false;
  ip.bytes_ = bytes;
  ip.zone_ = zone;
  return ip;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;  // C functions would see its end there
  char buffer[INET6_ADDRSTRLEN];
  std::uint32_t zone = 0;
  if (auto percent = text.find('%'); percent != std::string_view::npos) {
    std::string name(text.substr(percent + 1));
    zone = ::if_nametoindex(name.c_str());
    if (zone == 0) {
      auto number = parse_int(name);
      if (!number || *number <= 0 || *number > 0x7fffffff) return std::nullopt;
      zone = static_cast<std::uint32_t>(*number);
    }
    text = text.substr(0, percent);
    if (text.find(':') == std::string_view::npos) return std::nullopt;
  }
  if (text.empty() || text.size() >= sizeof buffer) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';

  if (std::array<std::uint8_t, 4> four{}; ::inet_pton(AF_INET, buffer, four.data()) == 1) return v4(four);
  if (std::array<std::uint8_t, 16> six{}; ::inet_pton(AF_INET6, buffer, six.data()) == 1) return v6(six, zone);
  return std::nullopt;
}

bool IpAddress::is_v4_mapped() const {
  static constexpr std::array<std::uint8_t, 12> prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return !v4_ && std::equal(prefix.begin(), prefix.end(), bytes_.begin());
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const {
  if (v4_) return bytes_[0] == 127;
  if (is_v4_mapped()) return bytes_[12] == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_link_local() const {
  if (v4_) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

IpAddress IpAddress::unmapped() const {
  if (!is_v4_mapped()) return *this;
  return v4({bytes_[12], bytes_[13], bytes_[14], bytes_[15]});
}

std::string IpAddress::to_string() const {
  char buffer[INET6_ADDRSTRLEN];
  ::inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), buffer, sizeof buffer);
  std::string text = buffer;
  if (zone_ != 0) {
    char name[IF_NAMESIZE];
    text += "%";
    text += ::if_indextoname(zone_, name) != nullptr ? std::string(name) : std::to_string(zone_);
  }
  return text;
}

SocketAddress SocketAddress::from_native(const sockaddr_storage& native) {
  if (native.ss_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &native, sizeof in);
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &in.sin_addr, 4);
    return {IpAddress::v4(bytes), ntohs(in.sin_port)};
  }
  if (native.ss_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, &native, sizeof in);
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &in.sin6_addr, 16);
    return {IpAddress::v6(bytes, in.sin6_scope_id).unmapped(), ntohs(in.sin6_port)};
  }
  return {};
}

socklen_t SocketAddress::to_native(sockaddr_storage& native) const {
  std::memset(&native, 0, sizeof native);
  if (ip_.is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port_);
    std::memcpy(&in.sin_addr, ip_.bytes().data(), 4);
    std::memcpy(&native, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port_);
  in.sin6_scope_id = ip_.zone();
  std::memcpy(&in.sin6_addr, ip_.bytes().data(), 16);
  std::memcpy(&native, &in, sizeof in);
  return sizeof in;
}

std::string SocketAddress::to_string() const {
  return join_host_port(ip_.to_string(), std::to_string(port_));
}

std::string Endpoint::to_string() const {
  return join_host_port(host, std::to_string(port));
}

std::string join_host_port(std::string_view host, std::string_view port) {
  std::string text;
  text.reserve(host.size() + port.size() + 3);
  bool brackets = host.find(':') != std::string_view::npos;
  if (brackets) text += '[';
  text += host;
  if (brackets) text += ']';
  text += ':';
  text += port;
  return text;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  auto bad = [&](std::string_view why) {
    return fail(Cause::invalid, "address " + std::string(text) + ": " + std::string(why));
  };
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("missing port in address");
  std::string_view host;
  if (text.starts_with('[')) {
    auto end = text.find(']');
    if (end == std::string_view::npos) return bad("missing ']' in address");
    if (end + 1 == text.size()) return bad("missing port in address");
    if (end + 1 != colon) return bad(text[end + 1] == ':' ? "too many colons in address" : "missing port in address");
    host = text.substr(1, end - 1);
    if (host.find('[') != std::string_view::npos) return bad("unexpected '[' in address");
  } else {
    host = text.substr(0, colon);
    if (host.find(':') != std::string_view::npos) return bad("too many colons in address");
    if (host.find('[') != std::string_view::npos) return bad("unexpected '[' in address");
    if (host.find(']') != std::string_view::npos) return bad("unexpected ']' in address");
  }
  auto port = parse_int(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535 || text[colon + 1] == '+') return bad("invalid port");
  return Endpoint{std::string(host), static_cast<std::uint16_t>(*port)};
}

}  // namespace gost
