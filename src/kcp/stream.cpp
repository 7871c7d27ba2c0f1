#include "kcp/stream.hpp"

#include "kcp/carrier.hpp"

#include <cerrno>

namespace gost::kcp {

KcpStream::KcpStream(Session& session)
    : session_(&session),
      local_(session.carrier().local(session.target().local)),
      remote_(session.target().peer),
      layers_(session.carrier().below().layers() + ",kcp") {
  session.attach(*this);
}

KcpStream::~KcpStream() {
  if (session_ != nullptr) session_->close(aborted_);
}

IoResult KcpStream::try_read(MutableBytes into) {
  if (session_ == nullptr) return failure();
  Connection& connection = session_->connection();
  if (connection.readable() == 0) return IoResult::would_block();
  const std::size_t taken = connection.read(into, session_->carrier().now());
  session_->settle();
  return IoResult::moved(taken);
}

IoResult KcpStream::try_write(Bytes from) {
  if (session_ == nullptr) return failure();
  const std::size_t taken = session_->connection().write(from, session_->carrier().now());
  if (taken == 0) return IoResult::would_block();
  session_->settle();
  return IoResult::moved(taken);
}

IoResult KcpStream::try_shutdown() {
  return IoResult::failed(ENOTSUP);
}

std::size_t KcpStream::undelivered() const {
  return session_ == nullptr ? 0 : session_->connection().unacknowledged();
}

bool KcpStream::ready(Interest interest) const {
  if (session_ == nullptr) return true;
  return interest == Interest::read ? session_->connection().readable() > 0 : session_->connection().writable();
}

Error KcpStream::error(int number) const {
  return error_ && number == failure().error ? *error_ : Error::system(number);
}

void KcpStream::ended(const Error& error) {
  error_ = error;
  session_ = nullptr;
  wake(reader_);
  wake(writer_);
}

IoResult KcpStream::failure() const {
  switch (error_ ? error_->cause : Cause::reset) {
  case Cause::timeout: return IoResult::failed(ETIMEDOUT);
  case Cause::refused: return IoResult::failed(ECONNREFUSED);
  case Cause::canceled: return IoResult::failed(ECANCELED);
  default: return IoResult::failed(ECONNRESET);
  }
}

}  // namespace gost::kcp
