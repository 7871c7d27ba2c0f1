#include "tls/server_context.hpp"

#include "core/text.hpp"

#include <openssl/err.h>
#include <openssl/rand.h>

#include <algorithm>
#include <utility>

namespace gost::tls {

namespace {

constexpr std::string_view kSessionContext = "gost";

}  // namespace

Result<std::unique_ptr<ServerContext>> ServerContext::make(TlsServerOptions options) {
  auto protocol = Protocol::make(options);
  if (!protocol) return fail(protocol.error());
  std::unique_ptr<ServerContext> context(new ServerContext(std::move(options), std::move(*protocol)));
  if (auto loaded = context->renew(); !loaded) return fail(loaded.error());
  return context;
}

Result<std::shared_ptr<const ServerMaterial>> ServerContext::load() const {
  auto material = std::make_shared<ServerMaterial>();
  if (options_.cert_file.empty() && options_.key_file.empty()) {
    if (!options_.default_certificate)
      return fail(Cause::invalid, "tls: this server has no certificate; name one (certFile, keyFile)");
    material->identity = options_.default_certificate;
  } else {
    auto identity = load_identity(options_.cert_file, options_.key_file);
    if (!identity) return fail(identity.error());
    material->identity = std::make_shared<const Identity>(std::move(*identity));
  }
  if (!options_.ca_file.empty()) {
    auto authorities = load_authorities(options_.ca_file);
    if (!authorities) return fail(authorities.error());
    material->authorities = std::move(*authorities);
    material->store = store_of(material->authorities);
  }
  // New ones with every reload: whoever was let in by an old CA shows its certificate again.
  if (RAND_bytes(material->ticket_keys.data(), static_cast<int>(material->ticket_keys.size())) != 1)
    return fail(Cause::exhausted, "tls: no random numbers: " + take_openssl_error());
  return material;
}

Result<SslContextPtr> ServerContext::build(const ServerMaterial& material) const {
  auto made = new_context(TLS_server_method(), protocol_);
  if (!made) return made;
  SSL_CTX* context = made->get();
  if (auto used = use_identity(*context, *material.identity); !used) return fail(used.error());
  // Sessions live in tickets alone, under keys that all loops share.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_id_context(context, as_bytes(kSessionContext).data(), kSessionContext.size());
  auto keys = material.ticket_keys;
  SSL_CTX_set_tlsext_ticket_keys(context, keys.data(), keys.size());
  void* self =
      const_cast<ServerContext*>(this);  // NOLINT(cppcoreguidelines-pro-type-const-cast): OpenSSL's signature
  if (material.store) {
    trust(*context, *material.store);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(context, on_verify, self);
    for (const X509Ptr& authority : material.authorities) SSL_CTX_add_client_CA(context, authority.get());
  }
  if (options_.reject_unknown_sni) {
    SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
    SSL_CTX_set_tlsext_servername_arg(context, self);
  }
  if (!protocol_.alpn.empty()) SSL_CTX_set_alpn_select_cb(context, on_alpn, self);
  ERR_clear_error();
  return made;
}

Result<SslPtr> ServerContext::start(const IoContext& io, Connection& connection) const {
  SSL_CTX* context = context_for(io);
  SslPtr ssl(context != nullptr ? SSL_new(context) : nullptr);
  if (!ssl) return fail(Cause::exhausted, "tls: no connection: " + take_openssl_error());
  connection.server = true;
  connection.attach(*ssl);
  SSL_set_accept_state(ssl.get());
  return ssl;
}

std::string ServerContext::expires() const {
  return time_text(X509_get0_notAfter(material()->identity->certificate.get()));
}

bool ServerContext::has_expired() const {
  return expired(*material()->identity->certificate, wall_now());
}

bool ServerContext::is_ours(std::string_view name, const X509& certificate) const {
  if (options_.server_names.empty())
    return X509_check_host(const_cast<X509*>(&certificate), name.data(), name.size(), 0, nullptr) == 1;
  return std::ranges::any_of(options_.server_names, [name](std::string_view ours) {
    if (!ours.starts_with("*.")) return iequals(ours, name);
    auto suffix = ours.substr(1);
    return name.size() > suffix.size() && iequals(name.substr(name.size() - suffix.size()), suffix);
  });
}

int ServerContext::on_server_name(SSL* ssl, int* alert, void* self) {
  const auto& context = *static_cast<const ServerContext*>(self);
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name != nullptr && context.is_ours(name, *SSL_get_certificate(ssl))) return SSL_TLSEXT_ERR_OK;
  std::string text = "tls: the client did not say which server it wants (SNI), and rejectUnknownSNI is set";
  if (name != nullptr) {
    text = "tls: the client wants server \"";
    for (const char* c = name; *c != '\0'; ++c) text += *c > ' ' && *c < 0x7f && *c != '"' ? *c : '?';
    text += "\", which is not one of ours; add it to serverNames if it is";
  }
  Connection::of(*ssl).refusal = Error{Cause::denied, std::move(text)};
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int ServerContext::on_alpn(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                           const unsigned char* offered, unsigned int offered_size, void* self) {
  Bytes ours = as_bytes(static_cast<const ServerContext*>(self)->protocol_.alpn);
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_size, ours.data(), static_cast<unsigned int>(ours.size()), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

int ServerContext::on_verify(X509_STORE_CTX* verification, void*) {
  if (X509_verify_cert(verification) == 1) return 1;
  const auto* ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Connection::of(*ssl).refusal =
      explain_verification(*verification, *X509_STORE_CTX_get0_cert(verification), false, {});
  return 0;
}

}  // namespace gost::tls
