#include "tls/stream.hpp"

#include "tls/failure.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace gost::tls {

namespace {

/// So much plaintext fits into a buffer with its records: four of them with at most 85 bytes around each (CBC), and
/// an alert or two.
constexpr std::size_t kMostPlaintext = BufferPool::kBufferSize - 1024;

Task<Result<std::unique_ptr<Stream>>> finish(std::unique_ptr<TlsStream> stream, Result<SslPtr> ssl) {
  if (!ssl) co_return fail(ssl.error());
  auto done = co_await stream->handshake(std::move(*ssl));
  if (!done) co_return fail(done.error());
  co_return std::move(stream);
}

}  // namespace

GOST_OWN_FRAME Task<Result<std::unique_ptr<Stream>>> tls_accept(IoContext& io, std::unique_ptr<Stream> below,
                                                                const ServerContext& context) {
  auto stream = std::make_unique<TlsStream>(io, std::move(below));
  auto ssl = context.start(io, stream->connection());
  co_return co_await finish(std::move(stream), std::move(ssl));
}

GOST_OWN_FRAME Task<Result<std::unique_ptr<Stream>>> tls_connect(IoContext& io, std::unique_ptr<Stream> below,
                                                                 const ClientContext& context,
                                                                 std::string_view node_host) {
  auto stream = std::make_unique<TlsStream>(io, std::move(below));
  auto ssl = context.start(io, stream->connection(), node_host);
  co_return co_await finish(std::move(stream), std::move(ssl));
}

std::optional<TlsInfo> tls_info(const Stream& stream) {
  const auto* tls = dynamic_cast<const TlsStream*>(&stream);
  return tls != nullptr ? std::optional(tls->info()) : std::nullopt;
}

std::string to_string(const TlsInfo& info) {
  std::string text = info.version + ", " + info.cipher;
  if (info.resumed) text += ", resumed";
  if (info.kernel_sends || info.kernel_receives) {
    text += ", kTLS ";
    text += !info.kernel_receives ? "sends" : !info.kernel_sends ? "receives" : "sends and receives";
  }
  if (!info.alpn.empty()) text += ", alpn " + info.alpn;
  if (!info.server_name.empty()) text += ", server name " + info.server_name;
  if (info.peer) text += ", peer " + info.peer->to_string();
  return text;
}

TlsStream::TlsStream(IoContext& io, std::unique_ptr<Stream> below) : records_(io, std::move(below)) {}

TlsStream::~TlsStream() {
  if (!established_ || aborted_ || failure_) return;
  ERR_clear_error();
  if (!shut_down_) SSL_shutdown(ssl_.get());
  records_.flush();
  // Otherwise OpenSSL takes a connection without the peer's goodbye for broken, and its session with it.
  SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  ERR_clear_error();
}

Task<Result<>> TlsStream::handshake(SslPtr ssl) {
  ssl_ = std::move(ssl);
  BioPtr bio = records_.make_bio();
  if (!bio) co_return fail(Cause::exhausted, "tls: out of memory");
  BIO* both = bio.release();
  SSL_set_bio(ssl_.get(), both, both);
  const bool kernel_wanted = (SSL_get_options(ssl_.get()) & SSL_OP_ENABLE_KTLS) != 0;
  for (;;) {
    // Of TLS 1.2 OpenSSL offers the kernel the keys for both directions.
    records_.read_exactly(kernel_wanted && SSL_version(ssl_.get()) == TLS1_2_VERSION);
    ERR_clear_error();
    int outcome = SSL_do_handshake(ssl_.get());
    int why = SSL_get_error(ssl_.get(), outcome);
    if (outcome != 1 && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
      Error error = handshake_failure();
      records_.flush();  // the alert
      co_return fail(std::move(error));
    }
    records_.give_back_empty();
    // Of a TLS 1.3 server only the ticket is left then; it can wait, and a client that does not read it yet must not
    // stop us from reading.
    bool whole = outcome != 1 || !connection_.server || SSL_version(ssl_.get()) != TLS1_3_VERSION;
    while (records_.flush().status == IoResult::Status::would_block && whole) {
      if (Outcome waited = co_await records_.below().until(Interest::write); waited != Outcome::ready)
        co_return fail(stop_error(waited).in("tls handshake"));
    }
    if (outcome == 1) break;
    if (why == SSL_ERROR_WANT_WRITE) continue;
    // With a sink that is gone, what came before may still tell why: an alert.
    if (records_.write_error() != 0 && !records_.below().ready(Interest::read)) break;
    if (Outcome waited = co_await records_.below().until(Interest::read); waited != Outcome::ready)
      co_return fail(stop_error(waited).in("tls handshake"));
  }
  if (records_.write_error() != 0) co_return fail(error(records_.write_error()).in("tls handshake"));
  records_.read_exactly(false);
  established_ = true;
  co_return Result<>();
}

Error TlsStream::handshake_failure() {
  if (!records_.is_tls()) return explain_plaintext(records_.first(), connection_.server);
  if (records_.read_error() != 0) return records_.below().error(records_.read_error()).in("tls handshake");
  if (records_.ended() && !connection_.refusal && ERR_peek_error() == 0) {
    ERR_clear_error();
    return explain_early_end(connection_.server);
  }
  return explain_failure(*ssl_, connection_);
}

