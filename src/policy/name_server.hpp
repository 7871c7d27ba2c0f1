// One name server: where it is, how it is reached, and how it is asked one question.
#pragma once

#include "core/network.hpp"
#include "net/datagram.hpp"
#include "net/io_context.hpp"
#include "net/stream.hpp"
#include "policy/dns_message.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gost {

struct NameServerAddress {
  Network network = Network::udp;
  Endpoint endpoint;
  std::string text;  ///< "udp://1.1.1.1:53", for messages
};

/// GOST's form: `[udp://]host[:53]` or `tcp://host[:53]`. Errors say what is wrong; of DNS over TLS and HTTPS, that
/// this build does not have it.
Result<NameServerAddress> parse_name_server(std::string_view text);

/// How name servers are reached: directly, or through a chain.
struct NameServerTransport {
  std::function<Task<Result<std::unique_ptr<Stream>>>(IoContext& io, Endpoint to)> open_stream;
  /// A path that reaches this one peer, whatever address the datagrams name.
  std::function<Task<Result<std::unique_ptr<Datagram>>>(IoContext& io, Endpoint to)> open_datagram;
};

struct NameServerOptions {
  NameServerAddress address;
  Family prefer = Family::v4;                  ///< asked first
  bool only = false;                           ///< the other family is not asked when the first has no address
  Duration timeout = std::chrono::seconds(5);  ///< for one question, TCP after UDP included
  Duration ttl{};                   ///< of answers in the cache: 0 as the answer says, below 0 none, else this
  bool async = false;               ///< an answer that has expired is given while it is renewed
  std::optional<IpAddress> client;  ///< for the EDNS client subnet
  NameServerTransport transport;
};

/// Asks one question: over UDP twice if need be, over TCP if the answer was truncated or the server is a `tcp` one.
/// The answer's status is `found` or `no_addresses`. Errors name the server and the name that was asked for.
Task<Result<DnsAnswer>> ask_name_server(IoContext& io, const NameServerOptions& server, std::string name,
                                        Family family);

}  // namespace gost
