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

/// Why there is no head, and which answer that deserves; status 0: none.
Refusal explain(const HeadBytes& read, const Error& error) {
  if (error.cause == Cause::timeout) return {read.bytes.empty() ? 0U : 408U, "i/o timeout within the client's head"};
  if (error.cause != Cause::protocol) return {0, error.text};
  const Bytes bytes = read.bytes;
  if (bytes.size() >= kMaxHttpHead) return {431, error.text};
  return {0, explain_first_byte(bytes.front())};
}

Task<> answer_and_drop(Stream& below, const std::string& answer) {
  if (co_await write_all(below, as_bytes(answer))) co_await drop_unread(below);
}

GOST_OWN_FRAME Task<Error> refuse(Stream& below, Refusal refusal, Cause cause) {
  if (refusal.status == 0) co_return websocket_error(cause, refusal.why);
  const std::string answer = refusal_answer(refusal);
  co_await with_deadline(kRefusalTimeout, answer_and_drop(below, answer));
  co_return websocket_error(cause, refusal.why + " (answered " + std::to_string(refusal.status) + ")");
}

StreamOptions stream_options(const ServerOptions& options, bool compression) {
  StreamOptions typed;
  typed.sender = {.role = Role::server, .compression = compression, .max_payload = options.max_payload};
  typed.ping_interval = options.ping_interval;
  return typed;
}

GOST_OWN_FRAME Task<Result<std::unique_ptr<Stream>>> answer_head(IoContext& io, std::unique_ptr<Stream> below,
                                                                 const HeadBytes& read,
                                                                 const ServerOptions& options) {
  auto request = parse_request_head(read.head());
  if (!request) {
    const Refusal refusal{400, request.error().text};
    co_return fail(co_await refuse(*below, refusal, Cause::protocol));
  }
  auto accepted = answer_request(*request, options);
  if (accepted && !read.rest().empty())
    accepted = std::unexpected(Refusal{400, "bytes behind the request, before it was answered"});
  if (!accepted) co_return fail(co_await refuse(*below, accepted.error(), Cause::protocol));
  if (auto sent = co_await write_all(*below, as_bytes(accepted->answer)); !sent)
    co_return fail(sent.error().in("websocket"));
  StreamOptions typed = stream_options(options, accepted->compression);
  if (auto ip = forwarded_client(*request, below->remote().ip(), options.trusted_proxies))
    typed.client = SocketAddress(*ip, 0);
  co_return std::make_unique<WsStream>(io, std::move(below), typed);
}

Duration head_timeout(const ServerOptions& options) {
  const Duration head = options.head_timeout;
  const Duration whole = options.handshake_timeout;
  if (head <= Duration::zero() || whole <= Duration::zero()) return std::max(head, whole);
  return std::min(head, whole);
}

}  // namespace

GOST_OWN_FRAME Task<Result<std::unique_ptr<Stream>>> WsUpgrade::upgrade(IoContext& io,
                                                                        std::unique_ptr<Stream> below) const {
  HeadBytes read;
  auto whole = co_await with_deadline(head_timeout(options_), read_head(*below, read));
  if (!whole) {
    const Refusal refusal = explain(read, whole.error());
    co_return fail(co_await refuse(*below, refusal, whole.error().cause));
  }
  co_return co_await with_deadline(options_.handshake_timeout, answer_head(io, std::move(below), read, options_));
}

}  // namespace gost::ws
