#include "tls/options.hpp"

#include <gtest/gtest.h>

namespace gost::tls {
namespace {

TEST(TlsOptions, GosNamesOfVersionsInAnyCase) {
  EXPECT_EQ(parse_version("VersionTLS10"), Version::tls10);
  EXPECT_EQ(parse_version("VersionTLS11"), Version::tls11);
  EXPECT_EQ(parse_version("versiontls12"), Version::tls12);
  EXPECT_EQ(parse_version("VersionTLS13"), Version::tls13);
  auto unknown = parse_version("TLS1.2");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().text,
            "unknown TLS version \"TLS1.2\"; use VersionTLS10, VersionTLS11, VersionTLS12 or VersionTLS13");
  EXPECT_FALSE(parse_version(""));
}

TEST(TlsOptions, GosNamesOfCipherSuitesBecomeOpensslsBothGenerationsApart) {
  auto ciphers = parse_cipher_suites(
      {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", "tls_ecdhe_ecdsa_with_chacha20_poly1305"});
  ASSERT_TRUE(ciphers);
  EXPECT_EQ(ciphers->up_to_tls12, "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305");
  EXPECT_EQ(ciphers->tls13, "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(parse_cipher_suites({})->tls13, "");
}

TEST(TlsOptions, AnUnknownCipherSuiteIsAnErrorWithTheNearestOne) {
  auto unknown = parse_cipher_suites({"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA265"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().text,
            "unknown cipher suite \"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA265\"; did you mean "
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256?");
  EXPECT_NE(parse_cipher_suites({"x"}).error().text.find("names are Go's"), std::string::npos);
  EXPECT_NE(parse_cipher_suites({"TLS_RSA_WITH_RC4_128_SHA"}).error().text.find("broken"), std::string::npos);
}

TEST(TlsOptions, AlpnStandsBehindLengths) {
  EXPECT_EQ(encode_alpn({"h2", "http/1.1"}), "\x02h2\x08http/1.1");
  EXPECT_EQ(encode_alpn({}), "");
  EXPECT_FALSE(encode_alpn({""}));
  EXPECT_FALSE(encode_alpn({std::string(256, 'x')}));
  EXPECT_FALSE(encode_alpn(std::vector<std::string>(300, std::string(255, 'x'))));
}

TEST(TlsFingerprint, TheCanonicalFormIsLowerCaseWithoutColons) {
  std::string hex = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
  std::string colons;
  for (std::size_t i = 0; i < hex.size(); i += 2) colons += (i > 0 ? ":" : "") + hex.substr(i, 2);
  auto plain = parse_fingerprint("sha256:" + hex);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->to_string(), "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
  EXPECT_EQ(parse_fingerprint("SHA256:" + colons), *plain);
  EXPECT_EQ(parse_fingerprint(hex), *plain);
}

TEST(TlsFingerprint, AnythingElseIsAnErrorThatShowsTheForm) {
  for (std::string text : {"", "sha256:", "sha256:00", "sha1:0011223344556677889900112233445566778899"}) {
    auto parsed = parse_fingerprint(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().text.find("expected sha256:"), std::string::npos);
  }
  EXPECT_FALSE(parse_fingerprint("sha256:" + std::string(63, '0') + "g"));
  EXPECT_FALSE(parse_fingerprint("sha256:" + std::string(95, '0'))) << "digits where colons belong";
  EXPECT_FALSE(parse_fingerprint("sha256:" + std::string(63, '0') + " "));
}

}  // namespace
}  // namespace gost::tls
