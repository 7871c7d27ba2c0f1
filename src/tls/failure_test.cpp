#include "tls/failure.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <cerrno>

namespace gost::tls {
namespace {

Error explained(int reason) {
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  SslPtr ssl(SSL_new(context.get()));
  Connection connection;
  connection.server = true;
  ERR_clear_error();
  ERR_raise(ERR_LIB_SSL, reason);
  return explain_failure(*ssl, connection);
}

TEST(TlsFailure, AnInternalErrorIsNoAlertOfThePeer) {
  for (int reason : {ERR_R_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE}) {
    Error error = explained(reason);
    EXPECT_EQ(error.cause, Cause::other);
    EXPECT_TRUE(error.text.starts_with("tls: OpenSSL failed here: ")) << error.text;
    EXPECT_FALSE(error.text.contains("alert")) << error.text;
  }
}

TEST(TlsFailure, AlertsAreToldByNameOrNumber) {
  EXPECT_EQ(explained(SSL_AD_REASON_OFFSET + SSL_AD_INTERNAL_ERROR).text,
            "tls: the client ended it (alert internal_error)");
  EXPECT_EQ(explained(SSL_AD_REASON_OFFSET + 255).text, "tls: the client ended it (alert 255)");
  EXPECT_EQ(explained(SSL_AD_REASON_OFFSET + SSL_AD_UNKNOWN_CA).cause, Cause::auth);
}

TEST(TlsFailure, WhatTheKernelSaysOfRecordsIsUnderstood) {
  for (int number : {EBADMSG, EINVAL, EMSGSIZE}) {
    auto error = explain_bad_record(number, true);
    ASSERT_TRUE(error) << number;
    EXPECT_EQ(error->cause, Cause::protocol);
    EXPECT_TRUE(error->text.starts_with("tls: broken by the client or on the way: a record ")) << error->text;
  }
  EXPECT_FALSE(explain_bad_record(ECONNRESET, true));
}

}  // namespace
}  // namespace gost::tls
