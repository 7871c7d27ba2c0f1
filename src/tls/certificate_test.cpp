#include "tls/certificate.hpp"

#include "tls/file.hpp"
#include "tls/testing/pair.hpp"

#include <openssl/pem.h>

namespace gost::tls {
namespace {

using namespace std::chrono_literals;
using testing::TemporaryDirectory;

std::string load_error(const std::string& cert, const std::string& key) {
  auto loaded = load_identity(cert, key);
  return loaded ? "loaded" : loaded.error().text;
}

TEST(TlsCertificate, AGeneratedOneIsAsGostGeneratesIt) {
  WallTime now = wall_now();
  auto identity = generate_certificate({.not_before = now});
  ASSERT_TRUE(identity);
  X509* certificate = identity->certificate.get();
  EXPECT_EQ(X509_get_version(certificate), X509_VERSION_3);
  EXPECT_EQ(X509_get_signature_nid(certificate), NID_ecdsa_with_SHA256);
  EXPECT_EQ(EVP_PKEY_get_bits(identity->key.get()), 256);
  EXPECT_EQ(X509_verify(certificate, identity->key.get()), 1) << "signed by itself";
  char subject[100];
  X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof subject);
  EXPECT_STREQ(subject, "/O=GOST/CN=gost.run");
  EXPECT_EQ(X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)), 0);
  EXPECT_EQ(names_in(*certificate), "gost.run");
  EXPECT_EQ(X509_get_key_usage(certificate), KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN);
  EXPECT_EQ(X509_get_extended_key_usage(certificate), XKU_SSL_CLIENT | XKU_SSL_SERVER);
  EXPECT_EQ(X509_check_ca(certificate), 1);
  int days = 0;
  int seconds = 0;
  ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(certificate), X509_get0_notAfter(certificate));
  EXPECT_EQ(days * 24, 8760);
  EXPECT_EQ(seconds, 0);
  EXPECT_GT(ASN1_STRING_length(X509_get0_serialNumber(certificate)), 8);
  EXPECT_FALSE(expired(*certificate, now));
  EXPECT_TRUE(expired(*certificate, now + 8761h));
}

TEST(TlsCertificate, TwoAreNeverTheSame) {
  auto one = generate_certificate({});
  auto two = generate_certificate({});
  EXPECT_NE(fingerprint_of(*one->certificate), fingerprint_of(*two->certificate));
  EXPECT_NE(ASN1_INTEGER_cmp(X509_get0_serialNumber(one->certificate.get()),
                             X509_get0_serialNumber(two->certificate.get())),
            0);
}

TEST(TlsCertificate, NamesAndValidityCanBeChosen) {
  auto identity = generate_certificate({.common_name = "a, b",
                                        .organization = "Me & co",
                                        .validity = 90min,
                                        .names = {"a.example,DNS:evil", "*.b.example", "10.1.2.3", "fd00::1"}});
  ASSERT_TRUE(identity) << identity.error().text;
  EXPECT_EQ(names_in(*identity->certificate), "a.example,DNS:evil, *.b.example, 10.1.2.3, fd00::1");
  int days = 0;
  int seconds = 0;
  ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(identity->certificate.get()),
                 X509_get0_notAfter(identity->certificate.get()));
  EXPECT_EQ(seconds, 5400);
}

TEST(TlsCertificate, WhatCannotBeMadeIsAnError) {
  EXPECT_EQ(generate_certificate({.validity = 0s}).error().text,
            "certificate: the validity is 0s; it must be at least 1s");
  EXPECT_EQ(generate_certificate({.common_name = std::string(65, 'x')}).error().cause, Cause::invalid);
}

TEST(TlsCertificate, PemReadsBackWithItsChain) {
  TemporaryDirectory directory;
  testing::Authority authority(directory);
  auto files = authority.sign("leaf");
  std::string chain = directory.write("chain.pem", directory.read("leaf.pem") + directory.read("test CA.pem"));
  auto loaded = load_identity(chain, files.key);
  ASSERT_TRUE(loaded) << loaded.error().text;
  EXPECT_EQ(fingerprint_of(*loaded->certificate), files.fingerprint);
  ASSERT_EQ(loaded->chain.size(), 1U);
  EXPECT_EQ(certificate_pem(*loaded), directory.read("chain.pem"));
  EXPECT_EQ(key_pem(*loaded), directory.read("leaf.key"));
  EXPECT_TRUE(key_pem(*loaded).starts_with("-----BEGIN PRIVATE KEY-----"));
  std::string both = directory.write("both.pem", directory.read("leaf.key") + directory.read("leaf.pem"));
  EXPECT_TRUE(load_identity(both, ""));
}

