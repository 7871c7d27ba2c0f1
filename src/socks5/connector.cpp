#include "socks5/connector.hpp"

#include "net/read_message.hpp"
#include "net/stream_io.hpp"
#include "socks5/associate_client.hpp"
#include "socks5/framed_datagram.hpp"
#include "socks5/mbind_client.hpp"
#include "tls/stream.hpp"

#include <array>
#include <utility>

namespace gost::socks5 {

namespace {

/// So often in a row, and it is the proxy's way to say that it has no UDP-TUN.
constexpr int kHangUpsThatSayNo = 3;

std::string hex_byte(std::uint8_t byte) {
  return to_hex(std::array{byte});
}

/// What the codes of RFC 1928 §6 mean to us.
Error refusal_of(std::uint8_t reply) {
  auto said = [reply](Cause cause, std::string_view what) {
    return Error{cause, std::string(what) + " (reply " + hex_byte(reply) + ")"};
  };
  switch (static_cast<Reply>(reply)) {
  case Reply::not_allowed: return said(Cause::denied, "not allowed by the proxy");
  case Reply::network_unreachable: return said(Cause::network_unreachable, "network unreachable");
  case Reply::host_unreachable: return said(Cause::host_unreachable, "host unreachable");
  case Reply::connection_refused: return said(Cause::refused, "connection refused");
  case Reply::ttl_expired: return said(Cause::timeout, "TTL expired");
  case Reply::command_not_supported: return said(Cause::command, "command not supported");
  case Reply::address_type_not_supported: return said(Cause::address_type, "address type not supported");
  case Reply::succeeded:
  case Reply::general_failure: return said(Cause::other, "general failure");
  }
  return said(Cause::other, "unknown failure");
}

bool succeeded(const ReplyMessage& reply) {
  return static_cast<Reply>(reply.reply) == Reply::succeeded;
}

/// A proxy that does not know UDP-TUN, or forbids it, may still have UDP ASSOCIATE.
bool refuses_tunnel(const ReplyMessage& reply) {
  auto code = static_cast<Reply>(reply.reply);
  return code == Reply::command_not_supported || code == Reply::not_allowed;
}

/// Reads one answer of the proxy. In an answer an unknown address type is a fault of the proxy, not of the request.
template <std::size_t Capacity, class T>
GOST_OWN_FRAME Task<Result<T>> read_answer(Stream& stream, Decode<T> (*decode)(Bytes), std::string_view what) {
  auto answer = co_await read_message<Capacity>(stream, decode);
  if (answer) co_return answer;
  Error error = answer.error().in(what);
  if (error.cause == Cause::address_type) error.cause = Cause::protocol;
  co_return fail(std::move(error));
}

Error without_tls(Method method) {
  return {Cause::auth, "the proxy does without TLS (method " + hex_byte(static_cast<std::uint8_t>(method)) +
                           "), so it cannot be verified as secure, ca or tls.fingerprint of this node demand; let it "
                           "offer TLS (a gost without notls), or remove them here"};
}

/// UDP requests tell nothing about targets: those follow with the datagrams.
Request datagram_request(Command command, std::uint8_t reserved = 0) {
  return {static_cast<std::uint8_t>(command), {}, reserved};
}

std::unique_ptr<Datagram> make_tunnel(std::unique_ptr<Stream> stream, const ReplyMessage& reply) {
  auto ip = IpAddress::parse(reply.bound.host);
  FramedDatagramOptions options{.send_empty = reply.reserved == kEmptyFramesUnderstood};
  return std::make_unique<FramedDatagram>(std::move(stream),
                                          SocketAddress(ip.value_or(IpAddress()), reply.bound.port), options);
}

}  // namespace

Result<std::shared_ptr<const Connector>> make_connector(ConnectorOptions options) {
  if (auto fits = encode_credentials({options.user, options.password}); !fits) return fail(std::move(fits.error()));
  return std::make_shared<const SocksConnector>(std::move(options));
}

SocksConnector::SocksConnector(ConnectorOptions options) : options_(std::move(options)) {
  if (options_.timeout == Duration::zero()) options_.timeout = kDefaultHandshakeTimeout;
  if (options_.udp_buffer_size == 0) options_.udp_buffer_size = kDefaultUdpBufferSize;
}

Task<Result<std::unique_ptr<Stream>>> SocksConnector::connect(IoContext& io, Underlay& underlay,
                                                              Endpoint target) const {
  if (target.host.empty()) target.host = "127.0.0.1";
  Request request{static_cast<std::uint8_t>(Command::connect), std::move(target)};
  auto answered = co_await ask(io, underlay, std::move(request));
  if (!answered) co_return fail(std::move(answered.error()));
  if (!succeeded(answered->reply)) co_return fail(refusal_of(answered->reply.reply).in("socks5"));
  co_return std::move(answered->stream);
}

Task<Result<SocksConnector::Answered>> SocksConnector::ask(IoContext& io, Underlay& underlay, Request request,
                                                           bool* let_in) const {
  auto message = encode_request(request);
  if (!message) co_return fail(message.error().in("socks5"));
  auto stream = co_await underlay.open_stream();
  if (!stream) co_return fail(std::move(stream.error()));
  bool admitted = false;
  auto reply = co_await with_deadline(options_.timeout, converse(io, *stream, underlay, message->view(), admitted));
  if (let_in != nullptr) *let_in = admitted;
  if (!reply) co_return fail(reply.error().in("socks5"));
  co_return Answered{std::move(*stream), std::move(*reply)};
}

Task<Result<ReplyMessage>> SocksConnector::converse(IoContext& io, std::unique_ptr<Stream>& stream,
                                                    Underlay& underlay, Bytes request, bool& admitted) const {
  if (auto through = co_await negotiate(io, stream, underlay); !through) co_return fail(std::move(through.error()));
  underlay.admitted();
  admitted = true;
  if (auto sent = co_await write_all(*stream, request); !sent) co_return fail(sent.error().in("request"));
  co_return co_await read_answer<kMaxRequest>(*stream, &decode_reply, "reply");
}

MessageBuffer<kMaxGreeting> SocksConnector::greeting() const {
  if (anonymous())
    return options_.tls ? encode_greeting({Method::none, Method::tls}) : encode_greeting({Method::none});
  return options_.tls ? encode_greeting({Method::none, Method::user_password, Method::tls, Method::tls_user_password})
                      : encode_greeting({Method::none, Method::user_password});
}

Task<Result<>> SocksConnector::negotiate(IoContext& io, std::unique_ptr<Stream>& stream,
                                         const Underlay& underlay) const {
  auto offer = greeting();
  if (auto sent = co_await write_all(*stream, offer.view()); !sent) co_return fail(sent.error().in("greeting"));
  auto method = co_await read_answer<2>(*stream, &decode_method_choice, "choice of a method");
  if (!method) co_return fail(std::move(method.error()));
  if (must_encrypt() && (*method == Method::none || *method == Method::user_password))
    co_return fail(without_tls(*method));
  switch (*method) {
  case Method::none: co_return {};
  // GOST up to 3.2.6 chooses what was not offered (wire.md §2.2); it then gets what there is, as from GOST's own
  // client.
  case Method::user_password: co_return co_await authenticate(*stream);
  case Method::tls:
  case Method::tls_user_password: {
    if (!options_.tls) co_return fail(unusable(*method));
    if (auto encrypted = co_await encrypt(io, stream, underlay); !encrypted) co_return encrypted;
    if (*method == Method::tls) co_return {};
    co_return co_await authenticate(*stream);
  }
  default: co_return fail(unusable(*method));
  }
}

Task<Result<>> SocksConnector::encrypt(IoContext& io, std::unique_ptr<Stream>& stream,
                                       const Underlay& underlay) const {
  warn_of_encryption();
  auto encrypted = co_await tls::tls_connect(io, std::move(stream), *options_.tls, underlay.proxy().host);
  if (!encrypted) co_return fail(encrypted.error());
  stream = std::move(*encrypted);
  co_return {};
}

bool SocksConnector::must_encrypt() const {
  bool verified_below = options_.transport_tls && options_.transport_tls->verifies_server();
  return options_.tls && options_.tls->verifies_server() && !verified_below;
}

void SocksConnector::warn_of_encryption() const {
  if (encrypted_before_.exchange(true, std::memory_order_relaxed)) return;
  if (options_.transport_tls) {
    options_.log.warn("SOCKS5 encrypts again what the transport encrypts already; notls=true at one end saves that");
  } else if (auto caution = options_.tls->caution(); !caution.empty()) {
    options_.log.warn(std::string(caution));
  }
}

Error SocksConnector::unusable(Method method) const {
  if (method == Method::unacceptable) {
    return {Cause::auth, anonymous()
                             ? "the proxy wants authentication, and there are no credentials for it (method ff)"
                             : "the proxy accepts neither the credentials' method nor none (method ff)"};
  }
  std::string text =
      "the proxy chose method " + hex_byte(static_cast<std::uint8_t>(method)) + ", which was not offered";
  return {Cause::protocol, std::move(text)};
}

Task<Result<>> SocksConnector::authenticate(Stream& stream) const {
  auto message = encode_credentials({options_.user, options_.password});
  if (!message) co_return fail(std::move(message.error()));
  if (auto sent = co_await write_all(stream, message->view()); !sent) co_return fail(sent.error().in("credentials"));
  auto accepted = co_await read_answer<2>(stream, &decode_auth_status, "result of the authentication");
  if (!accepted) co_return fail(std::move(accepted.error()));
  if (!*accepted) co_return fail(Cause::auth, "the proxy refused the user name or the password");
  co_return {};
}

Task<Result<std::unique_ptr<Datagram>>> SocksConnector::open_datagram(IoContext& io, Underlay& underlay) const {
  if (options_.relay_udp || tunnel_refused_.load(std::memory_order_relaxed))
    co_return co_await associate(io, underlay);
  Request request = datagram_request(Command::udp_tunnel, kEmptyFramesUnderstood);
  bool let_in = false;
  auto answered = co_await ask(io, underlay, std::move(request), &let_in);
  if (!answered) {
    bool hung_up = answered.error().cause == Cause::eof || answered.error().cause == Cause::reset;
    if (let_in && hung_up) co_return co_await fall_back(io, underlay, std::move(answered.error()), false);
    co_return fail(std::move(answered.error()));
  }
  if (succeeded(answered->reply)) {
    hang_ups_.store(0, std::memory_order_relaxed);
    co_return make_tunnel(std::move(answered->stream), answered->reply);
  }
  Error refusal = refusal_of(answered->reply.reply).in("socks5: UDP tunnel");
  if (!refuses_tunnel(answered->reply)) co_return fail(std::move(refusal));
  answered->stream.reset();
  co_return co_await fall_back(io, underlay, std::move(refusal), true);
}

Task<Result<std::unique_ptr<Datagram>>> SocksConnector::fall_back(IoContext& io, Underlay& underlay, Error refusal,
                                                                  bool for_good) const {
  auto association = co_await associate(io, underlay);
  if (!association) {
    Error error = std::move(association.error());
    error.text = refusal.text + "; " + error.text;
    co_return fail(std::move(error));
  }
  // Some servers (dante) hang up on a command that they do not know, and GOST when its own way is broken for once.
  if (!for_good && hang_ups_.fetch_add(1, std::memory_order_relaxed) + 1 < kHangUpsThatSayNo) {
    options_.log.warn("the proxy " + underlay.proxy().to_string() + " hung up when it was asked for UDP over TCP (" +
                      refusal.text + "); these datagrams use its standard UDP relay");
    co_return association;
  }
  if (!tunnel_refused_.exchange(true, std::memory_order_relaxed)) {
    options_.log.warn("the proxy " + underlay.proxy().to_string() + " has no UDP over TCP (" + refusal.text +
                      "); datagrams use its standard UDP relay from now on, as with relay=udp");
  }
  co_return association;
}

Task<Result<std::unique_ptr<Datagram>>> SocksConnector::associate(IoContext& io, Underlay& underlay) const {
  Request request = datagram_request(Command::udp_associate);
  auto answered = co_await ask(io, underlay, std::move(request));
  if (!answered) co_return fail(std::move(answered.error()));
  if (!succeeded(answered->reply)) co_return fail(refusal_of(answered->reply.reply).in("socks5: UDP associate"));
  auto relay =
      co_await locate_relay(io, underlay, *answered->stream, std::move(answered->reply.bound), options_.lookup);
  if (!relay) co_return fail(relay.error().in("socks5: UDP associate"));
  auto path = co_await underlay.open_datagram(*relay);
  if (!path) co_return fail(std::move(path.error()));
  co_return std::make_unique<AssociatedDatagram>(io.loop, std::move(answered->stream), std::move(*path), *relay,
                                                 options_.udp_buffer_size);
}

Task<Result<std::unique_ptr<RemoteBind>>> SocksConnector::bind(IoContext& io, Underlay& underlay, Endpoint at) const {
  Request request{static_cast<std::uint8_t>(Command::multiplexed_bind), std::move(at)};
  auto answered = co_await ask(io, underlay, std::move(request));
  if (!answered) co_return fail(std::move(answered.error()));
  if (!succeeded(answered->reply)) co_return fail(refusal_of(answered->reply.reply).in("socks5: MBIND"));
  co_return std::make_unique<MuxBind>(io, std::move(answered->stream), std::move(answered->reply.bound), options_.mux,
                                      options_.lookup, options_.log);
}

Task<Result<std::unique_ptr<Datagram>>> SocksConnector::bind_datagram(IoContext& io, Underlay& underlay,
                                                                      Endpoint at) const {
  Request request{static_cast<std::uint8_t>(Command::udp_tunnel), std::move(at), kEmptyFramesUnderstood};
  auto answered = co_await ask(io, underlay, std::move(request));
  if (!answered) co_return fail(std::move(answered.error()));
  if (!succeeded(answered->reply)) co_return fail(refusal_of(answered->reply.reply).in("socks5: UDP bind"));
  co_return make_tunnel(std::move(answered->stream), answered->reply);
}

}  // namespace gost::socks5
