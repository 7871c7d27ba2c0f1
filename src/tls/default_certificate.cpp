#include "tls/default_certificate.hpp"

#include "net/fd.hpp"
#include "tls/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

namespace gost::tls {

namespace {

std::string absolute_variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): at start
  return value != nullptr && value[0] == '/' ? value : "";
}

/// `directory` and whatever is missing above it, for the user alone.
Result<> make_directories(const std::string& directory) {
  for (std::size_t end = 1; end != std::string::npos;) {
    end = directory.find('/', end + 1);
    std::string part = directory.substr(0, end);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST && ::access(part.c_str(), F_OK) != 0)
      return fail(Error::system(errno, part));
  }
  return {};
}

/// What is kept in `cert_file` and `key_file`, if it can be used.
struct Kept {
  std::optional<Identity> identity;
  std::string why_not;  ///< a sentence's end; empty if there simply is none
};

Kept look(const std::string& cert_file, const std::string& key_file) {
  if (!is_there(cert_file) && !is_there(key_file)) return {};
  auto loaded = load_identity(cert_file, key_file);
  if (!loaded) return {std::nullopt, loaded.error().text};
  if (expired(*loaded->certificate, wall_now()))
    return {std::nullopt, "it expired on " + time_text(X509_get0_notAfter(loaded->certificate.get()))};
  return {std::move(*loaded), {}};
}

Result<DefaultCertificate> in_memory(const CertificateOptions& options, const std::string& why) {
  auto identity = generate_certificate(options);
  if (!identity) return fail(identity.error());
  DefaultCertificate made;
  made.identity = std::make_shared<const Identity>(std::move(*identity));
  made.generated = true;
  made.note = "the default TLS certificate is only in memory, its fingerprint changes with every start: " + why;
  return made;
}

Result<DefaultCertificate> in_directory(const std::string& directory, const CertificateOptions& options) {
  std::string cert_file = directory + "/cert.pem";
  std::string key_file = directory + "/key.pem";
  if (auto made = make_directories(directory); !made) return in_memory(options, made.error().text);
  // Another process may be writing one file while we read the other. Closing the directory ends the lock.
  Fd lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return in_memory(options, Error::system(errno, directory).text);
  while (::flock(lock.get(), LOCK_EX) != 0 && errno == EINTR) {
  }

  DefaultCertificate result;
  result.file = cert_file;
  Kept kept = look(cert_file, key_file);
  if (kept.identity) {
    result.identity = std::make_shared<const Identity>(std::move(*kept.identity));
    return result;
  }
  auto identity = generate_certificate(options);
  if (!identity) return fail(identity.error());
  auto written = replace_file(key_file, key_pem(*identity));
  if (written) written = replace_file(cert_file, certificate_pem(*identity));
  if (!written) return in_memory(options, written.error().text);
  if (!kept.why_not.empty())
    result.note = "the default TLS certificate " + cert_file + " was replaced, its fingerprint is now " +
                  fingerprint_of(*identity->certificate).to_string() + ": " + kept.why_not;
  result.identity = std::make_shared<const Identity>(std::move(*identity));
  result.generated = true;
  return result;
}

}  // namespace

std::string default_state_directory() {
  if (std::string state = absolute_variable("XDG_STATE_HOME"); !state.empty()) return state + "/gost";
  if (std::string home = absolute_variable("HOME"); !home.empty()) return home + "/.local/state/gost";
  return {};
}

Result<DefaultCertificate> find_default_certificate(const DefaultCertificateOptions& options) {
  std::string cert_file = options.working_directory + "/cert.pem";
  std::string key_file = options.working_directory + "/key.pem";
  if (is_there(cert_file) && is_there(key_file)) {
    auto identity = load_identity(cert_file, key_file);
    if (!identity)
      return fail(
          identity.error().in("cert.pem and key.pem in the working directory are the default TLS certificate"));
    DefaultCertificate result;
    result.file = cert_file;
    result.key_file = key_file;
    if (expired(*identity->certificate, wall_now()))
      result.note = "certificate file " + cert_file + " expired on " +
                    time_text(X509_get0_notAfter(identity->certificate.get())) + "; renew it";
    result.identity = std::make_shared<const Identity>(std::move(*identity));
    return result;
  }
  if (options.state_directory.empty())
    return in_memory(options.generate, "there is no directory for it (neither XDG_STATE_HOME nor HOME is set)");
  return in_directory(options.state_directory, options.generate);
}

}  // namespace gost::tls
