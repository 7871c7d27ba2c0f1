#include "core/base64.hpp"
#include "core/text.hpp"
#include "ws/extension.hpp"
#include "ws/handshake.hpp"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace gost::ws {

namespace {

/// RFC 6455 §1.3.
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// As Go escapes a path; a question mark in it is no query.
std::string escaped(std::string_view path) {
  constexpr std::string_view kPlain = "-_.~$&+,/:;=@";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string text;
  for (char c : path) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      text += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return text;
}

/// What to look at when a server answers so.
std::string hint(unsigned status) {
  if (status == 404) return "; is the path right (option path)?";
  if (status == 301 || status == 302 || status == 307 || status == 308) return "; it wants another address";
  if (status == 400 || status == 426)
    return "; is it a WebSocket server, and does what stands between pass Upgrade on?";
  if (status >= 502 && status <= 504) return "; what stands in front of the server does not reach it";
  return "";
}

Error refused(std::string text) {
  return {Cause::protocol, "websocket: " + std::move(text)};
}

}  // namespace

std::string accept_key(std::string_view key) {
  const std::string text = std::string(key) + std::string(kGuid);
  std::array<std::uint8_t, SHA_DIGEST_LENGTH> digest{};
  ::SHA1(as_bytes(text).data(), text.size(), digest.data());
  return base64_encode(digest);
}

std::string make_key() {
  std::array<std::uint8_t, 16> random{};
  ::RAND_bytes(random.data(), static_cast<int>(random.size()));
  return base64_encode(random);
}

std::string make_request(const ClientOptions& options, std::string_view key) {
  std::vector<HttpField> fields = options.headers;
  std::string host = options.host;
  std::string agent = "Go-http-client/1.1";
  // These two stand in front in any case.
  for (auto [name, value] : {std::pair{"Host", &host}, std::pair{"User-Agent", &agent}}) {
    auto own = std::ranges::find(fields, name, &HttpField::name);
    if (own == fields.end()) continue;
    *value = own->value;
    fields.erase(own);
  }
  fields.push_back({"Connection", "Upgrade"});
  if (options.compression) fields.push_back({"Sec-WebSocket-Extensions", std::string(kDeflateExtension)});
  fields.push_back({"Sec-WebSocket-Key", std::string(key)});
  fields.push_back({"Sec-WebSocket-Version", "13"});
  fields.push_back({"Upgrade", "websocket"});
  std::ranges::sort(fields, {}, &HttpField::name);

  std::string request = "GET " + escaped(options.path) + " HTTP/1.1\r\nHost: " + host + "\r\n";
  if (!agent.empty()) request += "User-Agent: " + agent + "\r\n";
  for (const HttpField& field : fields) request += field.name + ": " + field.value + "\r\n";
  return request + "\r\n";
}

Result<Agreed> check_answer(const ResponseHead& answer, const ClientOptions& options, std::string_view key) {
  if (answer.status != 101)
    return fail(refused("the server answered " + std::to_string(answer.status) + " " + answer.reason + " to GET " +
                        escaped(options.path) + hint(answer.status)));
  const HttpFields& fields = answer.fields;
  if (!iequals(fields.first("Upgrade"), "websocket") || !fields.has_token("Connection", "upgrade"))
    return fail(refused("the server answered 101, but does not change to websocket"));
  if (fields.count("Sec-WebSocket-Accept") != 1 || fields.first("Sec-WebSocket-Accept") != accept_key(key))
    return fail(
        refused("the server's Sec-WebSocket-Accept does not belong to our key; something in between answers "
                "from a cache, or it is no WebSocket server"));
  Agreed agreed;
  if (fields.count("Sec-WebSocket-Extensions") > 0) {
    const std::string extensions = fields.joined("Sec-WebSocket-Extensions");
    if (!options.compression || !accepts_deflate(extensions))
      return fail(refused("the server wants an extension that was not offered so: " + extensions));
    agreed.compression = true;
  }
  return agreed;
}

Result<std::vector<HttpField>> checked_headers(std::vector<HttpField> headers, bool client) {
  constexpr std::array<std::string_view, 8> kOwn{"Connection",
                                                 "Content-Length",
                                                 "Sec-Websocket-Extensions",
                                                 "Sec-Websocket-Key",
                                                 "Sec-Websocket-Version",
                                                 "Trailer",
                                                 "Transfer-Encoding",
                                                 "Upgrade"};
  constexpr std::array<std::string_view, 6> kOwnOfServer{"Connection",           "Content-Length",
                                                         "Sec-Websocket-Accept", "Sec-Websocket-Extensions",
                                                         "Transfer-Encoding",    "Upgrade"};
  for (HttpField& field : headers) {
    if (!is_field_name(field.name))
      return fail(Cause::invalid, "'" + field.name + "' cannot be the name of a header");
    if (!is_field_value(field.value))
      return fail(Cause::invalid, "header '" + field.name + "': its value has a control character");
    field.name = canonical_field_name(field.name);
    field.value = trim(field.value);
    const bool own = client ? std::ranges::find(kOwn, field.name) != kOwn.end()
                            : std::ranges::find(kOwnOfServer, field.name) != kOwnOfServer.end();
    if (own) return fail(Cause::invalid, "header '" + field.name + "' belongs to the handshake and cannot be set");
  }
  std::ranges::sort(headers, {}, &HttpField::name);
  return headers;
}

}  // namespace gost::ws
