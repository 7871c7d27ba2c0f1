#include "mux/stream.hpp"

#include "mux/session.hpp"

#include <cerrno>
#include <utility>

namespace gost {

MuxStream::MuxStream(MuxSession& session, std::unique_ptr<MuxMachineStream> state,
                     std::shared_ptr<const MuxPath> path)
    : session_(&session), state_(std::move(state)), path_(std::move(path)) {
  state_->observe(this);
}

IoResult MuxStream::try_read(MutableBytes into) {
  if (session_ == nullptr) return state_->read(into, TimePoint());
  IoResult got = state_->read(into, session_->loop().now());
  if (got.status == IoResult::Status::ok) session_->machine_changed();
  return got;
}

IoResult MuxStream::try_write(Bytes from) {
  if (session_ == nullptr) return IoResult::failed(EPIPE);
  return session_->write(*this, from);
}

IoResult MuxStream::try_shutdown() {
  IoResult result = state_->shutdown();
  if (session_ != nullptr) session_->machine_changed();
  return result;
}

std::size_t MuxStream::undelivered() const {
  return session_ == nullptr ? 0 : session_->undelivered(*this);
}

bool MuxStream::ready(Interest interest) const {
  if (interest == Interest::read) return state_->readable();
  if (session_ == nullptr || state_->send_error() != 0) return true;
  return state_->sendable() > 0 && session_->may_write(*this);
}

Wait*& MuxStream::waiting(Interest interest) {
  if (interest == Interest::read) return reader_;
  // Without a window there is nothing to queue for yet: the update does that.
  if (session_ != nullptr && state_->sendable() > 0) session_->wait_to_write(*this);
  return writer_;
}

Error MuxStream::error(int number) const {
  if (number == ECONNRESET && path_->broken) return {Cause::reset, path_->broken->text};
  return state_->error(number);
}

void MuxStream::writable() {
  if (writer_ == nullptr) return;
  if (ready(Interest::write)) {
    wake(writer_);
  } else {
    session_->wait_to_write(*this);
  }
}

void MuxStream::ended() {
  session_->forget(*this);
  session_ = nullptr;
  wake(reader_);
  wake(writer_);
}

void MuxStream::leave(bool broken) {
  broken ? state_->abort() : state_->close();
  if (session_ == nullptr) return;
  session_->forget(*this);
  session_->machine_changed();
  session_ = nullptr;
  wake(reader_);
  wake(writer_);
}

}  // namespace gost
