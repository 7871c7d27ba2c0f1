// The SOCKS5 client (RFC 1928, RFC 1929, wire.md §2, §7.3, §8.4).
#pragma once

#include "component/connector.hpp"
#include "mux/options.hpp"
#include "observe/log.hpp"
#include "socks5/codec.hpp"
#include "tls/client_context.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

namespace gost::socks5 {

inline constexpr Duration kDefaultHandshakeTimeout = std::chrono::seconds(15);
inline constexpr std::size_t kDefaultUdpBufferSize = 4096;

struct ConnectorOptions {
  std::string user;      ///< user and password empty: no credentials
  std::string password;  ///< each at most 255 bytes
  /// For the methods 0x80 and 0x82 (wire.md §3); null (`notls`): they are not offered. If it verifies the proxy and
  /// `transport_tls` does not, nothing is said without it.
  std::shared_ptr<const tls::ClientContext> tls;
  std::shared_ptr<const tls::ClientContext> transport_tls;  ///< of the node's dialer; null: it does not encrypt
  /// `timeout`: for the whole handshake with the proxy, its answer to the request included. 0: 15 s (GOST waits for
  /// ever); negative: no limit.
  Duration timeout = kDefaultHandshakeTimeout;
  bool relay_udp = false;  ///< `relay=udp`: datagrams by UDP ASSOCIATE; else by UDP-TUN if the proxy has it
  /// `udp.bufferSize` of UDP ASSOCIATE: bytes of the longest datagram, with its SOCKS5 header on the way out. 0:
  /// 4096.
  std::size_t udp_buffer_size = kDefaultUdpBufferSize;
  MuxOptions mux;     ///< of MBIND's session; must be valid
  NameLookup lookup;  ///< for relays and proxies that are known by name only
  Logger log;         ///< with the node's name
};

/// Speaks to one proxy. Each message is read exactly: what follows a reply belongs to the target.
class SocksConnector final : public Connector {
 public:
  explicit SocksConnector(ConnectorOptions options);

  Duration time_limit() const override { return options_.timeout; }

  /// A host over 255 bytes is an error (Cause::invalid) before anything is opened. Bad answers have Cause::protocol,
  /// missing or wrong credentials, and a proxy without TLS that has to be verified, Cause::auth, refusals the cause
  /// of their reply.
  Task<Result<std::unique_ptr<Stream>>> connect(IoContext& io, Underlay& underlay, Endpoint target) const override;
  /// When the proxy does not know UDP-TUN or does not allow it (reply 07 or 02, or it hangs up) UDP ASSOCIATE is
  /// tried; once that was a success the log says so, and later calls begin with it.
  Task<Result<std::unique_ptr<Datagram>>> open_datagram(IoContext& io, Underlay& underlay) const override;
  /// By MBIND (wire.md §5), never by BIND, which is for one peer.
  Task<Result<std::unique_ptr<RemoteBind>>> bind(IoContext& io, Underlay& underlay, Endpoint at) const override;
  /// By UDP-TUN (wire.md §8). Of port 0 the proxy makes a relay that nobody can find but those it sends to.
  Task<Result<std::unique_ptr<Datagram>>> bind_datagram(IoContext& io, Underlay& underlay,
                                                        Endpoint at) const override;

 private:
  /// A stream on which the proxy has answered a request, whatever the answer.
  struct Answered {
    std::unique_ptr<Stream> stream;
    ReplyMessage reply;
  };
  /// `let_in`: set to whether the negotiation was passed, also if the answer did not come.
  GOST_OWN_FRAME Task<Result<Answered>> ask(IoContext& io, Underlay& underlay, Request request,
                                            bool* let_in = nullptr) const;
  GOST_OWN_FRAME Task<Result<ReplyMessage>> converse(IoContext& io, std::unique_ptr<Stream>& stream,
                                                     Underlay& underlay, Bytes request, bool& admitted) const;
  /// Greeting, choice of a method, and what that method says. May put a layer upon the stream.
  Task<Result<>> negotiate(IoContext& io, std::unique_ptr<Stream>& stream, const Underlay& underlay) const;
  /// Puts TLS upon the stream; on error there is none any more.
  Task<Result<>> encrypt(IoContext& io, std::unique_ptr<Stream>& stream, const Underlay& underlay) const;
  Task<Result<>> authenticate(Stream& stream) const;
  Error unusable(Method method) const;
  /// Whether the proxy could be anybody without TLS inside SOCKS5, although it is to be verified.
  bool must_encrypt() const;
  /// The methods that are offered, in GOST's order (wire.md §2.2).
  MessageBuffer<kMaxGreeting> greeting() const;
  bool anonymous() const { return options_.user.empty() && options_.password.empty(); }

  Task<Result<std::unique_ptr<Datagram>>> associate(IoContext& io, Underlay& underlay) const;
  /// `for_good`: the proxy has said that it has no UDP-TUN.
  Task<Result<std::unique_ptr<Datagram>>> fall_back(IoContext& io, Underlay& underlay, Error refusal,
                                                    bool for_good) const;

  ConnectorOptions options_;
  void warn_of_encryption() const;

  mutable std::atomic<bool> encrypted_before_{false};
  mutable std::atomic<bool> tunnel_refused_{false};  ///< the proxy has no UDP-TUN, and UDP ASSOCIATE worked
  mutable std::atomic<int> hang_ups_{0};             ///< in a row, where UDP ASSOCIATE worked then
};

/// Errors: Cause::invalid for credentials that do not fit into RFC 1929 ("user name longer than 255 bytes").
Result<std::shared_ptr<const Connector>> make_connector(ConnectorOptions options);

}  // namespace gost::socks5
