#include "policy/name_server.hpp"

#include "core/text.hpp"
#include "net/stream_io.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>

namespace gost {

namespace {

constexpr std::uint16_t kDnsPort = 53;

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return fail(Cause::invalid, "name server '" + std::string(text) + "': " + std::string(why));
}

Result<Endpoint> endpoint_with_default_port(std::string_view text) {
  if (auto ip = IpAddress::parse(text)) return Endpoint{std::string(text), kDnsPort};
  if (text.starts_with('[') && text.ends_with(']'))
    return Endpoint{std::string(text.substr(1, text.size() - 2)), kDnsPort};
  if (!text.contains(':')) return Endpoint{std::string(text), kDnsPort};
  return parse_endpoint(text);
}

bool is_host(std::string_view host) {
  auto is_of_a_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  };
  return !host.empty() && (IpAddress::parse(host) || std::ranges::all_of(host, is_of_a_name));
}

/// Ids must not be guessed by who sends false answers (RFC 5452).
std::uint16_t random_id() {
  std::uint16_t id = 0;
  while (::getrandom(&id, sizeof id, 0) != sizeof id) {
  }
  return id;
}

Task<Result<>> send(Datagram& path, Bytes message) {
  OutgoingDatagram datagram;
  datagram.payload = message;
  SendOutcome outcome = path.try_send(std::span(&datagram, 1));
  if (outcome.sent == 0 && outcome.error != 0) co_return fail(path.error(outcome.error).in("write"));
  while (path.pending()) {
    IoResult flushed = path.try_flush();
    if (flushed.status == IoResult::Status::error) co_return fail(path.error(flushed.error).in("write"));
    if (flushed.status == IoResult::Status::eof) co_return fail(Cause::eof, "EOF");
    if (!path.pending()) break;
    if (Outcome waited = co_await path.until(Interest::write); waited != Outcome::ready)
      co_return fail(stop_error(waited));
  }
  co_return Result<>();
}

/// The first of the datagrams that arrive which answers `query`.
Task<Result<DnsAnswer>> receive(IoContext& io, Datagram& path, Bytes query) {
  for (;;) {
    IoResult received = path.try_receive(io.datagrams);
    if (received.status == IoResult::Status::ok) {
      for (const ReceivedDatagram& datagram : io.datagrams.items())
        if (auto answer = decode_dns_answer(query, datagram.payload)) co_return std::move(*answer);
      if (co_await yield() != Outcome::ready) co_return fail(Cause::canceled, "canceled");
      continue;
    }
    if (received.status == IoResult::Status::eof) co_return fail(Cause::eof, "EOF");
    if (received.status == IoResult::Status::error) co_return fail(path.error(received.error).in("read"));
    if (int refusal = path.take_error(); refusal != 0) co_return fail(path.error(refusal).in("read"));
    if (Outcome waited = co_await path.until(Interest::read); waited != Outcome::ready)
      co_return fail(stop_error(waited));
  }
}

Task<Result<DnsAnswer>> ask_by_datagram(IoContext& io, const NameServerOptions& server, Bytes query) {
  constexpr int kTries = 2;
  auto path = co_await server.transport.open_datagram(io, server.address.endpoint);
  if (!path) co_return fail(path.error());
  for (int left = kTries;; --left) {
    if (auto sent = co_await send(**path, query); !sent) co_return fail(sent.error());
    auto answer = co_await with_deadline(server.timeout / kTries, receive(io, **path, query));
    bool may_repeat = !answer && answer.error().cause == Cause::timeout && left > 1;
    if (!may_repeat || (co_await this_scope()).stopped()) co_return answer;
  }
}

Task<Result<DnsAnswer>> ask_by_stream(IoContext& io, const NameServerOptions& server, Bytes query) {
  auto stream = co_await server.transport.open_stream(io, server.address.endpoint);
  if (!stream) co_return fail(stream.error());
  std::vector<std::uint8_t> message{static_cast<std::uint8_t>(query.size() >> 8),
                                    static_cast<std::uint8_t>(query.size())};
  message.insert(message.end(), query.begin(), query.end());
  if (auto sent = co_await write_all(**stream, message); !sent) co_return fail(sent.error().in("write"));
  std::array<std::uint8_t, 2> length;
  if (auto got = co_await read_exactly(**stream, length); !got) co_return fail(got.error().in("read"));
  message.resize(static_cast<std::size_t>(length[0] << 8 | length[1]));  // at most kMaxDnsMessage
  if (auto got = co_await read_exactly(**stream, message); !got) co_return fail(got.error().in("read"));
  auto answer = decode_dns_answer(query, message);
  if (!answer || answer->status == DnsAnswer::Status::truncated)
    co_return fail(Cause::protocol, "malformed answer over TCP");
  co_return std::move(*answer);
}

Task<Result<DnsAnswer>> ask(IoContext& io, const NameServerOptions& server, Bytes query) {
  if (server.address.network == Network::udp) {
    auto answer = co_await ask_by_datagram(io, server, query);
    if (!answer || answer->status != DnsAnswer::Status::truncated) co_return answer;
  }
  co_return co_await ask_by_stream(io, server, query);
}

}  // namespace

Result<NameServerAddress> parse_name_server(std::string_view text) {
  std::string_view rest = trim(text);
  std::string scheme = "udp";
  if (std::size_t end = rest.find("://"); end != std::string_view::npos) {
    scheme = to_lower(rest.substr(0, end));
    rest.remove_prefix(end + 3);
  }
  if (scheme == "tls" || scheme == "dot") return fail(Cause::invalid, "DNS over TLS is not available in this build");
  if (scheme == "https") return fail(Cause::invalid, "DNS over HTTPS is not available in this build");
  if (scheme != "udp" && scheme != "tcp")
    return bad(text, "unknown scheme; write udp://HOST:PORT or tcp://HOST:PORT");
  auto endpoint = endpoint_with_default_port(rest);
  if (!endpoint) return bad(text, endpoint.error().text);
  if (!is_host(endpoint->host)) return bad(text, "'" + endpoint->host + "' is neither an IP address nor a host name");
  std::string shown = scheme + "://" + endpoint->to_string();
  return NameServerAddress{scheme == "udp" ? Network::udp : Network::tcp, std::move(*endpoint), std::move(shown)};
}

Task<Result<DnsAnswer>> ask_name_server(IoContext& io, const NameServerOptions& server, std::string name,
                                        Family family) {
  DnsQuestion question{name, family == Family::v4 ? DnsType::a : DnsType::aaaa, random_id(), server.client};
  auto query = encode_dns_query(question);
  if (!query) co_return fail(query.error());
  auto answer = co_await with_deadline(server.timeout, ask(io, server, *query));
  auto failed = [&](const Error& error) { return fail(error.in("lookup " + name + " on " + server.address.text)); };
  if (!answer) co_return failed(answer.error());
  if (answer->status == DnsAnswer::Status::failed) co_return failed(Error{Cause::other, answer->reason});
  co_return answer;
}

}  // namespace gost
