#include "service/build_tls.hpp"

#include "tls/fingerprint.hpp"

#include <utility>

namespace gost {

namespace {

constexpr Duration kCertificatePeriod = std::chrono::seconds(10);

/// The files of one context, a server's or a client's, as something that is read again.
template <class Context>
class CertificateFiles final : public Reloadable {
 public:
  CertificateFiles(std::shared_ptr<Context> context, std::string path)
      : context_(std::move(context)), path_(std::move(path)) {}
  Result<bool> reload() override { return context_->reload_if_changed(); }
  const std::string& path() const override { return path_; }

 private:
  std::shared_ptr<Context> context_;
  std::string path_;
};

/// Has the files of `context` watched, `path` being the first of them; empty: there are none.
template <class Context>
void watch(Built& built, const std::shared_ptr<Context>& context, const std::string& path) {
  if (path.empty()) return;
  built.files.push_back(
      {"tls", path, std::make_shared<CertificateFiles<Context>>(context, path), kCertificatePeriod});
}

template <class Typed>
std::string first_file(const Typed& options) {
  return options.cert_file.empty() ? options.ca_file : options.cert_file;
}

/// Versions, cipher suites, ALPN and the kernel's part, which both ends have.
template <class Typed>
Result<> read_options(const std::optional<config::TlsOptions>& options, Typed& typed) {
  if (!options) return {};
  for (auto [name, version] :
       {std::pair{&options->min_version, &typed.min_version}, std::pair{&options->max_version, &typed.max_version}}) {
    if (name->empty()) continue;
    auto parsed = tls::parse_version(*name);
    if (!parsed) return fail(parsed.error());
    *version = *parsed;
  }
  typed.cipher_suites.assign(options->cipher_suites.begin(), options->cipher_suites.end());
  typed.alpn.assign(options->alpn.begin(), options->alpn.end());
  typed.kernel = !options->noktls;
  return {};
}

template <class Typed>
void read_files(const config::Tls& settings, Typed& typed) {
  typed.cert_file = settings.cert_file;
  typed.key_file = settings.key_file;
  typed.ca_file = settings.ca_file;
}

Result<tls::TlsClientOptions> client_options(const config::Tls& settings) {
  tls::TlsClientOptions typed;
  read_files(settings, typed);
  typed.server_name = settings.server_name;
  typed.secure = settings.secure;
  if (!settings.fingerprint.empty()) {
    auto fingerprint = tls::parse_fingerprint(settings.fingerprint);
    if (!fingerprint) return fail(fingerprint.error().in("tls.fingerprint"));
    typed.fingerprint = *fingerprint;
  }
  if (auto read = read_options(settings.options, typed); !read) return fail(read.error());
  return typed;
}

}  // namespace

std::shared_ptr<const tls::ServerContext> TlsBuilder::server(const config::Origin& at, const config::Tls* settings) {
  if (settings != nullptr) return make_server(at, *settings, true);
  if (default_server_) return default_server_;
  const config::Tls none;
  return default_server_ = make_server(at, context_.config.tls ? *context_.config.tls : none, false);
}

std::shared_ptr<const tls::ServerContext> TlsBuilder::make_server(const config::Origin& at,
                                                                  const config::Tls& settings, bool own) {
  tls::TlsServerOptions typed;
  read_files(settings, typed);
  if (typed.cert_file.empty() && context_.config.tls) {
    typed.cert_file = context_.config.tls->cert_file;
    typed.key_file = context_.config.tls->key_file;
  }
  // The top-level section says how to do TLS, and not that it has to be done.
  typed.compulsory = own && !settings.ca_file.empty();
  typed.reject_unknown_sni = settings.reject_unknown_sni;
  typed.server_names.assign(settings.server_names.begin(), settings.server_names.end());
  if (auto read = read_options(settings.options, typed); !read) {
    context_.error(at, read.error());
    return nullptr;
  }
  if (typed.cert_file.empty() && typed.key_file.empty()) {
    const tls::DefaultCertificate* certificate = default_certificate();
    if (certificate == nullptr) return nullptr;
    if (certificate->key_file.empty()) {
      typed.default_certificate = certificate->identity;
    } else {
      typed.cert_file = certificate->file;
      typed.key_file = certificate->key_file;
    }
  }
  const std::string path = first_file(typed);
  auto made = tls::ServerContext::make(std::move(typed));
  if (!made) {
    context_.error(at, made.error());
    return nullptr;
  }
  std::shared_ptr<tls::ServerContext> context = std::move(*made);
  watch(context_.built, context, path);
  return context;
}

const tls::DefaultCertificate* TlsBuilder::default_certificate() {
  if (default_certificate_) return &*default_certificate_;
  tls::DefaultCertificateOptions options;
  options.state_directory = tls::default_state_directory();
  if (const auto& global = context_.config.tls) {
    if (global->validity > Duration::zero()) options.generate.validity = global->validity;
    if (!global->common_name.empty()) options.generate.common_name = global->common_name;
    if (!global->organization.empty()) options.generate.organization = global->organization;
  }
  auto found = tls::find_default_certificate(options);
  if (!found) {
    context_.error(context_.config.tls ? context_.config.tls->origin : config::Origin(), found.error());
    return nullptr;
  }
  default_certificate_ = std::move(*found);
  const std::string where = default_certificate_->file.empty() ? "in memory" : default_certificate_->file;
  context_.log.debug("TLS certificate " +
                         tls::fingerprint_of(*default_certificate_->identity->certificate).to_string() + " (" +
                         where + (default_certificate_->generated ? ", new)" : ")"),
                     {{"kind", "tls"}});
  if (!default_certificate_->note.empty()) context_.log.warn(default_certificate_->note, {{"kind", "tls"}});
  return &*default_certificate_;
}

std::shared_ptr<const tls::ClientContext> TlsBuilder::client(const config::Origin& at, const config::Tls* settings) {
  const config::Tls none;
  auto options = client_options(settings != nullptr ? *settings : none);
  if (!options) {
    context_.error(at, options.error());
    return nullptr;
  }
  const std::string path = first_file(*options);
  auto made = tls::ClientContext::make(std::move(*options));
  if (!made) {
    context_.error(at, made.error());
    return nullptr;
  }
  std::shared_ptr<tls::ClientContext> context = std::move(*made);
  watch(context_.built, context, path);
  return context;
}

}  // namespace gost
