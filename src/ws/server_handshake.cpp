#include "core/base64.hpp"
#include "core/text.hpp"
#include "ws/extension.hpp"
#include "ws/handshake.hpp"

#include <algorithm>

namespace gost::ws {

namespace {

/// What the client wrote, as far as the log needs it.
std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 64;
  return text.size() <= kMost ? std::string(text) : std::string(text.substr(0, kMost)) + "…";
}

/// The value of two hexadecimal digits; nothing if they are none.
std::optional<char> hex_byte(std::string_view digits) {
  const auto bytes =
      digits.size() == 2 && digits.find(' ') == std::string_view::npos ? from_hex(digits) : std::nullopt;
  if (!bytes || bytes->size() != 1) return std::nullopt;
  return static_cast<char>(bytes->front());
}

/// The path of a request's target, decoded; nothing if that is none. A query is left out (wire.md §10.2).
std::optional<std::string> path_of(std::string_view target) {
  target = target.substr(0, target.find('?'));
  // RFC 9112 §3.2.2: a server must understand a whole URL, too.
  if (const std::size_t scheme = target.find("://"); scheme != std::string_view::npos && !target.starts_with('/')) {
    const std::size_t slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  if (!target.starts_with('/')) return std::nullopt;
  std::string path;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] != '%') {
      path += target[i];
      continue;
    }
    const auto byte = hex_byte(target.substr(i + 1, 2));
    if (!byte) return std::nullopt;
    path += *byte;
    i += 2;
  }
  return path;
}

bool matches(std::string_view path, std::string_view pattern) {
  return path == pattern || (pattern.ends_with('/') && path.starts_with(pattern));
}

/// `why`, if one of the fields that must be there once is not.
std::optional<std::string> bad_count(const HttpFields& fields) {
  for (std::string_view name : {"Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version"}) {
    if (fields.count(name) == 0) return "no " + std::string(name);
    if (fields.count(name) > 1) return "more than one " + std::string(name);
  }
  return std::nullopt;
}

bool has_body(const HttpFields& fields) {
  const std::string_view length = fields.first("Content-Length");
  return fields.count("Transfer-Encoding") > 0 || fields.count("Content-Length") > 1 ||
         (fields.count("Content-Length") == 1 && length != "0");
}

bool is_key(std::string_view key) {
  const auto bytes = base64_decode(key);
  return key.size() == 24 && bytes && bytes->size() == 16;
}

std::optional<Refusal> refusal_of(const RequestHead& request, const ServerOptions& options) {
  const HttpFields& fields = request.fields;
  const auto path = path_of(request.target);
  if (!path) return Refusal{400, "a target that is no path"};
  if (!matches(*path, options.path))
    return Refusal{404, "path " + shown(*path) + " where " + options.path + " is served"};
  if (request.method != "GET") return Refusal{405, "method " + shown(request.method)};
  if (request.version != 11) return Refusal{400, "HTTP/1.0"};
  if (has_body(fields)) return Refusal{400, "a request with a body"};
  if (!fields.has_token("Connection", "upgrade") || !fields.has_token("Upgrade", "websocket"))
    return Refusal{426, "plain HTTP, without Upgrade: websocket"};
  if (auto why = bad_count(fields)) return Refusal{400, std::move(*why)};
  if (trim(fields.first("Sec-WebSocket-Version")) != "13")
    return Refusal{426, "Sec-WebSocket-Version " + shown(fields.first("Sec-WebSocket-Version"))};
  if (!is_key(fields.first("Sec-WebSocket-Key"))) return Refusal{400, "a Sec-WebSocket-Key that is not 16 bytes"};
  return std::nullopt;
}

std::string_view reason_of(unsigned status) {
  switch (status) {
  case 404: return "Not Found";
  case 405: return "Method Not Allowed";
  case 408: return "Request Timeout";
  case 426: return "Upgrade Required";
  case 431: return "Request Header Fields Too Large";
  default: return "Bad Request";
  }
}

/// What a proxy wrote: an address, perhaps with brackets or a port.
std::optional<IpAddress> address_in(std::string_view text) {
  text = trim(text);
  if (auto ip = IpAddress::parse(text)) return ip->unmapped();
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    auto ip = IpAddress::parse(text.substr(1, end - 1));
    return ip ? std::optional(ip->unmapped()) : std::nullopt;
  }
  return IpAddress::parse(text.substr(0, text.find(':')));
}

}  // namespace

std::expected<Acceptance, Refusal> answer_request(const RequestHead& request, const ServerOptions& options) {
  if (auto refusal = refusal_of(request, options)) return std::unexpected(std::move(*refusal));
  Acceptance acceptance;
  acceptance.compression = options.compression && offers_deflate(request.fields.joined("Sec-WebSocket-Extensions"));
  std::string& answer = acceptance.answer;
  answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
           accept_key(request.fields.first("Sec-WebSocket-Key")) + "\r\n";
  if (acceptance.compression) answer += "Sec-WebSocket-Extensions: " + std::string(kDeflateExtension) + "\r\n";
  for (const HttpField& field : options.headers) answer += field.name + ": " + field.value + "\r\n";
  answer += "\r\n";
  return acceptance;
}

std::string refusal_answer(const Refusal& refusal) {
  const std::string reason(reason_of(refusal.status));
  const std::string body = reason + "\n";
  std::string answer =
      "HTTP/1.1 " + std::to_string(refusal.status) + " " + reason + "\r\nContent-Type: text/plain; charset=utf-8\r\n";
  if (refusal.status == 405) answer += "Allow: GET\r\n";
  if (refusal.status == 400 || refusal.status == 426) answer += "Sec-WebSocket-Version: 13\r\n";
  if (refusal.status == 426) answer += "Upgrade: websocket\r\nConnection: Upgrade, close\r\n";
  if (refusal.status != 426) answer += "Connection: close\r\n";
  return answer + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::optional<IpAddress> forwarded_client(const RequestHead& request, const IpAddress& peer,
                                          const IpRanges& trusted) {
  if (!trusted.contains(peer.unmapped())) return std::nullopt;
  const HttpFields& fields = request.fields;
  // Each proxy adds at the end whom it saw; what stands before the first untrusted one is anybody's claim.
  const std::string chain = fields.joined("X-Forwarded-For");
  const auto hops = split(chain, ',');
  std::optional<IpAddress> client;
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
    auto ip = address_in(*hop);
    if (!ip) break;
    client = ip;
    if (!trusted.contains(*ip)) break;
  }
  if (client) return client;
  if (auto ip = address_in(fields.first("X-Real-Ip"))) return ip;
  return address_in(fields.first("CF-Connecting-IP"));
}

}  // namespace gost::ws
