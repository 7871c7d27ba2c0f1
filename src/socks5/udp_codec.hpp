// The two forms in which SOCKS5 carries datagrams: with a header in UDP (RFC 1928 §7, wire.md §7.1), and framed in
// the stream (GOST's UDP-TUN, wire.md §8.2). Pure functions on bytes.
#pragma once

#include "core/address.hpp"
#include "core/bytes.hpp"
#include "core/decode.hpp"
#include "socks5/codec.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gost::socks5 {

/// Where a datagram goes to or comes from: a name if there is one, else the address.
struct DatagramAddress {
  SocketAddress peer;     ///< with a name only its port counts
  std::string_view name;  ///< a view into the bytes that were decoded
  friend bool operator==(const DatagramAddress&, const DatagramAddress&) = default;
  /// "192.0.2.1:53", "name.example:53".
  std::string to_string() const {
    return name.empty() ? peer.to_string() : Endpoint{std::string(name), peer.port()}.to_string();
  }
};

/// `RSV RSV FRAG ATYP ADDR PORT` in front of the payload of a UDP datagram.
struct UdpHeader {
  std::uint16_t reserved = 0;
  std::uint8_t fragment = 0;  ///< 0: a whole datagram; else its position, with the top bit at the last one
  DatagramAddress address;
  std::size_t size = 0;  ///< of the header: the payload is what follows
};

inline constexpr std::size_t kMaxUdpHeader = 3 + kMaxAddress;
using UdpHeaderBuffer = MessageBuffer<kMaxUdpHeader>;

/// Decodes the header of a whole datagram. An IPv4-mapped address is IPv4. Errors: Cause::protocol, too short;
/// Cause::address_type.
Result<UdpHeader> decode_udp_header(Bytes datagram);
/// `00 00 00 ATYP ADDR PORT`. A name is at most 255 bytes long; with a longer one the buffer is not ok().
UdpHeaderBuffer encode_udp_header(const DatagramAddress& address);

/// `LEN LEN FF ATYP ADDR PORT` and LEN bytes of payload: one datagram in the stream.
struct Frame {
  DatagramAddress address;
  Bytes payload;
  std::size_t size = 0;  ///< of the whole frame
};

inline constexpr std::size_t kMaxFrame = kMaxUdpHeader + 65535;

/// Decodes the frame at the front of `stream`; the views point into it. The third byte is ignored. Errors:
/// Cause::protocol or Cause::address_type, after which the stream cannot be read any further.
Decode<Frame> decode_frame(Bytes stream);
/// The header of a frame with a payload of `size` bytes (at most 65535). Names as for encode_udp_header().
UdpHeaderBuffer encode_frame_header(const DatagramAddress& address, std::size_t size);

}  // namespace gost::socks5
