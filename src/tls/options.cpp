#include "tls/options.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace gost::tls {

namespace {

enum class Kind : std::uint8_t { tls12, tls13, broken };

struct Suite {
  std::string_view go;
  std::string_view openssl;
  Kind kind = Kind::tls12;
};

constexpr std::array kSuites{
    Suite{"TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", Kind::tls13},
    Suite{"TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", Kind::tls13},
    Suite{"TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", Kind::tls13},
    Suite{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    Suite{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    Suite{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    Suite{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    Suite{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    Suite{"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    Suite{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256"},
    Suite{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    Suite{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    Suite{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    Suite{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"},
    Suite{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    Suite{"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    Suite{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256"},
    Suite{"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    Suite{"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
    Suite{"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    Suite{"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
    Suite{"TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"},
    Suite{"TLS_RSA_WITH_RC4_128_SHA", "", Kind::broken},
    Suite{"TLS_RSA_WITH_3DES_EDE_CBC_SHA", "", Kind::broken},
    Suite{"TLS_ECDHE_RSA_WITH_RC4_128_SHA", "", Kind::broken},
    Suite{"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "", Kind::broken},
    Suite{"TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", "", Kind::broken},
};

constexpr std::array<std::pair<std::string_view, Version>, 4> kVersions{{{"VersionTLS10", Version::tls10},
                                                                         {"VersionTLS11", Version::tls11},
                                                                         {"VersionTLS12", Version::tls12},
                                                                         {"VersionTLS13", Version::tls13}}};

std::unexpected<Error> unknown_suite(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Suite& suite : kSuites)
    if (suite.kind != Kind::broken) known.push_back(suite.go);
  std::string text = "unknown cipher suite \"" + std::string(name) + "\"";
  if (std::string_view near = nearest(name, known); !near.empty())
    return fail(Cause::invalid, text + "; did you mean " + std::string(near) + "?");
  return fail(Cause::invalid, text + "; names are Go's, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
}

}  // namespace

Result<Version> parse_version(std::string_view name) {
  for (const auto& [known, version] : kVersions)
    if (iequals(name, known)) return version;
  return fail(Cause::invalid, "unknown TLS version \"" + std::string(name) +
                                  "\"; use VersionTLS10, VersionTLS11, VersionTLS12 or VersionTLS13");
}

Result<CipherNames> parse_cipher_suites(const std::vector<std::string>& names) {
  CipherNames ciphers;
  for (const std::string& name : names) {
    const auto* suite = std::ranges::find_if(kSuites, [&name](const Suite& it) { return iequals(it.go, name); });
    if (suite == kSuites.end()) return unknown_suite(name);
    if (suite->kind == Kind::broken)
      return fail(Cause::invalid, "cipher suite " + name + " is broken (RC4, 3DES) and not supported; remove it");
    std::string& list = suite->kind == Kind::tls13 ? ciphers.tls13 : ciphers.up_to_tls12;
    if (!list.empty()) list += ':';
    list += suite->openssl;
  }
  return ciphers;
}

Result<std::string> encode_alpn(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255)
      return fail(Cause::invalid,
                  "alpn: a protocol's name has 1 to 255 bytes; this one has " + std::to_string(protocol.size()));
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  if (wire.size() > 65535) return fail(Cause::invalid, "alpn: the names have more than 65535 bytes; use fewer");
  return wire;
}

}  // namespace gost::tls
