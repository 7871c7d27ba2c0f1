// Named objects that services and chains refer to, and the single sections.
#pragma once

#include "config/model_common.hpp"

namespace gost::config {

struct Auther : Located {
  Text name;
  std::vector<Auth> auths;
  Loaders loaders;
  friend bool operator==(const Auther&, const Auther&) = default;
};
template <class V>
void describe(V& visit, Is<Auther> auto& it) {
  visit("name", it.name, Show::always);
  visit("auths", it.auths);
  describe_loaders(visit, it.loaders);
}

struct Admission : Located {
  Text name;
  bool reverse = false;  ///< deprecated spelling of `whitelist`
  bool whitelist = false;
  TextList matchers;
  Loaders loaders;
  friend bool operator==(const Admission&, const Admission&) = default;
};
template <class V>
void describe(V& visit, Is<Admission> auto& it) {
  visit("name", it.name, Show::always);
  visit("reverse", it.reverse);
  visit("whitelist", it.whitelist);
  visit("matchers", it.matchers);
  describe_loaders(visit, it.loaders);
}

struct Bypass : Located {
  Text name;
  bool reverse = false;  ///< deprecated spelling of `whitelist`
  bool whitelist = false;
  Text network;
  TextList matchers;
  Loaders loaders;
  friend bool operator==(const Bypass&, const Bypass&) = default;
};
template <class V>
void describe(V& visit, Is<Bypass> auto& it) {
  visit("name", it.name, Show::always);
  visit("reverse", it.reverse);
  visit("whitelist", it.whitelist);
  visit("network", it.network);
  visit("matchers", it.matchers);
  describe_loaders(visit, it.loaders);
}

struct Nameserver : Located {
  Text addr, chain, prefer, client_ip, hostname;
  Duration ttl{}, timeout{};
  bool async = false;
  Text only;
  friend bool operator==(const Nameserver&, const Nameserver&) = default;
};
template <class V>
void describe(V& visit, Is<Nameserver> auto& it) {
  visit("addr", it.addr, Show::always);
  visit("chain", it.chain);
  visit("prefer", it.prefer);
  visit("clientIP", it.client_ip);
  visit("hostname", it.hostname);
  visit("ttl", it.ttl);
  visit("timeout", it.timeout);
  visit("async", it.async);
  visit("only", it.only);
}

struct Resolver : Located {
  Text name;
  std::vector<Nameserver> nameservers;
  std::optional<Plugin> plugin;
  friend bool operator==(const Resolver&, const Resolver&) = default;
};
template <class V>
void describe(V& visit, Is<Resolver> auto& it) {
  visit("name", it.name, Show::always);
  visit("nameservers", it.nameservers);
  visit("plugin", it.plugin);
}

struct HostMapping : Located {
  Text ip, hostname;
  TextList aliases;
  friend bool operator==(const HostMapping&, const HostMapping&) = default;
};
template <class V>
void describe(V& visit, Is<HostMapping> auto& it) {
  visit("ip", it.ip, Show::always);
  visit("hostname", it.hostname, Show::always);
  visit("aliases", it.aliases);
}

struct Hosts : Located {
  Text name;
  std::vector<HostMapping> mappings;
  Loaders loaders;
  friend bool operator==(const Hosts&, const Hosts&) = default;
};
template <class V>
void describe(V& visit, Is<Hosts> auto& it) {
  visit("name", it.name, Show::always);
  visit("mappings", it.mappings);
  describe_loaders(visit, it.loaders);
}

struct FileRecorder : Located {
  Text path, sep;
  std::optional<Rotation> rotation;
  friend bool operator==(const FileRecorder&, const FileRecorder&) = default;
};
template <class V>
void describe(V& visit, Is<FileRecorder> auto& it) {
  visit("path", it.path, Show::always);
  visit("sep", it.sep);
  visit("rotation", it.rotation);
}

struct TcpRecorder : Located {
  Text addr;
  Duration timeout{};
  friend bool operator==(const TcpRecorder&, const TcpRecorder&) = default;
};
template <class V>
void describe(V& visit, Is<TcpRecorder> auto& it) {
  visit("addr", it.addr, Show::always);
  visit("timeout", it.timeout, Show::always);
}

struct HttpRecorder : Located {
  Text url;
  Duration timeout{};
  TextMap header;
  friend bool operator==(const HttpRecorder&, const HttpRecorder&) = default;
};
template <class V>
void describe(V& visit, Is<HttpRecorder> auto& it) {
  visit("url", it.url, Show::always);
  visit("timeout", it.timeout);
  visit("header", it.header);
}

struct Recorder : Located {
  Text name;
  std::optional<FileRecorder> file;
  std::optional<TcpRecorder> tcp;
  std::optional<HttpRecorder> http;
  std::optional<RedisLoader> redis;
  std::optional<Plugin> plugin;
  friend bool operator==(const Recorder&, const Recorder&) = default;
};
template <class V>
void describe(V& visit, Is<Recorder> auto& it) {
  visit("name", it.name, Show::always);
  visit("file", it.file);
  visit("tcp", it.tcp);
  visit("http", it.http);
  visit("redis", it.redis);
  visit("plugin", it.plugin);
}

/// A traffic, connection or rate limiter; `limits` are lines such as "$ 100MB 200MB".
struct Limiter : Located {
  Text name;
  TextList limits;
  Loaders loaders;
  friend bool operator==(const Limiter&, const Limiter&) = default;
};
template <class V>
void describe(V& visit, Is<Limiter> auto& it) {
  visit("name", it.name, Show::always);
  visit("limits", it.limits);
  describe_loaders(visit, it.loaders);
}

struct QuotaStore : Located {
  Text type, file;
  friend bool operator==(const QuotaStore&, const QuotaStore&) = default;
};
template <class V>
void describe(V& visit, Is<QuotaStore> auto& it) {
  visit("type", it.type);
  visit("file", it.file);
}

struct Quota : Located {
  Text name, limit, starts_at, expires_at, direction;
  Duration flush{};
  std::optional<QuotaStore> store;
  Value status;  ///< output of GOST's API in saved configurations; has no effect
  friend bool operator==(const Quota&, const Quota&) = default;
};
template <class V>
void describe(V& visit, Is<Quota> auto& it) {
  visit("name", it.name, Show::always);
  visit("limit", it.limit);
  visit("startsAt", it.starts_at);
  visit("expiresAt", it.expires_at);
  visit("direction", it.direction);
  visit("flush", it.flush);
  visit("store", it.store);
  visit("status", it.status);
}

struct Observer : Located {
  Text name;
  std::optional<Plugin> plugin;
  friend bool operator==(const Observer&, const Observer&) = default;
};
template <class V>
void describe(V& visit, Is<Observer> auto& it) {
  visit("name", it.name, Show::always);
  visit("plugin", it.plugin);
}

struct Log : Located {
  Text output, level, format;
  std::optional<Rotation> rotation;
  friend bool operator==(const Log&, const Log&) = default;
};
template <class V>
void describe(V& visit, Is<Log> auto& it) {
  visit("output", it.output);
  visit("level", it.level);
  visit("format", it.format);
  visit("rotation", it.rotation);
}

struct Logger : Located {
  Text name;
  std::optional<Log> log;
  friend bool operator==(const Logger&, const Logger&) = default;
};
template <class V>
void describe(V& visit, Is<Logger> auto& it) {
  visit("name", it.name, Show::always);
  visit("log", it.log);
}

struct Profiling : Located {
  Text addr;
  friend bool operator==(const Profiling&, const Profiling&) = default;
};
template <class V>
void describe(V& visit, Is<Profiling> auto& it) {
  visit("addr", it.addr, Show::always);
}

struct Api : Located {
  Text addr, path_prefix;
  bool access_log = false;
  std::optional<Auth> auth;
  Text auther;
  friend bool operator==(const Api&, const Api&) = default;
};
template <class V>
void describe(V& visit, Is<Api> auto& it) {
  visit("addr", it.addr, Show::always);
  visit("pathPrefix", it.path_prefix);
  visit("accesslog", it.access_log);
  visit("auth", it.auth);
  visit("auther", it.auther);
}

struct Metrics : Located {
  Text addr, path;
  std::optional<Auth> auth;
  Text auther;
  friend bool operator==(const Metrics&, const Metrics&) = default;
};
template <class V>
void describe(V& visit, Is<Metrics> auto& it) {
  visit("addr", it.addr, Show::always);
  visit("path", it.path);
  visit("auth", it.auth);
  visit("auther", it.auther);
}

}  // namespace gost::config
