#include "socks5/udp_codec.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace gost::socks5 {

namespace {

constexpr std::uint8_t kIpv4 = 1;
constexpr std::uint8_t kName = 3;
constexpr std::uint8_t kIpv6 = 4;
constexpr std::uint8_t kFrameMark = 0xff;  ///< what GOST writes in place of FRAG
constexpr std::size_t kBeforeAddress = 3;  ///< RSV and FRAG, or LEN and the mark
/// The shortest ATYP ADDR PORT there is: one with an empty name.
constexpr std::size_t kShortestAddress = 1 + 1 + 2;

struct LocatedAddress {
  DatagramAddress address;
  std::size_t size;
};

IpAddress ipv6_of(Bytes bytes) {
  std::array<std::uint8_t, 16> six;
  std::ranges::copy(bytes, six.begin());
  return IpAddress::v6(six).unmapped();
}

/// `ATYP ADDR PORT` at the front of `bytes`.
Decode<LocatedAddress> decode_address(Bytes bytes) {
  if (bytes.empty()) return NeedMore{kShortestAddress};
  std::uint8_t type = bytes[0];
  if (type != kIpv4 && type != kName && type != kIpv6)
    return Error{Cause::address_type, "bad address type " + std::to_string(type)};
  if (bytes.size() < kShortestAddress) return NeedMore{kShortestAddress - bytes.size()};
  std::size_t host_at = type == kName ? 2 : 1;
  std::size_t host_size = type == kIpv4 ? 4 : type == kIpv6 ? 16 : bytes[1];
  std::size_t total = host_at + host_size + 2;
  if (bytes.size() < total) return NeedMore{total - bytes.size()};

  Bytes host = bytes.subspan(host_at, host_size);
  std::uint16_t port = ByteReader(bytes.subspan(host_at + host_size, 2)).u16_be();
  if (type == kName) return LocatedAddress{{SocketAddress(IpAddress(), port), as_text(host)}, total};
  IpAddress ip = type == kIpv4 ? IpAddress::v4({host[0], host[1], host[2], host[3]}) : ipv6_of(host);
  return LocatedAddress{{SocketAddress(ip, port), {}}, total};
}

UdpHeaderBuffer encode_header(std::size_t first, std::uint8_t mark, const DatagramAddress& address) {
  UdpHeaderBuffer header;
  header.u16_be(static_cast<std::uint16_t>(first)).u8(mark);
  if (address.name.empty()) {
    IpAddress ip = address.peer.ip().unmapped();
    header.u8(ip.is_v4() ? kIpv4 : kIpv6).bytes(ip.bytes());
  } else {
    header.u8(kName).u8(static_cast<std::uint8_t>(address.name.size())).bytes(as_bytes(address.name));
  }
  header.u16_be(address.peer.port());
  return header;
}

}  // namespace

Result<UdpHeader> decode_udp_header(Bytes datagram) {
  if (datagram.size() < kBeforeAddress) return fail(Cause::protocol, "datagram shorter than its SOCKS5 header");
  auto decoded = decode_address(datagram.subspan(kBeforeAddress));
  if (auto* error = std::get_if<Error>(&decoded)) return fail(std::move(*error));
  auto* located = std::get_if<LocatedAddress>(&decoded);
  if (located == nullptr) return fail(Cause::protocol, "datagram shorter than its SOCKS5 header");
  ByteReader reader(datagram);
  UdpHeader header;
  header.reserved = reader.u16_be();
  header.fragment = reader.u8();
  header.address = located->address;
  header.size = kBeforeAddress + located->size;
  return header;
}

UdpHeaderBuffer encode_udp_header(const DatagramAddress& address) {
  return encode_header(0, 0, address);
}

Decode<Frame> decode_frame(Bytes stream) {
  if (stream.size() < kBeforeAddress) return NeedMore{kBeforeAddress + kShortestAddress - stream.size()};
  std::size_t payload_size = ByteReader(stream).u16_be();
  auto decoded = decode_address(stream.subspan(kBeforeAddress));
  if (auto* error = std::get_if<Error>(&decoded)) return std::move(*error);
  if (auto* more = std::get_if<NeedMore>(&decoded)) return NeedMore{more->bytes + payload_size};
  auto& located = std::get<LocatedAddress>(decoded);
  std::size_t header_size = kBeforeAddress + located.size;
  std::size_t total = header_size + payload_size;
  if (stream.size() < total) return NeedMore{total - stream.size()};
  return Frame{located.address, stream.subspan(header_size, payload_size), total};
}

UdpHeaderBuffer encode_frame_header(const DatagramAddress& address, std::size_t size) {
  return encode_header(size, kFrameMark, address);
}

}  // namespace gost::socks5
