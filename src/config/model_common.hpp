// The parts that many configuration objects share, and the rules of `describe`.
//
// For every struct there is one function `describe(visit, object)` that calls `visit(key, member[, Show])` for each
// key in the order in which GOST prints them. Reading, the check for unknown keys, and both writers are visitors.
// Keys are GOST's names in YAML and JSON; defaults apply when a component is built, not here.
#pragma once

#include "config/metadata.hpp"
#include "config/value.hpp"
#include "core/duration.hpp"

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace gost::config {

/// Whether a key is printed even if its value is empty (in Go: a field without "omitempty").
enum class Show : std::uint8_t { when_set, always };

/// `T` is `Object` or `const Object`: a describe function serves readers and writers.
template <class T, class Object>
concept Is = std::same_as<std::remove_const_t<T>, Object>;

using Text = std::string;
using TextList = std::vector<std::string>;
using TextMap = std::map<std::string, std::string>;

/// An object that knows where it was written.
struct Located {
  Origin origin;
  friend bool operator==(const Located&, const Located&) = default;
};

struct Auth : Located {
  Text username, password, file;
  friend bool operator==(const Auth&, const Auth&) = default;
};
template <class V>
void describe(V& visit, Is<Auth> auto& it) {
  visit("username", it.username, Show::always);
  visit("password", it.password);
  visit("file", it.file);
}

struct TlsOptions : Located {
  Text min_version, max_version;
  TextList cipher_suites, alpn;
  bool noktls = false;
  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};
template <class V>
void describe(V& visit, Is<TlsOptions> auto& it) {
  visit("minVersion", it.min_version);
  visit("maxVersion", it.max_version);
  visit("cipherSuites", it.cipher_suites);
  visit("alpn", it.alpn);
  visit("noktls", it.noktls);
}

struct Tls : Located {
  Text cert_file, key_file, ca_file;
  bool secure = false;
  Text server_name;
  std::optional<TlsOptions> options;
  bool reject_unknown_sni = false;
  TextList server_names;
  Duration validity{};
  Text common_name, organization;
  Text fingerprint;
  friend bool operator==(const Tls&, const Tls&) = default;
};
template <class V>
void describe(V& visit, Is<Tls> auto& it) {
  visit("certFile", it.cert_file);
  visit("keyFile", it.key_file);
  visit("caFile", it.ca_file);
  visit("secure", it.secure);
  visit("serverName", it.server_name);
  visit("options", it.options);
  visit("rejectUnknownSNI", it.reject_unknown_sni);
  visit("serverNames", it.server_names);
  visit("validity", it.validity);
  visit("commonName", it.common_name);
  visit("organization", it.organization);
  visit("fingerprint", it.fingerprint);
}

struct Plugin : Located {
  Text type, addr;
  std::optional<Tls> tls;
  Duration timeout{};
  Text token;
  friend bool operator==(const Plugin&, const Plugin&) = default;
};
template <class V>
void describe(V& visit, Is<Plugin> auto& it) {
  visit("type", it.type, Show::always);
  visit("addr", it.addr, Show::always);
  visit("tls", it.tls);
  visit("timeout", it.timeout);
  visit("token", it.token);
}

struct FileLoader : Located {
  Text path;
  friend bool operator==(const FileLoader&, const FileLoader&) = default;
};
template <class V>
void describe(V& visit, Is<FileLoader> auto& it) {
  visit("path", it.path, Show::always);
}

struct RedisLoader : Located {
  Text addr;
  std::int64_t db = 0;
  Text username, password, key, type;
  friend bool operator==(const RedisLoader&, const RedisLoader&) = default;
};
template <class V>
void describe(V& visit, Is<RedisLoader> auto& it) {
  visit("addr", it.addr, Show::always);
  visit("db", it.db);
  visit("username", it.username);
  visit("password", it.password);
  visit("key", it.key);
  visit("type", it.type);
}

struct HttpLoader : Located {
  Text url;
  Duration timeout{};
  friend bool operator==(const HttpLoader&, const HttpLoader&) = default;
};
template <class V>
void describe(V& visit, Is<HttpLoader> auto& it) {
  visit("url", it.url, Show::always);
  visit("timeout", it.timeout);
}

/// Where the content of a named object comes from besides the configuration itself.
struct Loaders {
  Duration reload{};
  std::optional<FileLoader> file;
  std::optional<RedisLoader> redis;
  std::optional<HttpLoader> http;
  std::optional<Plugin> plugin;
  friend bool operator==(const Loaders&, const Loaders&) = default;
};
template <class V>
void describe_loaders(V& visit, Is<Loaders> auto& it) {
  visit("reload", it.reload);
  visit("file", it.file);
  visit("redis", it.redis);
  visit("http", it.http);
  visit("plugin", it.plugin);
}

struct Selector : Located {
  Text strategy;
  std::int64_t max_fails = 0;
  Duration fail_timeout{}, max_latency{};
  friend bool operator==(const Selector&, const Selector&) = default;
};
template <class V>
void describe(V& visit, Is<Selector> auto& it) {
  visit("strategy", it.strategy, Show::always);
  visit("maxFails", it.max_fails, Show::always);
  visit("failTimeout", it.fail_timeout, Show::always);
  visit("maxLatency", it.max_latency);
}

struct SockOpts : Located {
  std::int64_t mark = 0;
  friend bool operator==(const SockOpts&, const SockOpts&) = default;
};
template <class V>
void describe(V& visit, Is<SockOpts> auto& it) {
  visit("mark", it.mark);
}

struct Rotation : Located {
  std::int64_t max_size = 0, max_age = 0, max_backups = 0;
  bool local_time = false, compress = false;
  friend bool operator==(const Rotation&, const Rotation&) = default;
};
template <class V>
void describe(V& visit, Is<Rotation> auto& it) {
  visit("maxSize", it.max_size);
  visit("maxAge", it.max_age);
  visit("maxBackups", it.max_backups);
  visit("localTime", it.local_time);
  visit("compress", it.compress);
}

}  // namespace gost::config