IoResult TlsStream::try_read(MutableBytes into) {
  std::size_t moved = 0;
  while (moved < into.size() && !ended_ && !failure_) {
    std::size_t count = 0;
    ERR_clear_error();
    int outcome = SSL_read_ex(ssl_.get(), into.data() + moved, into.size() - moved, &count);
    if (outcome == 1) {
      moved += count;
    } else if (read_later(outcome)) {
      break;
    }
  }
  records_.give_back_empty();
  // What OpenSSL answered meanwhile must not wait for the next write, which may never come.
  if (records_.unsent() > 0 && unacknowledged_ == 0) records_.flush();
  if (moved > 0) return IoResult::moved(moved);
  if (failure_) return IoResult::failed(failure_number());
  return ended_ ? IoResult::eof() : IoResult::would_block();
}

bool TlsStream::read_later(int outcome) {
  int why = SSL_get_error(ssl_.get(), outcome);
  if (why == SSL_ERROR_WANT_READ) return true;
  if (records_.read_error() != 0) {
    fail_for_good(error(records_.read_error()));
  } else if (why == SSL_ERROR_ZERO_RETURN || (records_.ended() && ERR_peek_error() == 0)) {
    ended_ = true;
  } else if (why == SSL_ERROR_WANT_WRITE) {
    fail_for_good({Cause::protocol, "tls: the peer asks for new keys again and again, and takes no answer"});
  } else {
    fail_for_good(explain_failure(*ssl_, connection_));
  }
  return false;
}

int TlsStream::failure_number() const {
  return records_.read_error() != 0 ? records_.read_error() : EPROTO;
}

void TlsStream::fail_for_good(Error error) {
  failure_ = std::move(error);
  ERR_clear_error();
  if (records_.read_error() == 0) records_.flush();  // the alert
}

IoResult TlsStream::try_write(Bytes from) {
  if (failure_) return IoResult::failed(failure_number());
  if (shut_down_) return IoResult::failed(EPIPE);
  if (records_.in_kernel(Interest::write)) {
    if (IoResult rest = records_.flush(); rest.status != IoResult::Status::ok) return rest;
    return records_.below().try_write(from);
  }
  if (unacknowledged_ == 0) {
    if (IoResult rest = records_.flush(); rest.status != IoResult::Status::ok) return rest;
    unacknowledged_ = encrypt(from);
    if (failure_) return IoResult::failed(failure_number());
  }
  if (IoResult sent = records_.flush(); sent.status != IoResult::Status::ok) return sent;
  // A caller that comes back with less than before learns of the rest next time.
  std::size_t written = std::min(unacknowledged_, from.size());
  unacknowledged_ -= written;
  return IoResult::moved(written);
}

std::size_t TlsStream::encrypt(Bytes from) {
  from = from.first(std::min(from.size(), kMostPlaintext));
  std::size_t done = 0;
  while (done < from.size()) {
    std::size_t count = 0;
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), from.data() + done, from.size() - done, &count) != 1) {
      fail_for_good(explain_failure(*ssl_, connection_));
      return 0;
    }
    done += count;
  }
  return done;
}

IoResult TlsStream::try_shutdown() {
  if (failure_) return IoResult::failed(failure_number());
  if (!shut_down_) {
    // First what was written before: only then is it known that there is room for the alert.
    if (IoResult rest = records_.flush(); rest.status != IoResult::Status::ok) return rest;
    ERR_clear_error();
    if (SSL_shutdown(ssl_.get()) < 0) {
      fail_for_good(explain_failure(*ssl_, connection_));
      return IoResult::failed(EPROTO);
    }
    shut_down_ = true;
  }
  return records_.flush();
}

void TlsStream::abort() {
  aborted_ = true;
  records_.below().abort();
}

IoWatch* TlsStream::kernel(Interest direction) {
  if (!records_.in_kernel(direction) || failure_) return nullptr;
  const bool clear = direction == Interest::write ? !shut_down_ && records_.unsent() == 0
                                                  : !ended_ && SSL_has_pending(ssl_.get()) == 0;
  return clear ? records_.below().kernel(direction) : nullptr;
}

bool TlsStream::ready(Interest interest) const {
  if (interest == Interest::write)
    return failure_ || records_.write_error() != 0 || records_.below().ready(Interest::write);
  return ended_ || failure_ || records_.readable() || SSL_pending(ssl_.get()) > 0;
}

Error TlsStream::error(int number) const {
  if (failure_ && number == failure_number()) return *failure_;
  // Also where splice() was told.
  if (records_.in_kernel(Interest::read))
    if (auto bad = explain_bad_record(number, connection_.server)) return *bad;
  return records_.below().error(number);
}

TlsInfo TlsStream::info() const {
  TlsInfo info{.version = SSL_get_version(ssl_.get()),
               .cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl_.get()))};
  const unsigned char* alpn = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &alpn, &size);
  info.alpn = as_text({alpn, size});
  if (const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name)) info.server_name = name;
  if (const X509* peer = SSL_get0_peer_certificate(ssl_.get())) info.peer = fingerprint_of(*peer);
  info.resumed = SSL_session_reused(ssl_.get()) == 1;
  info.kernel_sends = records_.in_kernel(Interest::write);
  info.kernel_receives = records_.in_kernel(Interest::read);
  return info;
}

}  // namespace gost::tls
