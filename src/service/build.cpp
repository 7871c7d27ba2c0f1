#include "service/build.hpp"

#include "config/check_rules.hpp"
#include "core/text.hpp"
#include "route/router.hpp"
#include "service/build_chain.hpp"
#include "service/build_tls.hpp"
#include "service/option_reader.hpp"
#include "service/registry.hpp"
#include "service/socket_settings.hpp"

#include <algorithm>
#include <set>
#include <span>

namespace gost {

namespace {

/// Service options that later parts bring. Ignoring one would send traffic another way than was asked for.
constexpr std::string_view kUnavailableOptions[] = {"proxyProtocol", "netns",   "netns.out", "preUp",
                                                    "postUp",        "preDown", "postDown"};

/// Options that change nothing yet. Nothing is less safe for it, so a warning does.
constexpr std::string_view kHandlerOptionsWithoutEffect[] = {
    "skipauth", "sniffing", "tor", "udp.resolveDomain", "udpResolveDomain", "enableTor", "socks5.tor", "stateless"};
constexpr std::string_view kServiceOptionsWithoutEffect[] = {"enableStats", "labels"};

constexpr std::int64_t kMaxRetries = 100;

/// Whether the listener's port is at the end of its chain.
bool binds_remotely(const config::Listener& listener) {
  std::string_view type = config::canonical_name(config::Kind::listener, listener.type);
  return type == "rtcp" || type == "rudp";
}

/// A service that is to have none of the command line's chain, nor its own (option ignoreChain).
bool ignores_chain(const config::Service& service) {
  auto ignores = config::get_bool(service.metadata, {"ignoreChain"});
  return ignores && ignores->value_or(false);
}

class Builder {
 public:
  Builder(const config::Config& config, config::Problems& problems, const Logger& log)
      : context_{config, problems, built_, log},
        policies_(context_),
        tls_(context_),
        chains_(context_, policies_, tls_) {}

  Built build() {
    policies_.make_all();
    chains_.make_all();
    for (const config::Service& service : context_.config.services) add_service(service);
    return std::move(built_);
  }

 private:
  void warn_of_options_without_effect(const config::Metadata& metadata, std::span<const std::string_view> options) {
    for (std::string_view option : options) {
      const config::Value* value = metadata.find(option);
      if (value == nullptr || parse_bool(value->text()) == false) continue;
      context_.warning(value->origin, "option '" + std::string(option) + "' has no effect in this build");
    }
  }

  void check_options(const config::Service& service, const config::Handler& handler) {
    for (std::string_view option : kUnavailableOptions)
      if (const config::Value* value = service.metadata.find(option))
        context_.error(value->origin, "option '" + std::string(option) + "' is not available in this build");
    warn_of_options_without_effect(handler.metadata, kHandlerOptionsWithoutEffect);
    warn_of_options_without_effect(service.metadata, kServiceOptionsWithoutEffect);
  }

  /// What the routers of a service have in common.
  RouterOptions routing_of(const config::Service& service) {
    RouterOptions routing;
    OptionReader options(service.metadata);
    routing.timeout = options.duration({"dialTimeout"}, routing.timeout);
    if (options.error()) context_.error(service.origin, *options.error());
    auto outbound = outbound_of(service.metadata, service.interface, service.sockopts);
    if (outbound) {
      routing.outbound = *outbound;
    } else {
      context_.error(service.origin, outbound.error());
    }
    routing.names.hosts = policies_.hosts_of(service.origin, service.hosts);
    routing.names.resolver = chains_.resolver_of(service.origin, service.resolver);
    routing.log = context_.log.with({{"service", service.name}, {"kind", "route"}});
    return routing;
  }

  /// The way to where a listener's port is. It tries again by itself, so the handler's `retries` are not for it.
  std::shared_ptr<const Router> router_of(const config::Service& service, const config::Listener& listener) {
    RouterOptions routing = routing_of(service);
    routing.chains = chains_.chains_of(listener.origin, listener.chain, listener.chain_group);
    if (ignores_chain(service)) routing.chains = nullptr;
    return std::make_shared<const ChainRouter>(std::move(routing));
  }

  std::shared_ptr<const Router> router_of(const config::Service& service, const config::Handler& handler) {
    RouterOptions routing = routing_of(service);
    routing.retries = static_cast<int>(std::clamp<std::int64_t>(handler.retries, 0, kMaxRetries));
    auto hash = config::get_string(handler.metadata, {"hash"});
    routing.hash_by_target = hash && *hash == "host";
    routing.bypass = policies_.bypass_of(service.origin, service.bypass, service.bypasses);
    // A chain that was written at the listener (as in GOST's tutorial for udp) is meant for what leaves from here,
    // too, unless the listener's port is at its end.
    const config::Listener listener = service.listener.value_or(config::Listener{});
    bool own = !handler.chain.empty() || handler.chain_group || binds_remotely(listener);
    routing.chains = own ? chains_.chains_of(handler.origin, handler.chain, handler.chain_group)
                         : chains_.chains_of(listener.origin, listener.chain, listener.chain_group);
    if (ignores_chain(service)) routing.chains = nullptr;
    if (routing.chains) warn_of_bind_beside_chain(handler);
    return std::make_shared<const ChainRouter>(std::move(routing));
  }

