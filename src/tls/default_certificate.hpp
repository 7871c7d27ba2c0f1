// The certificate of a server that was given none: the user's in the working directory, or one of our own that is
// made once and kept, so that its fingerprint stays the same.
#pragma once

#include "core/error.hpp"
#include "tls/certificate.hpp"

#include <memory>
#include <string>

namespace gost::tls {

struct DefaultCertificateOptions {
  std::string working_directory = ".";
  std::string state_directory;    ///< where ours is kept (default_state_directory()); empty: only in memory
  CertificateOptions generate{};  ///< what a new one looks like; an existing one is not changed by that
};

struct DefaultCertificate {
  std::shared_ptr<const Identity> identity;
  std::string file;        ///< the certificate's file; empty: it is only in memory
  std::string key_file;    ///< of the user's own pair, which the user may renew; empty: it is ours
  std::string note;        ///< a sentence for the log if something about it should be known; usually empty
  bool generated = false;  ///< just now
};

/// $XDG_STATE_HOME/gost, or $HOME/.local/state/gost; empty if neither variable is an absolute path.
std::string default_state_directory();

/// Takes `cert.pem` and `key.pem` of the working directory if both are there, else those of the state directory, else
/// makes them there (directory 0700, files 0600, under a lock, so that processes that start at once agree). One of
/// ours that has expired or is damaged is replaced. A directory that cannot be written only makes a note. Blocks on
/// files: to be called at start. Errors: the user's own pair does not load; a certificate cannot be made from the
/// options.
Result<DefaultCertificate> find_default_certificate(const DefaultCertificateOptions& options);

}  // namespace gost::tls
