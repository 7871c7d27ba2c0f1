// Chains, hops and nodes, and what a forwarder's targets share with them.
#pragma once

#include "config/model_common.hpp"

namespace gost::config {

struct NodeFilter : Located {
  Text host, protocol, path;
  friend bool operator==(const NodeFilter&, const NodeFilter&) = default;
};
template <class V>
void describe(V& visit, Is<NodeFilter> auto& it) {
  visit("host", it.host);
  visit("protocol", it.protocol);
  visit("path", it.path);
}

struct Matcher : Located {
  Text rule;
  std::int64_t priority = 0, body_size = 0;
  friend bool operator==(const Matcher&, const Matcher&) = default;
};
template <class V>
void describe(V& visit, Is<Matcher> auto& it) {
  visit("rule", it.rule);
  visit("priority", it.priority);
  visit("bodySize", it.body_size);
}

struct Probe : Located {
  Text type, addr;
  Duration interval{}, timeout{};
  Text http_path, http_host;
  TextMap http_headers;
  std::int64_t expected_status = 0;
  Text command;
  friend bool operator==(const Probe&, const Probe&) = default;
};
template <class V>
void describe(V& visit, Is<Probe> auto& it) {
  visit("type", it.type);
  visit("addr", it.addr);
  visit("interval", it.interval);
  visit("timeout", it.timeout);
  visit("httpPath", it.http_path);
  visit("httpHost", it.http_host);
  visit("httpHeaders", it.http_headers);
  visit("expectedStatus", it.expected_status);
  visit("command", it.command);
}

struct NodeHttp : Located {
  Text host;
  TextMap header, request_header, response_header;
  Value rewrite, rewrite_url, rewrite_body;  ///< raw: HTTP rewriting is out of scope
  std::optional<Auth> auth;
  friend bool operator==(const NodeHttp&, const NodeHttp&) = default;
};
template <class V>
void describe(V& visit, Is<NodeHttp> auto& it) {
  visit("host", it.host);
  visit("header", it.header);
  visit("requestHeader", it.request_header);
  visit("responseHeader", it.response_header);
  visit("rewrite", it.rewrite);
  visit("rewriteURL", it.rewrite_url);
  visit("rewriteBody", it.rewrite_body);
  visit("auth", it.auth);
}

struct NodeTls : Located {
  Text server_name;
  bool secure = false;
  std::optional<TlsOptions> options;
  friend bool operator==(const NodeTls&, const NodeTls&) = default;
};
template <class V>
void describe(V& visit, Is<NodeTls> auto& it) {
  visit("serverName", it.server_name);
  visit("secure", it.secure);
  visit("options", it.options);
}

struct Connector : Located {
  Text type;  ///< empty: http
  std::optional<Auth> auth;
  std::optional<Tls> tls;
  Metadata metadata;
  friend bool operator==(const Connector&, const Connector&) = default;
};

struct Dialer : Located {
  Text type;  ///< empty: tcp
  std::optional<Auth> auth;
  std::optional<Tls> tls;
  Metadata metadata;
  friend bool operator==(const Dialer&, const Dialer&) = default;
};
template <class V, class T>
  requires Is<T, Connector> || Is<T, Dialer>
void describe(V& visit, T& it) {
  visit("type", it.type, Show::always);
  visit("auth", it.auth);
  visit("tls", it.tls);
  visit("metadata", it.metadata);
}

struct Node : Located {
  Text name, addr, network, bypass;
  TextList bypasses;
  Text resolver, hosts;
  std::optional<Connector> connector;
  std::optional<Dialer> dialer;
  Text interface, netns;
  std::optional<SockOpts> sockopts;
  std::optional<NodeFilter> filter;
  std::optional<Matcher> matcher;
  std::optional<NodeHttp> http;
  std::optional<NodeTls> tls;
  std::optional<Probe> probe;
  Metadata metadata;
  friend bool operator==(const Node&, const Node&) = default;
};
template <class V>
void describe(V& visit, Is<Node> auto& it) {
  visit("name", it.name, Show::always);
  visit("addr", it.addr);
  visit("network", it.network);
  visit("bypass", it.bypass);
  visit("bypasses", it.bypasses);
  visit("resolver", it.resolver);
  visit("hosts", it.hosts);
  visit("connector", it.connector);
  visit("dialer", it.dialer);
  visit("interface", it.interface);
  visit("netns", it.netns);
  visit("sockopts", it.sockopts);
  visit("filter", it.filter);
  visit("matcher", it.matcher);
  visit("http", it.http);
  visit("tls", it.tls);
  visit("probe", it.probe);
  visit("metadata", it.metadata);
}

struct Hop : Located {
  Text name, interface;
  std::optional<SockOpts> sockopts;
  std::optional<Selector> selector;
  Text bypass;
  TextList bypasses;
  Text resolver, hosts;
  std::vector<Node> nodes;  ///< empty in a chain: the shared hop of this name is meant
  Loaders loaders;
  Metadata metadata;
  friend bool operator==(const Hop&, const Hop&) = default;
};
template <class V>
void describe(V& visit, Is<Hop> auto& it) {
  visit("name", it.name, Show::always);
  visit("interface", it.interface);
  visit("sockopts", it.sockopts);
  visit("selector", it.selector);
  visit("bypass", it.bypass);
  visit("bypasses", it.bypasses);
  visit("resolver", it.resolver);
  visit("hosts", it.hosts);
  visit("nodes", it.nodes);
  describe_loaders(visit, it.loaders);
  visit("metadata", it.metadata);
}

struct Chain : Located {
  Text name;
  std::vector<Hop> hops;
  Metadata metadata;
  friend bool operator==(const Chain&, const Chain&) = default;
};
template <class V>
void describe(V& visit, Is<Chain> auto& it) {
  visit("name", it.name, Show::always);
  visit("hops", it.hops, Show::always);
  visit("metadata", it.metadata);
}

/// An entry of a chain group. A plain name in the list means `{chain: name}`.
struct ChainRef : Located {
  Text chain;
  std::optional<Matcher> matcher;
  std::optional<Probe> probe;
  friend bool operator==(const ChainRef&, const ChainRef&) = default;
};
template <class V>
void describe(V& visit, Is<ChainRef> auto& it) {
  visit("chain", it.chain, Show::always);
  visit("matcher", it.matcher);
  visit("probe", it.probe);
}

struct ChainGroup : Located {
  std::vector<ChainRef> chains;
  std::optional<Selector> selector;
  friend bool operator==(const ChainGroup&, const ChainGroup&) = default;
};
template <class V>
void describe(V& visit, Is<ChainGroup> auto& it) {
  visit("chains", it.chains);
  visit("selector", it.selector);
}

}  // namespace gost::config
