#include "ws/connect.hpp"

#include "net/stream_io.hpp"
#include "ws/handshake.hpp"
#include "ws/head_reader.hpp"
#include "ws/stream.hpp"

namespace gost::ws {

namespace {

Error explain(const HeadBytes& read, const Error& error) {
  if (error.cause != Cause::protocol || read.bytes.size() >= kMaxHttpHead) return error.in("websocket");
  const std::uint8_t first = read.bytes.front();
  const bool tls = first == 0x15 || first == 0x16;
  return {Cause::protocol, std::string("websocket: the server ") +
                               (tls ? "wants TLS (dialer 'wss')" : "does not speak HTTP: it is no WebSocket server")};
}

}  // namespace

GOST_OWN_FRAME Task<Result<std::unique_ptr<Stream>>> ws_connect(IoContext& io, std::unique_ptr<Stream> below,
                                                                const ClientOptions& options) {
  const std::string key = make_key();
  const std::string request = make_request(options, key);
  if (auto sent = co_await write_all(*below, as_bytes(request)); !sent) co_return fail(sent.error().in("websocket"));
  HeadBytes read;
  if (auto whole = co_await read_head(*below, read); !whole) co_return fail(explain(read, whole.error()));
  auto answer = parse_response_head(read.head());
  if (!answer) co_return fail(answer.error().in("websocket: the server's answer"));
  auto agreed = check_answer(*answer, options, key);
  if (!agreed) co_return fail(agreed.error());
  StreamOptions typed;
  typed.sender = {.role = Role::client, .compression = agreed->compression, .max_payload = options.max_payload};
  typed.ping_interval = options.ping_interval;
  co_return std::make_unique<WsStream>(io, std::move(below), typed, read.rest());
}

}  // namespace gost::ws
