#include "config/options.hpp"

#include "core/text.hpp"

#include <fmt/format.h>

#include <map>

namespace gost::config {

namespace {

// One word per option: "name|other.name:type". A later part that gives a component a new option adds it here.
constexpr std::string_view kSniffing =
    "sniffing:b sniffing.timeout:d sniffing.websocket:b sniffing.websocket.sampleRate:f "
    "mitm.certFile|mitm.caCertFile:s mitm.keyFile|mitm.caKeyFile:s mitm.alpn:s mitm.bypass:s "
    "observer.period|observePeriod|observer.observePeriod:d observer.resetTraffic:b limiter.refreshInterval:d "
    "limiter.cleanupInterval:d ";
constexpr std::string_view kProxyHandler = "readTimeout:d hash:s skipauth:l maxHandshakes:i prefer:s ";
constexpr std::string_view kBind = "bind:b bindTimeout:d socks.publicAddr|publicAddr:s ";
constexpr std::string_view kSocks5Handler =
    "notls:b udp:b udp.idleTimeout:d udp.maxAssociations:i udp.batching:b udp.bufferSize|udpBufferSize:i "
    "udp.resolveDomain|udpResolveDomain:b "
    "udp.bindRange.min|udp.minPort:i udp.bindRange.max|udp.maxPort:i comp:b "
    "tor|enableTor|socks5.tor:b ";
constexpr std::string_view kHttpHandler =
    "idleTimeout:d http.header|header:m http.keepalive|keepalive:b http.compression|compression:b "
    "probeResist|probe_resist:s knock:s udp:b udp.bufferSize|udpBufferSize:i authBasicRealm:s "
    "http.proxyAgent|proxyAgent:s ";
constexpr std::string_view kForwardHandler =
    "readTimeout:d idleTimeout:d proxyProtocol:i http.keepalive:b bufferSize|readBufferSize|udp.bufferSize:i "
    "stateless:b ";
constexpr std::string_view kRemoteHandler = "readTimeout:d idleTimeout:d proxyProtocol:i http.keepalive:b ";
constexpr std::string_view kMux =
    "mux.version:i mux.keepaliveInterval:d mux.keepaliveTimeout:d mux.keepaliveDisabled:b mux.maxFrameSize:i "
    "mux.maxReceiveBuffer:i mux.maxStreamBuffer:i mux.type:s mux.maxStreamWindow:i ";
constexpr std::string_view kTcp = "mptcp:b keepalive:b keepalive.idle:d keepalive.interval:d keepalive.count:i ";
constexpr std::string_view kReuse = "reuseport:b ";
constexpr std::string_view kBacklog = "backlog:i ";
constexpr std::string_view kWs =
    "ws.path|path:s ws.handshakeTimeout|handshakeTimeout:d "
    "ws.readBufferSize|readBufferSize:i ws.writeBufferSize|writeBufferSize:i "
    "ws.enableCompression|enableCompression:b "
    "ws.header|header:m ";
constexpr std::string_view kWsListener =
    "ws.readHeaderTimeout|readHeaderTimeout:d ws.backlog|backlog:i ws.keepalive:b ttl:d trustedProxies:l ";
constexpr std::string_view kWsDialer =
    "ws.host|host:s ws.keepalive|keepalive:b ttl|keepalive.interval:d tcp.keepalive:b tcp.keepalive.idle:d "
    "tcp.keepalive.interval:d tcp.keepalive.count:i ";
constexpr std::string_view kKcp =
    "kcp.configFile|configFile|c:s kcp.config|config:m kcp.tcp|tcp:b kcp.key:s kcp.crypt:s kcp.mode:s "
    "kcp.keepalive:d kcp.interval:i kcp.mtu:i kcp.rcvwnd:i kcp.sndwnd:i kcp.smuxver:i kcp.smuxbuf:i kcp.streambuf:i "
    "kcp.nocomp:b kcp.datashard:i kcp.parityshard:i kcp.dscp:i kcp.acknodelay:b kcp.nodelay:i kcp.resend:i kcp.nc:i "
    "kcp.sockbuf:i kcp.peerTimeout:d kcp.maxSessions:i kcp.maxSessionsPerHost:i backlog:i ";
constexpr std::string_view kUdpListener =
    "backlog:i keepalive:b ttl|keepalive.ttl:d readBufferSize|udp.bufferSize:i readQueueSize|recvQueueSize:i "
    "maxSessions:i stateless:b udp.batching:b ";
constexpr std::string_view kRudpListener = "ttl:d readBufferSize:i readQueueSize:i backlog:i ";
constexpr std::string_view kHandshake = "handshakeTimeout:d ";
constexpr std::string_view kSocket = "interface:s so_mark:i proxyProtocol:i netns:s netns.out:s ";
constexpr std::string_view kService =
    "dialTimeout:d udp.batching:b preUp:l postUp:l preDown:l postDown:l ignoreChain:b enableStats:b "
    "observer.period|observePeriod:d observer.resetTraffic:b limiter.refreshInterval:d limiter.cleanupInterval:d "
    "limiter.scope:s labels:m ";
// What the command line leaves behind in the options after it has been used.
constexpr std::string_view kInlineRules =
    "retries:i admission:s bypass:s resolver:s prefer:s hosts:s limiter.in:s limiter.out:s limiter.conn.in:s "
    "limiter.conn.out:s climiter:i rlimiter:f dns:l strategy:s maxFails|max_fails:i failTimeout|fail_timeout:d ";
constexpr std::string_view kClientTls =
    "auth:s tls.certFile|certFile|cert:s tls.keyFile|keyFile|key:s tls.caFile|caFile|ca:s tls.secure|secure:b "
    "tls.servername|serverName:s tls.fingerprint:s tls.noktls|noktls:b ";
constexpr std::string_view kNode = "weight:i backup:b maxFails:i failTimeout:d ";
constexpr std::string_view kSocks5Connector =
    "timeout:d notls:b relay:s udp.bufferSize|udpBufferSize:i udp.timeout:d ";

Options parse_table(std::initializer_list<std::string_view> tables) {
  Options options;
  for (std::string_view table : tables) {
    for (std::string_view word : split(table, ' ')) {
      if (word.empty()) continue;
      std::size_t colon = word.rfind(':');
      options.push_back({split(word.substr(0, colon), '|'), static_cast<OptionType>(word[colon + 1])});
    }
  }
  return options;
}

using Tables = std::map<std::string_view, Options>;

const Tables& handler_tables() {
  static const Tables kTables{
      {"socks4", parse_table({kProxyHandler, kSniffing, kBind})},
      {"socks5", parse_table({kProxyHandler, kSniffing, kBind, kSocks5Handler, kMux})},
      {"http", parse_table({kProxyHandler, kSniffing, kHttpHandler})},
      {"auto", parse_table({kProxyHandler, kSniffing, kBind, kSocks5Handler, kHttpHandler, kMux})},
      {"tcp", parse_table({kForwardHandler, kSniffing})},
      {"udp", parse_table({kForwardHandler, kSniffing})},
      {"forward", parse_table({kForwardHandler, kSniffing})},
      {"rtcp", parse_table({kRemoteHandler, kSniffing})},
      {"rudp", parse_table({kRemoteHandler, kSniffing})},
  };
  return kTables;
}

const Tables& listener_tables() {
  static const Tables kTables{
      {"tcp", parse_table({kTcp, kReuse})},
      {"udp", parse_table({kUdpListener})},
      {"tls", parse_table({kTcp})},
      {"mtls", parse_table({kTcp, kBacklog, kMux})},
      {"mtcp", parse_table({kTcp, kReuse, kBacklog, kMux})},
      {"ws", parse_table({kTcp, kWs, kWsListener})},
      {"wss", parse_table({kTcp, kWs, kWsListener})},
      {"mws", parse_table({kTcp, kWs, kWsListener, kMux})},
      {"mwss", parse_table({kTcp, kWs, kWsListener, kMux})},
      {"kcp", parse_table({kKcp})},
      {"rtcp", {}},
      {"rudp", parse_table({kRudpListener})},
  };
  return kTables;
}

const Tables& connector_tables() {
  static const Tables kTables{
      {"socks5", parse_table({kSocks5Connector, kMux})},
      {"socks4", parse_table({"timeout:d disable4a:b"})},
      {"http", parse_table({"timeout:d header:m"})},
      {"forward", {}},
      {"tcp", {}},
      {"direct", parse_table({"action:s"})},
  };
  return kTables;
}

const Tables& dialer_tables() {
  static const Tables kTables{
      {"tcp", parse_table({kTcp})},
      {"udp", {}},
      {"tls", parse_table({kTcp, kHandshake})},
      {"mtls", parse_table({kTcp, kHandshake, kMux})},
      {"mtcp", parse_table({kTcp, kHandshake, kMux})},
      {"ws", parse_table({kWs, kWsDialer})},
      {"wss", parse_table({kWs, kWsDialer})},
      {"mws", parse_table({kWs, kWsDialer, kMux})},
      {"mwss", parse_table({kWs, kWsDialer, kMux})},
      {"kcp", parse_table({kKcp, kHandshake})},
      {"direct", {}},
  };
  return kTables;
}

const Tables& tables_of(Kind kind) {
  switch (kind) {
  case Kind::handler: return handler_tables();
  case Kind::listener: return listener_tables();
  case Kind::connector: return connector_tables();
  case Kind::dialer: break;
  }
  return dialer_tables();
}

template <class T>
std::optional<std::string> error_text(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error().text);
}

}  // namespace

