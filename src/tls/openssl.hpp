// Owners of OpenSSL's objects. Only source files and the headers of this folder include it.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <type_traits>

namespace gost::tls {

template <auto Function>
struct Release {
  template <class T>
  void operator()(T* object) const {
    Function(object);
  }
};

using BioPtr = std::unique_ptr<BIO, Release<BIO_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Release<SSL_SESSION_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Release<SSL_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Release<X509_STORE_free>>;
using X509Ptr = std::unique_ptr<X509, Release<X509_free>>;

}  // namespace gost::tls
