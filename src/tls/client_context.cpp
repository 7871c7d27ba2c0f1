#include "tls/client_context.hpp"

#include "core/address.hpp"

#include <openssl/err.h>

#include <utility>

namespace gost::tls {

Result<std::unique_ptr<ClientContext>> ClientContext::make(TlsClientOptions options) {
  auto protocol = Protocol::make(options);
  if (!protocol) return fail(protocol.error());
  std::unique_ptr<ClientContext> context(new ClientContext(std::move(options), std::move(*protocol)));
  if (auto loaded = context->renew(); !loaded) return fail(loaded.error());
  return context;
}

Result<std::shared_ptr<const ClientMaterial>> ClientContext::load() const {
  auto material = std::make_shared<ClientMaterial>();
  if (!options_.cert_file.empty() || !options_.key_file.empty()) {
    auto identity = load_identity(options_.cert_file, options_.key_file);
    if (!identity) return fail(identity.error());
    material->identity = std::move(*identity);
  }
  if (!options_.ca_file.empty()) {
    auto authorities = load_authorities(options_.ca_file);
    if (!authorities) return fail(authorities.error());
    material->store = store_of(*authorities);
  } else if (verifies_chain()) {
    auto store = system_store();
    if (!store) return fail(store.error());
    material->store = std::move(*store);
  }
  return material;
}

Result<SslContextPtr> ClientContext::build(const ClientMaterial& material) const {
  auto made = new_context(TLS_client_method(), protocol_);
  if (!made) return made;
  SSL_CTX* context = made->get();
  if (material.identity) {
    if (auto used = use_identity(*context, *material.identity); !used) return fail(used.error());
  }
  if (material.store) trust(*context, *material.store);
  if (verifies_server()) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context, on_verify, const_cast<ClientContext*>(this));
  }
  Bytes alpn = as_bytes(protocol_.alpn);
  if (!alpn.empty()) SSL_CTX_set_alpn_protos(context, alpn.data(), static_cast<unsigned int>(alpn.size()));
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_session);
  ERR_clear_error();
  return made;
}

Result<SslPtr> ClientContext::start(const IoContext& io, Connection& connection, std::string_view node_host) const {
  LoopState& state = state_for(io);
  ERR_clear_error();
  SslPtr ssl(state.context ? SSL_new(state.context.get()) : nullptr);
  if (!ssl) return fail(Cause::exhausted, "tls: no connection: " + take_openssl_error());
  connection.name = options_.server_name.empty() ? std::string(node_host) : options_.server_name;
  connection.sessions = state.own.cache;
  connection.attach(*ssl);
  const std::string& name = connection.name;
  auto ip = IpAddress::parse(name);
  if (!name.empty() && !ip && SSL_set_tlsext_host_name(ssl.get(), name.c_str()) != 1)
    return fail(Cause::invalid, "tls: \"" + name + "\" is no server name; set serverName");
  if (verifies_name()) {
    if (name.empty())
      return fail(Cause::invalid, "tls: secure is set, but there is no name to verify; set serverName");
    X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl.get());
    // As Go: what stands only in the subject's common name is no name.
    X509_VERIFY_PARAM_set_hostflags(parameters,
                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (ip) {
      X509_VERIFY_PARAM_set1_ip(parameters, ip->bytes().data(), ip->bytes().size());
    } else {
      X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size());
    }
  }
  if (SessionPtr session = state.own.cache->take(name)) SSL_set_session(ssl.get(), session.get());
  SSL_set_connect_state(ssl.get());
  return ssl;
}

std::string_view ClientContext::caution() const {
  if (verifies_server()) return {};
  return "the TLS certificate of the proxy is not verified, so anybody on the way can pretend to be it; "
         "secure=true or tls.fingerprint=sha256:... changes that";
}

std::string_view ClientContext::verifies() const {
  if (options_.fingerprint) return "the fingerprint";
  if (verifies_name()) return "the chain and the name";
  return verifies_chain() ? "the chain" : "nothing";
}

int ClientContext::on_verify(X509_STORE_CTX* verification, void* self) {
  const TlsClientOptions& options = static_cast<const ClientContext*>(self)->options_;
  const X509& leaf = *X509_STORE_CTX_get0_cert(verification);
  const auto* ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Connection& connection = Connection::of(*ssl);
  if (!options.fingerprint) {
    if (X509_verify_cert(verification) == 1) return 1;
    connection.refusal = explain_verification(*verification, leaf, true, connection.name);
    return 0;
  }
  Fingerprint shown = fingerprint_of(leaf);
  if (shown == *options.fingerprint) {
    X509_STORE_CTX_set_error(verification, X509_V_OK);
    return 1;
  }
  connection.refusal = Error{Cause::auth, "tls: the server's certificate has the fingerprint " + shown.to_string() +
                                              ", expected is " + options.fingerprint->to_string() +
                                              "; if the server has a new certificate, change the fingerprint here"};
  X509_STORE_CTX_set_error(verification, X509_V_ERR_CERT_REJECTED);
  return 0;
}

int ClientContext::on_session(SSL* ssl, SSL_SESSION* session) {
  Connection& connection = Connection::of(*ssl);
  connection.sessions->put(connection.name, SessionPtr(session));
  return 1;
}

}  // namespace gost::tls
