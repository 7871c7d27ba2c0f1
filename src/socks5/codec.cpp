#include "socks5/codec.hpp"

#include <algorithm>

namespace gost::socks5 {

namespace {

constexpr std::uint8_t kIpv4 = 1;
constexpr std::uint8_t kName = 3;
constexpr std::uint8_t kIpv6 = 4;

Error bad_version(std::uint8_t got, std::uint8_t wanted) {
  return {Cause::protocol, "bad version " + std::to_string(got) + ", expected " + std::to_string(wanted)};
}

/// The shortest request or reply there is: one with an empty name.
constexpr std::size_t kShortest = 3 + 2 + 2;

struct CodeAndAddress {
  std::uint8_t code;
  std::uint8_t reserved;
  Endpoint address;
};

/// `05 CODE RSV ATYP ADDR PORT`: requests and replies have the same shape. Any RSV is accepted, as in GOST.
Decode<CodeAndAddress> decode_code_and_address(Bytes bytes) {
  if (!bytes.empty() && bytes[0] != kVersion) return bad_version(bytes[0], kVersion);
  if (bytes.size() >= 4 && bytes[3] != kIpv4 && bytes[3] != kName && bytes[3] != kIpv6)
    return Error{Cause::address_type, "bad address type " + std::to_string(bytes[3])};
  if (bytes.size() < kShortest) return NeedMore{kShortest - bytes.size()};

  std::size_t host_at = bytes[3] == kName ? 5 : 4;
  std::size_t host_size = bytes[3] == kIpv4 ? 4 : bytes[3] == kIpv6 ? 16 : bytes[4];
  std::size_t total = host_at + host_size + 2;
  if (bytes.size() < total) return NeedMore{total - bytes.size()};

  Bytes host = bytes.subspan(host_at, host_size);
  CodeAndAddress result{bytes[1], bytes[2], {}};
  ByteReader port(bytes.subspan(host_at + host_size, 2));
  result.address.port = port.u16_be();
  if (bytes[3] == kName) {
    result.address.host = as_text(host);
  } else if (bytes[3] == kIpv4) {
    result.address.host = IpAddress::v4({host[0], host[1], host[2], host[3]}).to_string();
  } else {
    std::array<std::uint8_t, 16> six;
    std::ranges::copy(host, six.begin());
    result.address.host = IpAddress::v6(six).unmapped().to_string();
  }
  return result;
}

template <std::size_t Capacity>
void put_ip(MessageBuffer<Capacity>& message, const IpAddress& ip) {
  message.u8(ip.is_v4() ? kIpv4 : kIpv6).bytes(ip.bytes());
}

/// An empty host is written as 0.0.0.0; a literal as an address, any other text as a name (wire.md §2.4).
Result<MessageBuffer<kMaxRequest>> encode_code_and_address(std::uint8_t code, std::uint8_t reserved,
                                                           const Endpoint& address) {
  if (address.host.size() > 255) return fail(Cause::invalid, "host name longer than 255 bytes");
  MessageBuffer<kMaxRequest> message;
  message.u8(kVersion).u8(code).u8(reserved);
  auto ip = IpAddress::parse(address.host);
  if (address.host.empty()) {
    put_ip(message, IpAddress());
  } else if (ip && ip->zone() == 0) {
    put_ip(message, ip->unmapped());
  } else {
    message.u8(kName).u8(static_cast<std::uint8_t>(address.host.size())).bytes(as_bytes(address.host));
  }
  message.u16_be(address.port);
  return message;
}

}  // namespace

Decode<Greeting> decode_greeting(Bytes bytes) {
  if (!bytes.empty() && bytes[0] != kVersion) return bad_version(bytes[0], kVersion);
  if (bytes.size() > 1 && bytes[1] == 0) return Error{Cause::protocol, "bad method: none offered"};
  // No greeting is shorter than three bytes, so that many may be asked for before NMETHODS is known.
  std::size_t total = bytes.size() > 1 ? 2 + std::size_t{bytes[1]} : 3;
  if (bytes.size() < total) return NeedMore{total - bytes.size()};
  Greeting greeting;
  for (std::uint8_t method : bytes.subspan(2, bytes[1])) greeting.methods.set(method);
  return greeting;
}

Decode<Method> decode_method_choice(Bytes bytes) {
  if (!bytes.empty() && bytes[0] != kVersion) return bad_version(bytes[0], kVersion);
  if (bytes.size() < 2) return NeedMore{2 - bytes.size()};
  return static_cast<Method>(bytes[1]);
}

Decode<Credentials> decode_credentials(Bytes bytes) {
  if (!bytes.empty() && bytes[0] != kAuthVersion) return bad_version(bytes[0], kAuthVersion);
  std::size_t total = 3;
  if (bytes.size() > 1) {
    std::size_t password_at = 2 + std::size_t{bytes[1]};
    total = password_at + 1;
    if (bytes.size() > password_at) total += bytes[password_at];
  }
  if (bytes.size() < total) return NeedMore{total - bytes.size()};
  std::size_t user_size = bytes[1];
  std::size_t password_size = bytes[2 + user_size];
  return Credentials{std::string(as_text(bytes.subspan(2, user_size))),
                     std::string(as_text(bytes.subspan(3 + user_size, password_size)))};
}

Decode<bool> decode_auth_status(Bytes bytes) {
  if (!bytes.empty() && bytes[0] != kAuthVersion) return bad_version(bytes[0], kAuthVersion);
  if (bytes.size() < 2) return NeedMore{2 - bytes.size()};
  return bytes[1] == 0;
}

Decode<Request> decode_request(Bytes bytes) {
  auto decoded = decode_code_and_address(bytes);
  if (auto* message = std::get_if<CodeAndAddress>(&decoded))
    return Request{message->code, std::move(message->address), message->reserved};
  if (auto* more = std::get_if<NeedMore>(&decoded)) return *more;
  return std::get<Error>(std::move(decoded));
}

Decode<ReplyMessage> decode_reply(Bytes bytes) {
  auto decoded = decode_code_and_address(bytes);
  if (auto* message = std::get_if<CodeAndAddress>(&decoded))
    return ReplyMessage{message->code, std::move(message->address), message->reserved};
  if (auto* more = std::get_if<NeedMore>(&decoded)) return *more;
  return std::get<Error>(std::move(decoded));
}

MessageBuffer<kMaxGreeting> encode_greeting(std::initializer_list<Method> methods) {
  MessageBuffer<kMaxGreeting> message;
  message.u8(kVersion).u8(static_cast<std::uint8_t>(methods.size()));
  for (Method method : methods) message.u8(static_cast<std::uint8_t>(method));
  return message;
}

std::array<std::uint8_t, 2> encode_method_choice(Method method) {
  return {kVersion, static_cast<std::uint8_t>(method)};
}

Result<MessageBuffer<kMaxCredentials>> encode_credentials(const Credentials& credentials) {
  if (credentials.user.size() > 255) return fail(Cause::invalid, "user name longer than 255 bytes");
  if (credentials.password.size() > 255) return fail(Cause::invalid, "password longer than 255 bytes");
  MessageBuffer<kMaxCredentials> message;
  message.u8(kAuthVersion).u8(static_cast<std::uint8_t>(credentials.user.size())).bytes(as_bytes(credentials.user));
  message.u8(static_cast<std::uint8_t>(credentials.password.size())).bytes(as_bytes(credentials.password));
  return message;
}

std::array<std::uint8_t, 2> encode_auth_status(bool accepted) {
  return {kAuthVersion, static_cast<std::uint8_t>(accepted ? 0 : 1)};
}

Result<MessageBuffer<kMaxRequest>> encode_request(const Request& request) {
  return encode_code_and_address(request.command, request.reserved, request.target);
}

ReplyBuffer encode_reply(Reply reply, const SocketAddress& bound, std::uint8_t reserved) {
  ReplyBuffer message;
  message.u8(kVersion).u8(static_cast<std::uint8_t>(reply)).u8(reserved);
  put_ip(message, bound.ip().unmapped());
  message.u16_be(bound.port());
  return message;
}

Result<MessageBuffer<kMaxRequest>> encode_reply(Reply reply, const Endpoint& bound) {
  return encode_code_and_address(static_cast<std::uint8_t>(reply), 0, bound);
}

}  // namespace gost::socks5
