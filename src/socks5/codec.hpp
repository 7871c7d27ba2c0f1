// SOCKS5 messages (RFC 1928, RFC 1929, wire.md §2): pure functions on bytes.
#pragma once

#include "core/address.hpp"
#include "core/bytes.hpp"
#include "core/decode.hpp"

#include <bitset>
#include <string>
#include <vector>

namespace gost::socks5 {

inline constexpr std::uint8_t kVersion = 5;
inline constexpr std::uint8_t kAuthVersion = 1;

/// Authentication methods; 0x80 and 0x82 are GOST's (wire.md §3).
enum class Method : std::uint8_t {
  none = 0x00,
  user_password = 0x02,
  tls = 0x80,
  tls_user_password = 0x82,
  unacceptable = 0xff,
};

/// Commands; from resolve on they are extensions (Tor's and GOST's).
enum class Command : std::uint8_t {
  connect = 0x01,
  bind = 0x02,
  udp_associate = 0x03,
  resolve = 0xf0,
  resolve_ptr = 0xf1,
  multiplexed_bind = 0xf2,
  udp_tunnel = 0xf3,
};

enum class Reply : std::uint8_t {
  succeeded = 0x00,
  general_failure = 0x01,
  not_allowed = 0x02,
  network_unreachable = 0x03,
  host_unreachable = 0x04,
  connection_refused = 0x05,
  ttl_expired = 0x06,
  command_not_supported = 0x07,
  address_type_not_supported = 0x08,
};

/// The methods of a greeting; order and repetition carry no meaning.
struct Greeting {
  std::bitset<256> methods;

  bool offers(Method method) const { return methods.test(static_cast<std::uint8_t>(method)); }
  friend bool operator==(const Greeting&, const Greeting&) = default;
};

struct Credentials {
  std::string user;
  std::string password;
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

struct Request {
  std::uint8_t command = 0;  ///< a Command, or one that nobody knows
  Endpoint target;
  std::uint8_t reserved = 0;  ///< RSV; not 0 only between ends of this program (UDP-TUN)
  friend bool operator==(const Request&, const Request&) = default;
};

struct ReplyMessage {
  std::uint8_t reply = 0;  ///< a Reply, or a code that RFC 1928 does not know
  Endpoint bound;
  std::uint8_t reserved = 0;  ///< as in Request
  friend bool operator==(const ReplyMessage&, const ReplyMessage&) = default;
};

/// RSV of a UDP-TUN request: this client understands empty frames; of the reply: so does the server, and both may
/// send them. GOST writes 0 and ignores what it reads.
inline constexpr std::uint8_t kEmptyFramesUnderstood = 1;

inline constexpr std::size_t kMaxGreeting = 2 + 255;
inline constexpr std::size_t kMaxCredentials = 3 + 255 + 255;
inline constexpr std::size_t kMaxAddress = 1 + 1 + 255 + 2;
inline constexpr std::size_t kMaxRequest = 3 + kMaxAddress;  ///< and of a reply

/// Each decodes a prefix of what was received. Errors have Cause::protocol; an unknown address type, which is the one
/// error that is answered, has Cause::address_type.
Decode<Greeting> decode_greeting(Bytes bytes);
Decode<Method> decode_method_choice(Bytes bytes);
Decode<Credentials> decode_credentials(Bytes bytes);
Decode<bool> decode_auth_status(Bytes bytes);
Decode<Request> decode_request(Bytes bytes);
Decode<ReplyMessage> decode_reply(Bytes bytes);

/// A reply with an IP address.
using ReplyBuffer = MessageBuffer<3 + 1 + 16 + 2>;

/// `05 NMETHODS METHODS…` in the given order.
MessageBuffer<kMaxGreeting> encode_greeting(std::initializer_list<Method> methods);
std::array<std::uint8_t, 2> encode_method_choice(Method method);
/// RFC 1929 §2. Errors: Cause::invalid for a text over 255 bytes.
Result<MessageBuffer<kMaxCredentials>> encode_credentials(const Credentials& credentials);
std::array<std::uint8_t, 2> encode_auth_status(bool accepted);
/// Errors: Cause::invalid for a host over 255 bytes. An empty host is written as 0.0.0.0 (wire.md §2.4).
Result<MessageBuffer<kMaxRequest>> encode_request(const Request& request);
ReplyBuffer encode_reply(Reply reply, const SocketAddress& bound = {}, std::uint8_t reserved = 0);
/// A reply whose host may be a name (a `publicAddr`). Errors as of encode_request().
Result<MessageBuffer<kMaxRequest>> encode_reply(Reply reply, const Endpoint& bound);

}  // namespace gost::socks5
