#include "tls/certificate.hpp"

#include "core/address.hpp"
#include "tls/file.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <ctime>

namespace gost::tls {

namespace {

/// Without this OpenSSL would ask for a password at the terminal.
int refuse_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

BioPtr reader_of(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

bool is_der(std::string_view text) {
  return text.size() > 4 && text[0] == 0x30 && static_cast<unsigned char>(text[1]) >= 0x80;
}

/// Whether the queue holds nothing but "no (more) PEM block"; empties it.
bool at_end_of_pem() {
  unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

std::string text_of(BIO& bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(&bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

std::string take_openssl_error() {
  unsigned long error = ERR_peek_error();
  ERR_clear_error();
  if (error == 0) return {};
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "error " + std::to_string(error);
}

WallTime wall_now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem, const std::string& name) {
  ERR_clear_error();
  std::vector<X509Ptr> certificates;
  BioPtr bio = reader_of(pem);
  bool asked = false;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, refuse_password, &asked))
    certificates.emplace_back(certificate);
  if (!at_end_of_pem())
    return fail(Cause::invalid, name + ": certificate " + std::to_string(certificates.size() + 1) +
                                    " is damaged; copy the file again");
  if (!certificates.empty()) return certificates;
  if (is_der(pem))
    return fail(Cause::invalid, name + " is in DER form; convert it: openssl x509 -inform der -in OLD -out NEW");
  return fail(Cause::invalid, name +
                                  " has no certificate in PEM form (a block that begins with "
                                  "-----BEGIN CERTIFICATE-----)");
}

Result<KeyPtr> parse_key(std::string_view pem, const std::string& name) {
  ERR_clear_error();
  BioPtr bio = reader_of(pem);
  bool asked = false;
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_password, &asked));
  bool none = at_end_of_pem();
  if (key) return key;
  if (asked) return fail(Cause::invalid, name + ": the key has a password; remove it: openssl pkey -in OLD -out NEW");
  if (is_der(pem))
    return fail(Cause::invalid, name + " is in DER form; convert it: openssl pkey -inform der -in OLD -out NEW");
  // OpenSSL's decoders report what they do not understand in many ways.
  if (none || pem.find("PRIVATE KEY-----") == std::string_view::npos)
    return fail(Cause::invalid, name +
                                    " has no private key in PEM form (a block that begins with "
                                    "-----BEGIN PRIVATE KEY-----)");
  return fail(Cause::invalid, name + ": the private key is damaged or of an unknown kind; copy the file again");
}

Result<Identity> load_identity(const std::string& cert_file, const std::string& key_file) {
  if (cert_file.empty())
    return fail(Cause::invalid, "key file " + key_file + " is without a certificate; name it (certFile)");
  auto text = read_small_file(cert_file, "certificate file");
  if (!text) return fail(text.error());
  auto certificates = parse_certificates(*text, "certificate file " + cert_file);
  if (!certificates) return fail(certificates.error());
  const std::string& path = key_file.empty() ? cert_file : key_file;
  auto key_text = key_file.empty() ? std::move(text) : read_small_file(key_file, "key file");
  if (!key_text) return fail(key_text.error());
  auto key = parse_key(*key_text, "key file " + path);
  if (!key) return fail(key.error());

  Identity identity{std::move(certificates->front()), {}, std::move(*key)};
  for (std::size_t i = 1; i < certificates->size(); ++i) identity.chain.push_back(std::move((*certificates)[i]));
  bool fits = X509_check_private_key(identity.certificate.get(), identity.key.get()) == 1;
  ERR_clear_error();
  if (!fits)
    return fail(Cause::invalid, "key file " + path + " does not fit the (first) certificate in " + cert_file +
                                    "; name the key that it was made with");
  return identity;
}

namespace {

bool set_extension(X509& certificate, X509& issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

/// The alternative names are built as objects: as text, a comma in a name would begin the next entry.
bool set_names(X509& certificate, const std::vector<std::string>& names) {
  std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>> list(sk_GENERAL_NAME_new_null());
  for (const std::string& text : names) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    sk_GENERAL_NAME_push(list.get(), name);
    auto ip = IpAddress::parse(text);
    ASN1_STRING* value = ip ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    Bytes bytes = ip ? ip->bytes() : as_bytes(text);
    ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size()));
    GENERAL_NAME_set0_value(name, ip ? GEN_IPADD : GEN_DNS, value);
  }
  return X509_add1_ext_i2d(&certificate, NID_subject_alt_name, list.get(), 0, 0) == 1;
}

