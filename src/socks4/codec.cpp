#include "socks4/codec.hpp"

#include <algorithm>

namespace gost::socks4 {

namespace {

constexpr std::size_t kFixed = 8;

bool is_name_marker(Bytes ip) {
  return ip[0] == 0 && ip[1] == 0 && ip[2] == 0 && ip[3] != 0;
}

/// A NUL-terminated text at `position`.
struct Text {
  bool complete = false;
  bool too_long = false;
  std::string value;
};

Text text_at(Bytes bytes, std::size_t position) {
  Bytes rest = bytes.subspan(position);
  auto end = std::ranges::find(rest, 0);
  auto length = static_cast<std::size_t>(end - rest.begin());
  if (length > kMaxText) return {.too_long = true};
  if (end == rest.end()) return {};
  return {.complete = true, .value = std::string(as_text(rest.first(length)))};
}

}  // namespace

Decode<Request> decode_request(Bytes bytes) {
  if (!bytes.empty() && bytes[0] != kVersion)
    return Error{Cause::protocol, "Bad version " + std::to_string(bytes[0]) + ", SOCKS4 begins with 4"};
  if (bytes.size() > 1 && bytes[1] != 1 && bytes[1] != 2) return Error{Cause::protocol, "Bad command"};
  if (bytes.size() < kFixed + 1) return NeedMore{kFixed + 1 - bytes.size()};

  ByteReader reader(bytes.subspan(1, kFixed - 1));
  Request request;
  request.command = static_cast<Command>(reader.u8());
  request.target.port = reader.u16_be();
  Bytes ip = reader.bytes(4);
  bool named = is_name_marker(ip);

  Text user = text_at(bytes, kFixed);
  if (user.too_long) return Error{Cause::protocol, "user id longer than 255 bytes"};
  if (!user.complete) return NeedMore{named ? std::size_t{2} : std::size_t{1}};
  request.user_id = std::move(user.value);
  if (!named) {
    request.target.host = IpAddress::v4({ip[0], ip[1], ip[2], ip[3]}).to_string();
    return request;
  }
  Text name = text_at(bytes, kFixed + request.user_id.size() + 1);
  if (name.too_long) return Error{Cause::protocol, "host name longer than 255 bytes"};
  if (!name.complete) return NeedMore{1};
  request.target.host = std::move(name.value);
  return request;
}

Result<std::vector<std::uint8_t>> encode_request(const Request& request) {
  auto fits = [](const std::string& text) { return text.size() <= kMaxText && text.find('\0') == std::string::npos; };
  if (!fits(request.user_id)) return fail(Cause::invalid, "user id does not fit into a SOCKS4 request");
  if (!fits(request.target.host)) return fail(Cause::invalid, "host name does not fit into a SOCKS4 request");

  auto ip = IpAddress::parse(request.target.host);
  bool named = !ip || !ip->is_v4() || is_name_marker(ip->bytes());
  static constexpr std::array<std::uint8_t, 4> marker{0, 0, 0, 1};
  MessageBuffer<kMaxRequest> message;
  message.u8(kVersion).u8(static_cast<std::uint8_t>(request.command)).u16_be(request.target.port);
  message.bytes(named ? Bytes(marker) : ip->bytes()).bytes(as_bytes(request.user_id)).u8(0);
  if (named) message.bytes(as_bytes(request.target.host)).u8(0);
  return std::vector<std::uint8_t>(message.view().begin(), message.view().end());
}

std::array<std::uint8_t, 8> encode_reply(Reply reply, const SocketAddress& address) {
  std::array<std::uint8_t, 8> message{0, static_cast<std::uint8_t>(reply)};
  message[2] = static_cast<std::uint8_t>(address.port() >> 8);
  message[3] = static_cast<std::uint8_t>(address.port());
  if (address.ip().is_v4()) std::ranges::copy(address.ip().bytes(), message.begin() + 4);
  return message;
}

}  // namespace gost::socks4
