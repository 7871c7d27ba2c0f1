#include "auto/handler.hpp"

#include "net/stream_io.hpp"
#include "socks4/codec.hpp"
#include "socks5/codec.hpp"

#include <array>
#include <cctype>

namespace gost {

namespace {

constexpr std::uint8_t kTlsHandshake = 22;

Task<Result<std::uint8_t>> read_byte(Stream& stream) {
  std::array<std::uint8_t, 1> byte{};
  if (auto read = co_await read_exactly(stream, byte); !read) co_return fail(read.error());
  co_return byte[0];
}

Error unknown_protocol(std::uint8_t first) {
  if (first == kTlsHandshake)
    return {Cause::protocol, "the client speaks TLS, this service speaks SOCKS4 and SOCKS5 over plain TCP"};
  if (std::isupper(first) != 0)
    return {Cause::protocol, "the client seems to speak HTTP, this service speaks SOCKS4 and SOCKS5 only"};
  return {Cause::protocol,
          "unknown protocol: the first byte is " + std::to_string(first) + ", SOCKS4 begins with 4, SOCKS5 with 5"};
}

}  // namespace

Task<Result<>> AutoHandler::handle(Session& session) const {
  auto first = co_await with_deadline(options_.read_timeout, read_byte(*session.client));
  if (!first) co_return fail(handshake_error(first.error()));
  session.first_byte = *first;
  if (*first == socks4::kVersion) co_return co_await options_.socks4->handle(session);
  if (*first == socks5::kVersion) co_return co_await options_.socks5->handle(session);
  co_return fail(unknown_protocol(*first));
}

}  // namespace gost
