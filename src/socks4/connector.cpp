#include "socks4/connector.hpp"

#include "net/read_message.hpp"
#include "net/stream_io.hpp"
#include "socks4/client_codec.hpp"

#include <array>
#include <utility>

namespace gost::socks4 {

namespace {

/// What an answer other than "granted" means to us. SOCKS4 does not tell why a target cannot be reached.
Error refusal_of(Reply reply) {
  auto said = [reply](Cause cause, std::string_view what) {
    std::string code = to_hex(std::array{static_cast<std::uint8_t>(reply)});
    return Error{cause, std::string(what) + " (reply " + code + ")"};
  };
  switch (reply) {
  case Reply::failed: return said(Cause::other, "the proxy cannot reach the target");
  case Reply::rejected: return said(Cause::denied, "not allowed by the proxy");
  case Reply::user_rejected: return said(Cause::auth, "the proxy refused the user id");
  case Reply::granted: break;
  }
  return said(Cause::protocol, "unknown reply");
}

/// Whether the proxy serves us, whatever it says about the target.
bool admits(Reply reply) {
  return reply == Reply::granted || reply == Reply::failed || reply == Reply::rejected;
}

GOST_OWN_FRAME Task<Result<Reply>> ask(Stream& stream, Bytes request) {
  if (auto sent = co_await write_all(stream, request); !sent) co_return fail(sent.error().in("request"));
  auto reply = co_await read_message<kReplySize>(stream, &decode_reply);
  if (!reply) co_return fail(reply.error().in("reply"));
  co_return reply;
}

}  // namespace

Result<std::shared_ptr<const Connector>> make_connector(ConnectorOptions options) {
  if (auto fits = encode_request({Command::connect, {}, options.user}); !fits) return fail(std::move(fits.error()));
  return std::make_shared<const SocksConnector>(std::move(options));
}

SocksConnector::SocksConnector(ConnectorOptions options) : options_(std::move(options)) {
  if (options_.timeout == Duration::zero()) options_.timeout = kDefaultRequestTimeout;
}

Task<Result<std::unique_ptr<Stream>>> SocksConnector::connect(IoContext& io, Underlay& underlay,
                                                              Endpoint target) const {
  auto request = co_await request_for(io, std::move(target));
  if (!request) co_return fail(request.error().in("socks4"));
  auto stream = co_await underlay.open_stream();
  if (!stream) co_return fail(std::move(stream.error()));
  auto reply = co_await with_deadline(options_.timeout, ask(**stream, *request));
  if (!reply) co_return fail(reply.error().in("socks4"));
  if (admits(*reply)) underlay.admitted();
  if (*reply != Reply::granted) co_return fail(refusal_of(*reply).in("socks4"));
  co_return std::move(*stream);
}

Task<Result<std::vector<std::uint8_t>>> SocksConnector::request_for(IoContext& io, Endpoint target) const {
  Request request{Command::connect, std::move(target), options_.user};
  if (!options_.disable4a) co_return encode_named_request(request);
  std::string host = request.target.host.empty() ? "0.0.0.0" : request.target.host;
  auto ip = co_await look_up(io, options_.lookup, std::move(host), Family::v4);
  if (!ip) co_return fail(std::move(ip.error()));
  request.target.host = ip->to_string();
  co_return encode_request(request);
}

}  // namespace gost::socks4