  void warn_of_bind_beside_chain(const config::Handler& handler) {
    auto bind = config::get_bool(handler.metadata, {"bind"});
    if (bind && bind->value_or(false))
      context_.warning(handler.origin,
                       "BIND and MBIND (option bind) listen on this machine, as in GOST; only what is dialled goes "
                       "through the chain");
  }

  void tell_certificate(const config::Service& service, const tls::ServerContext& context) {
    std::string fingerprint = context.fingerprint().to_string();
    const bool expired = context.has_expired();
    context_.log.write(
        expired ? Level::warn : Level::info,
        "service '" + service.name + "': TLS certificate " +
            (expired ? "expired on " + context.expires() + " (clients that verify refuse it; renew it), "
                     : "valid until " + context.expires() + ", ") +
            fingerprint,
        {{"kind", "tls"}});
    told_fingerprints_.insert(std::move(fingerprint));
  }

  std::shared_ptr<const tls::ServerContext> negotiated_tls(const config::Service& service,
                                                           const config::Handler& handler) {
    auto context = tls_.server(handler.origin, handler.tls ? &*handler.tls : nullptr);
    if (!context) return nullptr;
    if (context->compulsory() && config::canonical_name(config::Kind::handler, handler.type) == "auto")
      context_.error(handler.origin,
                     "handler 'auto' serves SOCKS4 too, whose clients can show no certificate (tls.caFile); use "
                     "handler 'socks5'");
    if (!told_fingerprints_.contains(context->fingerprint().to_string())) tell_certificate(service, *context);
    return context;
  }

  void add_service(const config::Service& service) {
    const config::Handler handler = service.handler.value_or(config::Handler{});
    const config::Listener listener = service.listener.value_or(config::Listener{});
    check_options(service, handler);
    OptionReader handler_options(handler.metadata);
    auto max_handshakes = handler_options.integer({"maxHandshakes"}, 0);
    if (handler_options.error()) context_.error(handler.origin, *handler_options.error());
    HandlerResources resources;
    resources.auther = policies_.auther_of(handler);
    resources.router = router_of(service, handler);
    resources.targets = chains_.targets_of(service);
    resources.log = context_.log.with({{"service", service.name}, {"kind", "handler"}});
    ListenerResources listening;
    if (config::encrypts(config::Kind::listener, listener.type))
      listening.tls = tls_.server(listener.origin, listener.tls ? &*listener.tls : nullptr);
    // Whether it can be used is said by the handler.
    if (auto limit = config::get_duration(handler.metadata, {"readTimeout"}); limit && *limit > Duration::zero())
      listening.handshake_timeout = **limit;
    if (binds_remotely(listener)) listening.router = router_of(service, listener);
    listening.log = context_.log.with({{"service", service.name}, {"kind", "listener"}});
    if (listening.tls) tell_certificate(service, *listening.tls);
    if (config::negotiates_tls(config::Kind::handler, handler.type, handler.metadata))
      resources.tls = negotiated_tls(service, handler);
    auto made_handler = make_handler(handler, resources);
    auto made_listener = make_listener(listener, service.addr.empty() ? ":0" : service.addr, listening);
    if (!made_handler) context_.error(handler.origin, made_handler.error());
    if (!made_listener) context_.error(listener.origin, made_listener.error());
    if (auto fits = check_pair(handler, listener); !fits) context_.error(handler.origin, fits.error());
    if (!made_handler || !made_listener) return;
    ServiceParts& parts = built_.services.emplace_back();
    parts.name = service.name;
    parts.listener_type = listener.type.empty() ? "tcp" : listener.type;
    parts.handler_type = handler.type.empty() ? "auto" : handler.type;
    parts.listener = std::move(*made_listener);
    parts.handler = std::move(*made_handler);
    if (max_handshakes > 0) parts.max_handshakes = static_cast<std::size_t>(max_handshakes);
  }

  Built built_;
  std::set<std::string> told_fingerprints_;
  BuildContext context_;
  PolicyBuilder policies_;
  TlsBuilder tls_;
  ChainBuilder chains_;
};

}  // namespace

Built build(const config::Config& config, config::Problems& problems, const Logger& log) {
  return Builder(config, problems, log).build();
}

}  // namespace gost
