#include "tls/failure.hpp"

#include "core/text.hpp"
#include "tls/certificate.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace gost::tls {

namespace {

/// OpenSSL's reason for an alert from the peer is the alert's number, one byte, and this.
constexpr int kAlertReasons = SSL_AD_REASON_OFFSET;
constexpr int kLastAlertReason = kAlertReasons + 255;

/// The names that RFC 8446 gives them.
std::string alert_name(int alert) {
  switch (alert) {
  case SSL_AD_UNEXPECTED_MESSAGE: return "unexpected_message";
  case SSL_AD_BAD_RECORD_MAC: return "bad_record_mac";
  case SSL_AD_HANDSHAKE_FAILURE: return "handshake_failure";
  case SSL_AD_BAD_CERTIFICATE: return "bad_certificate";
  case SSL_AD_UNSUPPORTED_CERTIFICATE: return "unsupported_certificate";
  case SSL_AD_CERTIFICATE_REVOKED: return "certificate_revoked";
  case SSL_AD_CERTIFICATE_EXPIRED: return "certificate_expired";
  case SSL_AD_CERTIFICATE_UNKNOWN: return "certificate_unknown";
  case SSL_AD_ILLEGAL_PARAMETER: return "illegal_parameter";
  case SSL_AD_UNKNOWN_CA: return "unknown_ca";
  case SSL_AD_ACCESS_DENIED: return "access_denied";
  case SSL_AD_DECODE_ERROR: return "decode_error";
  case SSL_AD_DECRYPT_ERROR: return "decrypt_error";
  case SSL_AD_PROTOCOL_VERSION: return "protocol_version";
  case SSL_AD_INSUFFICIENT_SECURITY: return "insufficient_security";
  case SSL_AD_INTERNAL_ERROR: return "internal_error";
  case SSL_AD_USER_CANCELLED: return "user_canceled";
  case SSL_AD_UNRECOGNIZED_NAME: return "unrecognized_name";
  case SSL_AD_CERTIFICATE_REQUIRED: return "certificate_required";
  case SSL_AD_NO_APPLICATION_PROTOCOL: return "no_application_protocol";
  default: return std::to_string(alert);
  }
}

Error protocol(std::string text) {
  return {Cause::protocol, "tls: " + std::move(text)};
}

/// The peer does not accept our certificate, or that we have none.
Error refused_certificate(const SSL& ssl, const std::string& alert, bool server) {
  const X509* ours = SSL_get_certificate(&ssl);
  std::string print = ours != nullptr ? fingerprint_of(*ours).to_string() : "";
  if (server)
    return {Cause::auth, "tls: the client does not accept our certificate" + alert +
                             "; it has to trust it (caFile, serverName) or pin it (fingerprint " + print + ")"};
  if (ours == nullptr)
    return {Cause::auth, "tls: the server wants a client certificate" + alert + "; name one (certFile, keyFile)"};
  return {Cause::auth, "tls: the server does not accept our client certificate" + alert +
                           "; its CA must be known there (caFile); our fingerprint is " + print};
}

Error explain_alert(const SSL& ssl, const Connection& connection, int number) {
  std::string alert = " (alert " + alert_name(number) + ")";
  std::string peer = connection.server ? "the client" : "the server";
  switch (number) {
  case SSL_AD_CERTIFICATE_EXPIRED:
    return {Cause::auth, "tls: for " + peer + " our certificate is expired or not valid yet" + alert +
                             "; renew it, or compare the clocks"};
  case SSL_AD_BAD_CERTIFICATE:
  case SSL_AD_UNSUPPORTED_CERTIFICATE:
  case SSL_AD_CERTIFICATE_REVOKED:
  case SSL_AD_CERTIFICATE_UNKNOWN:
  case SSL_AD_UNKNOWN_CA:
  case SSL_AD_ACCESS_DENIED:
  case SSL_AD_CERTIFICATE_REQUIRED: return refused_certificate(ssl, alert, connection.server);
  case SSL_AD_PROTOCOL_VERSION:
    return protocol("no TLS version in common with " + peer + alert + "; compare minVersion and maxVersion");
  case SSL_AD_INSUFFICIENT_SECURITY:
  case SSL_AD_HANDSHAKE_FAILURE:
    // Up to TLS 1.2 a server says the same when the client certificate is missing.
    return protocol("nothing in common with " + peer + alert + "; compare cipherSuites, minVersion and maxVersion" +
                    (connection.server ? "" : ", and give a client certificate if it wants one"));
  case SSL_AD_UNRECOGNIZED_NAME:
    return {Cause::denied, "tls: the server does not know the name " +
                               (connection.name.empty() ? "(none was sent)" : "\"" + connection.name + "\"") + alert +
                               "; set serverName to one that it knows"};
  case SSL_AD_NO_APPLICATION_PROTOCOL:
    return protocol("no application protocol in common with " + peer + alert + "; compare alpn");
  default: return protocol(peer + " ended it" + alert);
  }
}

/// The first queued error of OpenSSL's TLS, or else the first of all; empties the queue.
unsigned long take_error() {
  unsigned long first = ERR_peek_error();
  for (unsigned long error = ERR_get_error(); error != 0; error = ERR_get_error()) {
    if (ERR_GET_LIB(error) != ERR_LIB_SSL) continue;
    first = error;
    break;
  }
  ERR_clear_error();
  return first;
}

}  // namespace

