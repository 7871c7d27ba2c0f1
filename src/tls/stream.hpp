// TLS over any stream, at both ends.
#pragma once

#include "net/io_context.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"
#include "tls/client_context.hpp"
#include "tls/connection.hpp"
#include "tls/record_io.hpp"
#include "tls/server_context.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gost::tls {

/// Does the server's side of the handshake over `below` and returns the encrypted stream. The caller sets the
/// deadline (with_deadline); `context` must live until this returns. After an error `below` is closed. Errors, each
/// with a sentence that says what to do: the peer does not speak TLS, nothing in common, unknown server name
/// (Cause::protocol, denied), a certificate is missing, refused or not trusted (auth), the end of the stream (eof,
/// reset), the caller's stop. wire.md §3.
Task<Result<std::unique_ptr<Stream>>> tls_accept(IoContext& io, std::unique_ptr<Stream> below,
                                                 const ServerContext& context);

/// The same for the client's side. `node_host` is the server's name or IP address, for SNI and verification where the
/// context has no server name; it may be empty. What is verified: TlsClientOptions.
Task<Result<std::unique_ptr<Stream>>> tls_connect(IoContext& io, std::unique_ptr<Stream> below,
                                                  const ClientContext& context, std::string_view node_host);

/// What was negotiated, for logs.
struct TlsInfo {
  std::string version;              ///< "TLSv1.3"
  std::string cipher;               ///< "TLS_AES_128_GCM_SHA256"
  std::string alpn;                 ///< empty: none
  std::string server_name;          ///< the SNI; empty: none
  std::optional<Fingerprint> peer;  ///< of the peer's certificate, if it showed one
  bool resumed = false;             ///< with an earlier session
  bool kernel_sends = false;        ///< the kernel makes the records (kTLS)
  bool kernel_receives = false;     ///< the kernel opens them
};

/// Of a stream that tls_accept or tls_connect made; nothing for any other (also one with a layer above).
std::optional<TlsInfo> tls_info(const Stream& stream);
/// "TLSv1.3, TLS_AES_128_GCM_SHA256, resumed", with what else there is.
std::string to_string(const TlsInfo& info);

/// Where the lower stream is a socket and the kernel takes the keys (kTLS), plain bytes pass through it; what is not
/// data (alerts, tickets) still goes through OpenSSL. Idle it holds no buffer, and OpenSSL gives back its own. A
/// write is encrypted once: if the lower stream takes only part of it, would_block is returned, and the next
/// try_write (which must begin with the same bytes) sends the rest and tells how many bytes that was. The end of the
/// lower stream is the end, with or without close_notify (GOST sends none in places). After a failure of TLS itself:
/// EPROTO, or what the lower stream reports; error() has the sentence.
class TlsStream final : public Stream {
 public:
  TlsStream(IoContext& io, std::unique_ptr<Stream> below);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  /// Says goodbye (close_notify) if that can be done without waiting.
  ~TlsStream() override;

  /// Runs the handshake of `ssl`, which a context has started for connection(). Once, before anything else.
  Task<Result<>> handshake(SslPtr ssl);
  Connection& connection() { return connection_; }

  IoResult try_read(MutableBytes into) override;
  IoResult try_write(Bytes from) override;
  /// Sends close_notify; the lower stream stays open in both directions.
  IoResult try_shutdown() override;
  void abort() override;
  /// Where the kernel does TLS itself, the lower stream's.
  IoWatch* kernel(Interest direction) override;
  std::size_t undelivered() const override { return records_.below().undelivered() + records_.unsent(); }
  bool closed() const override { return records_.below().closed(); }
  bool ready(Interest interest) const override;
  Wait*& waiting(Interest interest) override { return records_.below().waiting(interest); }
  SocketAddress local() const override { return records_.below().local(); }
  SocketAddress remote() const override { return records_.below().remote(); }
  std::string layers() const override { return records_.below().layers() + ",tls"; }
  Error error(int number) const override;

  TlsInfo info() const;

 private:
  /// After a read that OpenSSL did not do: true if it has to be tried again later, else ended_ or failure_ is set.
  bool read_later(int outcome);
  void fail_for_good(Error error);
  /// The errno that stands for failure_.
  int failure_number() const;
  /// Encrypts the front of `from` as far as it fits into one buffer, and returns how much that is.
  std::size_t encrypt(Bytes from);
  Error handshake_failure();

  RecordIo records_;
  Connection connection_;
  SslPtr ssl_;
  std::optional<Error> failure_;    ///< of TLS itself: nothing can be read or written any more
  std::size_t unacknowledged_ = 0;  ///< plaintext that is encrypted, but not yet reported as written
  bool established_ = false;
  bool ended_ = false;      ///< nothing more to read
  bool shut_down_ = false;  ///< close_notify is sent or on its way
  bool aborted_ = false;
};

}  // namespace gost::tls