TEST(TlsCertificate, ErrorsNameTheFileAndWhatToDo) {
  TemporaryDirectory directory;
  testing::Authority authority(directory);
  auto files = authority.sign("leaf");
  auto other = authority.sign("other");
  std::string none = directory.path("none.pem");
  EXPECT_EQ(load_error(none, files.key), "certificate file " + none + ": no such file or directory");
  EXPECT_EQ(load_error(files.cert, none), "key file " + none + ": no such file or directory");
  EXPECT_EQ(load_error("", files.key), "key file " + files.key + " is without a certificate; name it (certFile)");
  EXPECT_EQ(load_error(directory.path(), files.key),
            "certificate file " + directory.path() + " is not a regular file");
  EXPECT_EQ(load_error(files.cert, other.key), "key file " + other.key + " does not fit the (first) certificate in " +
                                                   files.cert + "; name the key that it was made with");
  EXPECT_NE(load_error(files.key, files.key).find("has no certificate in PEM form"), std::string::npos);
  EXPECT_NE(load_error(files.cert, files.cert).find("has no private key in PEM form"), std::string::npos);
  EXPECT_NE(load_error(files.cert, "").find("has no private key in PEM form"), std::string::npos);
  std::string empty = directory.write("empty.pem", "");
  EXPECT_NE(load_error(empty, files.key).find("has no certificate in PEM form"), std::string::npos);
  std::string big = directory.write("big.pem", std::string(2'000'000, 'x'));
  EXPECT_NE(load_error(big, files.key).find("larger than 1 MiB"), std::string::npos);
}

TEST(TlsCertificate, DamagedDerAndProtectedFilesAreRecognised) {
  TemporaryDirectory directory;
  testing::Authority authority(directory);
  auto files = authority.sign("leaf");
  std::string pem = directory.read("leaf.pem");
  std::string damaged = directory.write("damaged.pem", pem + pem.substr(0, 100) + "\n-----END CERTIFICATE-----\n");
  EXPECT_EQ(load_error(damaged, files.key),
            "certificate file " + damaged + ": certificate 2 is damaged; copy the file again");
  std::string cut =
      directory.write("cut.key", directory.read("leaf.key").substr(0, 90) + "\n-----END PRIVATE KEY-----\n");
  EXPECT_NE(load_error(files.cert, cut).find("is damaged"), std::string::npos);

  auto identity = load_identity(files.cert, files.key);
  ASSERT_TRUE(identity);
  unsigned char* der = nullptr;
  int size = i2d_X509(identity->certificate.get(), &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  EXPECT_NE(load_error(directory.write("leaf.der", text), files.key).find("openssl x509 -inform der"),
            std::string::npos);

  BioPtr bio(BIO_new(BIO_s_mem()));
  char password[] = "secret";
  PEM_write_bio_PKCS8PrivateKey(bio.get(), identity->key.get(), EVP_aes_128_cbc(), password, 6, nullptr, nullptr);
  char* data = nullptr;
  long length = BIO_get_mem_data(bio.get(), &data);
  std::string locked = directory.write("locked.key", {data, static_cast<std::size_t>(length)});
  EXPECT_EQ(load_error(files.cert, locked),
            "key file " + locked + ": the key has a password; remove it: openssl pkey -in OLD -out NEW");
}

TEST(TlsFile, AReplacedFileIsForItsOwnerAndWhole) {
  TemporaryDirectory directory;
  std::string path = directory.write("file", "old");
  WatchedFiles watched({path, ""});
  EXPECT_FALSE(watched.changed());
  ASSERT_TRUE(replace_file(path, "new text"));
  EXPECT_EQ(directory.read("file"), "new text");
  EXPECT_TRUE(watched.changed());
  EXPECT_FALSE(watched.changed());
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
  EXPECT_FALSE(replace_file(directory.path("none/file"), "x"));
  EXPECT_FALSE(is_there(directory.path("none")));
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory.path())) ++entries;
  EXPECT_EQ(entries, 1U) << "no temporary file is left";
}

}  // namespace
}  // namespace gost::tls