Error explain_failure(const SSL& ssl, const Connection& connection) {
  unsigned long error = take_error();
  if (connection.refusal) return *connection.refusal;
  int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) reason = 0;
  if (reason > kAlertReasons && reason <= kLastAlertReason)
    return explain_alert(ssl, connection, reason - kAlertReasons);
  std::string peer = connection.server ? "the client" : "the server";
  switch (reason) {
  case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    return {Cause::auth,
            "tls: the client shows no certificate, and this server wants one (caFile); give the client "
            "one (certFile, keyFile)"};
  case SSL_R_UNSUPPORTED_PROTOCOL:
  case SSL_R_WRONG_SSL_VERSION:
  case SSL_R_VERSION_TOO_LOW:
  case SSL_R_VERSION_TOO_HIGH:
  case SSL_R_NO_PROTOCOLS_AVAILABLE:
    return protocol("no TLS version in common with " + peer + "; compare minVersion and maxVersion");
  case SSL_R_NO_SHARED_CIPHER:
  case SSL_R_WRONG_CIPHER_RETURNED:
  case SSL_R_UNKNOWN_CIPHER_RETURNED:
    return protocol("no cipher suite in common with " + peer + "; compare cipherSuites, and the kind of the key");
  case SSL_R_NO_APPLICATION_PROTOCOL:
    return protocol("no application protocol in common with " + peer + "; compare alpn");
  default: break;
  }
  const char* text = ERR_reason_error_string(error);
  if (reason > kLastAlertReason)
    return {Cause::other, std::string("tls: OpenSSL failed here: ") + (text != nullptr ? text : "unknown error")};
  return protocol("broken by " + peer + " or on the way: " + (text != nullptr ? text : "unknown error"));
}

std::optional<Error> explain_bad_record(int number, bool server) {
  std::string broken = std::string("broken by ") + (server ? "the client" : "the server") + " or on the way: ";
  switch (number) {
  case EBADMSG: return protocol(broken + "a record that our keys do not open");
  case EINVAL: return protocol(broken + "a record of a wrong version");
  case EMSGSIZE: return protocol(broken + "a record that is too long");
  default: return std::nullopt;
  }
}

Error explain_plaintext(Bytes first, bool server) {
  static constexpr std::array<std::string_view, 11> kHttp{
      "HTTP/", "GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "TRACE ", "OPTIONS ", "CONNECT ", "PATCH ", "PRI "};
  std::string_view text = as_text(first);
  bool http = std::ranges::any_of(
      kHttp, [text](std::string_view begin) { return begin.starts_with(text) || text.starts_with(begin); });
  std::string what = "something else (it begins with 0x" + to_hex(first) + ")";
  if (http) what = "plain HTTP";
  if (std::string_view("SSH-").starts_with(text.substr(0, 4))) what = "SSH";
  if (!first.empty() && first[0] == 5) what = "plain SOCKS5";
  if (!first.empty() && first[0] == 4) what = "plain SOCKS4";
  std::string begin = "first record does not look like a TLS handshake: ";
  if (server)
    return protocol(begin + "the client speaks " + what + " on this TLS port; let it use TLS, or another port");
  return protocol(begin + "the server speaks " + what + "; is this its TLS port?");
}

Error explain_early_end(bool server) {
  return {Cause::eof, server
                          ? "tls: the client closed the connection during the handshake; perhaps it does not accept "
                            "our certificate"
                          : "tls: the server closed the connection during the handshake; does it speak TLS on this "
                            "port?"};
}

}  // namespace gost::tls
