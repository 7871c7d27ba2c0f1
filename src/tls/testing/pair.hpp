// For tests of TLS: certificates in a directory of their own, and two ends over a memory pipe.
#pragma once

#include "net/testing/stream_pair.hpp"
#include "tls/certificate.hpp"
#include "tls/stream.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace gost::tls::testing {

using gost::testing::noise;
using gost::testing::read_to_end;

/// A directory that vanishes with its files.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gost-tls-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string path(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::string path_;
};

/// A certificate authority and what it signs, written to files NAME.pem and NAME.key.
class Authority {
 public:
  explicit Authority(const TemporaryDirectory& directory, const std::string& name = "test CA")
      : directory_(directory), identity_(generate_certificate({.common_name = name}).value()) {
    file_ = directory.write(name + ".pem", certificate_pem(identity_));
  }

  const std::string& file() const { return file_; }
  const Identity& identity() const { return identity_; }

  struct Files {
    std::string cert;
    std::string key;
    Fingerprint fingerprint;
  };
  Files sign(const std::string& name, CertificateOptions options = {}) const {
    options.common_name = name;
    options.authority = false;
    options.issuer = &identity_;
    return files(name, generate_certificate(options).value());
  }
  Files self_signed(const std::string& name, CertificateOptions options = {}) const {
    options.common_name = name;
    return files(name, generate_certificate(options).value());
  }

 private:
  Files files(const std::string& name, const Identity& identity) const {
    return {directory_.write(name + ".pem", certificate_pem(identity)),
            directory_.write(name + ".key", key_pem(identity)), fingerprint_of(*identity.certificate)};
  }

  const TemporaryDirectory& directory_;
  Identity identity_;
  std::string file_;
};

/// Two ends of TLS on one loop with simulated time.
class Pair : public gost::testing::StreamPair {
 public:
  std::string node_host = "proxy.example";

  /// Both handshakes at once; what became of them stands in the members.
  void connect(const ServerContext& server_context, const ClientContext& client_context) {
    io.loop.run(shake([&](std::unique_ptr<Stream> below) { return dial(client_context, std::move(below)); },
                      [&](std::unique_ptr<Stream> below) { return accept(server_context, std::move(below)); }));
  }

  /// Lets everybody run until there is nothing to do at this moment.
  static Task<> settle(int turns = 50) {
    for (int turn = 0; turn < turns; ++turn) co_await yield();
  }

  Task<> accept(const ServerContext& context, std::unique_ptr<Stream> below) {
    keep_server(co_await with_deadline(std::chrono::seconds(15), tls_accept(io, std::move(below), context)));
  }
  Task<> dial(const ClientContext& context, std::unique_ptr<Stream> below) {
    keep_client(
        co_await with_deadline(std::chrono::seconds(15), tls_connect(io, std::move(below), context, node_host)));
  }
};

/// A server with a certificate for proxy.example and a client that trusts it.
class TrustedEnds {
 public:
  TemporaryDirectory directory;
  Authority authority{directory};
  Authority::Files files = authority.sign("proxy.example");

  std::unique_ptr<ServerContext> server(TlsServerOptions options = {}) const {
    if (options.cert_file.empty()) {
      options.cert_file = files.cert;
      options.key_file = files.key;
    }
    return ServerContext::make(std::move(options)).value();
  }
  std::unique_ptr<ClientContext> client(TlsClientOptions options = {}) const {
    if (options.ca_file.empty()) options.ca_file = authority.file();
    options.secure = true;
    return ClientContext::make(std::move(options)).value();
  }
};

}  // namespace gost::tls::testing