bool set_serial(X509& certificate) {
  std::unique_ptr<BIGNUM, Release<BN_free>> serial(BN_new());
  return BN_rand(serial.get(), 128, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool add_entry(X509_NAME* name, const char* field, const std::string& value) {
  return value.empty() ||
         X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool set_validity(X509& certificate, WallTime from, Duration validity) {
  auto until = from + std::chrono::floor<std::chrono::seconds>(validity);
  return ASN1_TIME_set(X509_getm_notBefore(&certificate), from.time_since_epoch().count()) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(&certificate), until.time_since_epoch().count()) != nullptr;
}

bool fill(X509& certificate, EVP_PKEY& key, const CertificateOptions& options) {
  X509& issuer = options.issuer != nullptr ? *options.issuer->certificate : certificate;
  X509_NAME* subject = X509_get_subject_name(&certificate);
  auto names = options.names.empty() ? std::vector{options.common_name} : options.names;
  return X509_set_version(&certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
         add_entry(subject, "O", options.organization) && add_entry(subject, "CN", options.common_name) &&
         X509_set_issuer_name(&certificate, X509_get_subject_name(&issuer)) == 1 &&
         set_validity(certificate, options.not_before, options.validity) &&
         X509_set_pubkey(&certificate, &key) == 1 &&
         set_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
         set_extension(certificate, issuer, NID_ext_key_usage, "clientAuth,serverAuth") &&
         set_extension(certificate, issuer, NID_basic_constraints,
                       options.authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
         set_names(certificate, names);
}

}  // namespace

Result<Identity> generate_certificate(const CertificateOptions& options) {
  if (options.validity < std::chrono::seconds(1))
    return fail(Cause::invalid,
                "certificate: the validity is " + to_string(options.validity) + "; it must be at least 1s");
  ERR_clear_error();
  Identity identity{X509Ptr(X509_new()), {}, KeyPtr(EVP_EC_gen("P-256"))};
  if (!identity.certificate || !identity.key)
    return fail(Cause::exhausted, "certificate: no key could be generated: " + take_openssl_error());
  EVP_PKEY* signer = options.issuer != nullptr ? options.issuer->key.get() : identity.key.get();
  if (!fill(*identity.certificate, *identity.key, options) ||
      X509_sign(identity.certificate.get(), signer, EVP_sha256()) == 0)
    return fail(Cause::invalid, "certificate: \"" + options.common_name + "\" of \"" + options.organization +
                                    "\" cannot be made: " + take_openssl_error());
  return identity;
}

std::string certificate_pem(const Identity& identity) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), identity.certificate.get());
  for (const X509Ptr& certificate : identity.chain) PEM_write_bio_X509(bio.get(), certificate.get());
  return text_of(*bio);
}

std::string key_pem(const Identity& identity) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(*bio);
}

std::string names_in(const X509& certificate) {
  std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string text;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int kind = 0;
    const auto* value =
        static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &kind));
    if (kind != GEN_DNS && kind != GEN_IPADD) continue;
    Bytes bytes{ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value))};
    if (kind == GEN_IPADD && bytes.size() != 4 && bytes.size() != 16) continue;
    if (!text.empty()) text += ", ";
    if (kind == GEN_DNS) {
      // What a peer calls itself ends in a log line.
      for (char c : as_text(bytes)) text += c > ' ' && c < 0x7f ? c : '?';
    } else if (bytes.size() == 4) {
      text += IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]}).to_string();
    } else {
      std::array<std::uint8_t, 16> v6{};
      std::copy(bytes.begin(), bytes.end(), v6.begin());
      text += IpAddress::v6(v6).to_string();
    }
  }
  return text;
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable time";
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

bool expired(const X509& certificate, WallTime when) {
  std::time_t seconds = when.time_since_epoch().count();
  return X509_cmp_time(X509_get0_notAfter(&certificate), &seconds) < 0;
}

}  // namespace gost::tls