const Options* options_of(Kind kind, std::string_view name) {
  const Tables& tables = tables_of(kind);
  auto found = tables.find(canonical_name(kind, name));
  return found == tables.end() ? nullptr : &found->second;
}

const Options& service_options() {
  static const Options kOptions = parse_table({kSocket, kService, kInlineRules});
  return kOptions;
}

const Options& hop_options() {
  static const Options kOptions = parse_table({kSocket, kClientTls});
  return kOptions;
}

const Options& node_options() {
  static const Options kOptions = parse_table({kSocket, kNode});
  return kOptions;
}

const Option* find_option(const Options& options, std::string_view key) {
  for (const Option& option : options)
    for (std::string_view name : option.names)
      if (iequals(name, key)) return &option;
  return nullptr;
}

std::optional<std::string> unusable(const Option& option, std::string_view key, const Value& value) {
  Metadata one;
  Value bare = value;
  bare.origin = {};
  one.set(std::string(key), std::move(bare));
  switch (option.type) {
  case OptionType::boolean: return error_text(get_bool(one, {key}));
  case OptionType::integer: return error_text(get_int(one, {key}));
  case OptionType::duration: return error_text(get_duration(one, {key}));
  case OptionType::real: return error_text(get_float(one, {key}));
  case OptionType::text: return error_text(get_string(one, {key}));
  case OptionType::list: return error_text(get_list(one, {key}));
  case OptionType::map: break;
  }
  if (value.map() != nullptr || value.is_null()) return std::nullopt;
  return fmt::format("{}: {} is not a map; it can only be given in a file", key, value.describe());
}

}  // namespace gost::config
