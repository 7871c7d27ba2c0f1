// A service: listener, handler, forwarder, and the names of the rules that apply to it.
#pragma once

#include "config/model_chain.hpp"

namespace gost::config {

struct Handler : Located {
  Text type;  ///< empty: auto
  std::int64_t retries = 0;
  Text chain;
  std::optional<ChainGroup> chain_group;
  Text auther;
  TextList authers;
  std::optional<Auth> auth;
  std::optional<Tls> tls;
  Text limiter, observer;
  Metadata metadata;
  friend bool operator==(const Handler&, const Handler&) = default;
};
template <class V>
void describe(V& visit, Is<Handler> auto& it) {
  visit("type", it.type, Show::always);
  visit("retries", it.retries);
  visit("chain", it.chain);
  visit("chainGroup", it.chain_group);
  visit("auther", it.auther);
  visit("authers", it.authers);
  visit("auth", it.auth);
  visit("tls", it.tls);
  visit("limiter", it.limiter);
  visit("observer", it.observer);
  visit("metadata", it.metadata);
}

struct Listener : Located {
  Text type;  ///< empty: tcp
  Text chain;
  std::optional<ChainGroup> chain_group;
  Text auther;
  TextList authers;
  std::optional<Auth> auth;
  std::optional<Tls> tls;
  Metadata metadata;
  friend bool operator==(const Listener&, const Listener&) = default;
};
template <class V>
void describe(V& visit, Is<Listener> auto& it) {
  visit("type", it.type, Show::always);
  visit("chain", it.chain);
  visit("chainGroup", it.chain_group);
  visit("auther", it.auther);
  visit("authers", it.authers);
  visit("auth", it.auth);
  visit("tls", it.tls);
  visit("metadata", it.metadata);
}

struct ForwardNode : Located {
  Text name, addr, network, bypass;
  TextList bypasses;
  Text protocol, host, path;  ///< deprecated spellings of `filter`
  std::optional<NodeFilter> filter;
  std::optional<Matcher> matcher;
  std::optional<Auth> auth;
  std::optional<NodeHttp> http;
  std::optional<NodeTls> tls;
  std::optional<Probe> probe;
  Metadata metadata;
  friend bool operator==(const ForwardNode&, const ForwardNode&) = default;
};
template <class V>
void describe(V& visit, Is<ForwardNode> auto& it) {
  visit("name", it.name);
  visit("addr", it.addr);
  visit("network", it.network);
  visit("bypass", it.bypass);
  visit("bypasses", it.bypasses);
  visit("protocol", it.protocol);
  visit("host", it.host);
  visit("path", it.path);
  visit("filter", it.filter);
  visit("matcher", it.matcher);
  visit("auth", it.auth);
  visit("http", it.http);
  visit("tls", it.tls);
  visit("probe", it.probe);
  visit("metadata", it.metadata);
}

struct Forwarder : Located {
  Text name;  ///< deprecated spelling of `hop`
  Text hop;
  Value hop_group;  ///< raw: hop groups are out of scope
  std::optional<Selector> selector;
  std::vector<ForwardNode> nodes;
  friend bool operator==(const Forwarder&, const Forwarder&) = default;
};
template <class V>
void describe(V& visit, Is<Forwarder> auto& it) {
  visit("name", it.name);
  visit("hop", it.hop);
  visit("hopGroup", it.hop_group);
  visit("selector", it.selector);
  visit("nodes", it.nodes, Show::always);
}

struct RecorderObject : Located {
  Text name, record;
  Metadata metadata;
  friend bool operator==(const RecorderObject&, const RecorderObject&) = default;
};
template <class V>
void describe(V& visit, Is<RecorderObject> auto& it) {
  visit("name", it.name, Show::always);
  visit("record", it.record, Show::always);
  visit("metadata", it.metadata);
}

struct Service : Located {
  Text name, addr, interface;
  std::optional<SockOpts> sockopts;
  Text admission;
  TextList admissions;
  Text bypass;
  TextList bypasses;
  Text resolver, hosts, limiter;
  TextList quotas;
  Text climiter, rlimiter, logger;
  TextList loggers;
  Text observer, rewriter, cache;
  std::vector<RecorderObject> recorders;
  std::optional<Handler> handler;
  std::optional<Listener> listener;
  std::optional<Forwarder> forwarder;
  Metadata metadata;
  Value status;  ///< output of GOST's API in saved configurations; has no effect
  friend bool operator==(const Service&, const Service&) = default;
};
template <class V>
void describe(V& visit, Is<Service> auto& it) {
  visit("name", it.name, Show::always);
  visit("addr", it.addr);
  visit("interface", it.interface);
  visit("sockopts", it.sockopts);
  visit("admission", it.admission);
  visit("admissions", it.admissions);
  visit("bypass", it.bypass);
  visit("bypasses", it.bypasses);
  visit("resolver", it.resolver);
  visit("hosts", it.hosts);
  visit("limiter", it.limiter);
  visit("quotas", it.quotas);
  visit("climiter", it.climiter);
  visit("rlimiter", it.rlimiter);
  visit("logger", it.logger);
  visit("loggers", it.loggers);
  visit("observer", it.observer);
  visit("rewriter", it.rewriter);
  visit("cache", it.cache);
  visit("recorders", it.recorders);
  visit("handler", it.handler);
  visit("listener", it.listener);
  visit("forwarder", it.forwarder);
  visit("metadata", it.metadata);
  visit("status", it.status);
}

}  // namespace gost::config
