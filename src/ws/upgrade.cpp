#include "ws/upgrade.hpp"

#include "component/session.hpp"
#include "net/stream_io.hpp"
#include "runtime/loop.hpp"
#include "ws/handshake.hpp"
#include "ws/head_reader.hpp"
#include "ws/stream.hpp"

namespace gost::ws {

namespace {

/// For the answer to a client that is refused.
constexpr Duration kRefusalTimeout = std::chrono::seconds(2);

Error websocket_error(Cause cause, const std::string& text) {
  return {cause, "websocket: " + text};
}

/// What the first byte of something that is no HTTP tells.
std::string explain_first_byte(std::uint8_t byte) {
  if (byte == 0x16) return "the client speaks TLS; this listener is without it ('wss' has it)";
  if (byte == 4 || byte == 5) return "the client speaks SOCKS without WebSocket";
  return "the client does not speak HTTP";
}

/// Why a handshake came to nothing. With status 0 there is nothing to be answered.
struct Failure {
  Refusal refusal;
  Cause cause;
};

std::unexpected<Failure> refused(unsigned status, std::string why) {
  return std::unexpected(Failure{{status, std::move(why)}, Cause::protocol});
}

/// Why there is no head.
Failure explain(const HeadBytes& read, const Error& error) {
  const Bytes bytes = read.bytes;
  if (error.cause == Cause::timeout)
    return {{bytes.empty() ? 0U : 408U, "i/o timeout within the client's head"}, error.cause};
  if (error.cause != Cause::protocol) return {{0, error.text}, error.cause};
  if (bytes.size() >= kMaxHttpHead) return {{431, error.text}, error.cause};
  return {{0, explain_first_byte(bytes.front())}, error.cause};
}

Task<> answer_and_drop(Stream& below, const std::string& answer) {
  if (co_await write_all(below, as_bytes(answer))) co_await drop_unread(below);
}

GOST_OWN_FRAME Task<Error> refuse(Stream& below, const Failure& failure) {
  const auto& [status, why] = failure.refusal;
  if (status == 0) co_return websocket_error(failure.cause, why);
  const std::string answer = refusal_answer(failure.refusal);
  co_await with_deadline(kRefusalTimeout, answer_and_drop(below, answer));
  co_return websocket_error(failure.cause, why + " (answered " + std::to_string(status) + ")");
}

StreamOptions stream_options(const ServerOptions& options, bool compression) {
  StreamOptions typed;
  typed.sender = {.role = Role::server, .compression = compression, .max_payload = options.max_payload};
  typed.ping_interval = options.ping_interval;
  return typed;
}

/// The handshake with a client that says what it should; how its stream is to be.
GOST_OWN_FRAME Task<std::expected<StreamOptions, Failure>> shake(Stream& below, const ServerOptions& options) {
  HeadBytes read;
  if (auto whole = co_await with_deadline(options.head_timeout, read_head(below, read)); !whole)
    co_return std::unexpected(explain(read, whole.error()));
  auto request = parse_request_head(read.head());
  if (!request) co_return refused(400, request.error().text);
  auto accepted = answer_request(*request, options);
  if (!accepted) co_return refused(accepted.error().status, accepted.error().why);
  if (!read.rest().empty()) co_return refused(400, "bytes behind the request, before it was answered");
  if (auto sent = co_await write_all(below, as_bytes(accepted->answer)); !sent)
    co_return std::unexpected(Failure{{0, sent.error().text}, sent.error().cause});
  StreamOptions typed = stream_options(options, accepted->compression);
  if (auto ip = forwarded_client(*request, below.remote().ip(), options.trusted_proxies))
    typed.client = SocketAddress(*ip, 0);
  co_return typed;
}

}  // namespace

GOST_OWN_FRAME Task<Result<std::unique_ptr<Stream>>> WsUpgrade::upgrade(IoContext& io,
                                                                        std::unique_ptr<Stream> below) const {
  auto agreed = co_await with_deadline(options_.handshake_timeout, shake(*below, options_));
  if (!agreed) co_return fail(co_await refuse(*below, agreed.error()));
  co_return std::make_unique<WsStream>(io, std::move(below), *agreed);
}

}  // namespace gost::ws
