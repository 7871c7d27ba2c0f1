#include "udp/session.hpp"

#include "udp/demux.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace gost {

UdpSession::UdpSession(UdpDemux& demux, Source source, std::shared_ptr<SessionLimits> limits)
    : Timer([](Timer& timer) { static_cast<UdpSession&>(timer).on_timer(); }),
      demux_(&demux),
      loop_(demux.loop()),
      limits_(std::move(limits)),
      source_(std::move(source)),
      last_passed_(loop_.now()) {
  limits_->open.fetch_add(1, std::memory_order_relaxed);
  limits_->unread.fetch_add(1, std::memory_order_relaxed);
}

UdpSession::~UdpSession() {
  if (demux_ != nullptr) demux_->forget(*this, queue_.bytes());
  loop_.disarm(*this);
  limits_->open.fetch_sub(1, std::memory_order_relaxed);
  if (!begun_) limits_->unread.fetch_sub(1, std::memory_order_relaxed);
}

IoResult UdpSession::try_receive(DatagramBatch& batch) {
  batch.clear();
  begin();
  // The batch refers to memory of the session until the next receive. ready() asks for one, and if that finds
  // nothing, the memory goes; a hot session has two buffers that take turns.
  held_.clear();
  std::swap(held_, queue_);
  if (held_.empty()) {
    held_ = {};
    queue_ = {};
    return demux_ == nullptr ? IoResult::eof() : IoResult::would_block();
  }
  if (demux_ != nullptr) demux_->unqueued(held_.bytes());
  held_.for_each([&](Bytes payload) { batch.add({source_.address, source_.name, payload}); });
  return IoResult::moved(held_.bytes());
}

SendOutcome UdpSession::try_send(std::span<const OutgoingDatagram> datagrams) {
  constexpr std::size_t kChunk = 64;
  std::array<OutgoingDatagram, kChunk> chunk;
  SendOutcome total;
  while (!datagrams.empty() && demux_ != nullptr && !demux_->below().pending()) {
    std::size_t count = std::min(datagrams.size(), kChunk);
    for (std::size_t i = 0; i < count; ++i)
      chunk[i] = {.peer = source_.address,
                  .name = source_.name,
                  .head = datagrams[i].head,
                  .payload = datagrams[i].payload,
                  .local = local_ip_};
    total += demux_->below().try_send(std::span(chunk).first(count));
    datagrams = datagrams.subspan(count);
  }
  total.dropped += datagrams.size();
  if (demux_ == nullptr) total.error = EPIPE;
  if (total.sent > 0) touch();
  return total;
}

bool UdpSession::pending() const {
  return demux_ != nullptr && demux_->below().pending();
}

IoResult UdpSession::try_flush() {
  if (!pending()) return IoResult::moved(0);
  demux_->flush_for(*this);
  return IoResult::would_block();
}

bool UdpSession::ready(Interest interest) const {
  if (interest == Interest::write) return !pending();
  return !queue_.empty() || !held_.empty() || demux_ == nullptr;
}

SocketAddress UdpSession::local() const {
  if (demux_ == nullptr) return {};
  return local_ip_.is_unspecified() ? demux_->local() : SocketAddress(local_ip_, demux_->local().port());
}

std::string UdpSession::layers() const {
  return demux_ != nullptr ? demux_->below().layers() : std::string("udp");
}

Error UdpSession::error(int number) const {
  return demux_ != nullptr ? demux_->below().error(number) : Error::system(number);
}

bool UdpSession::take(Bytes payload, const IpAddress& local) {
  local_ip_ = local;
  if (payload.size() > demux_->options().longest) {
    ++discarded_;
    return std::exchange(too_long_, true);
  }
  if (batch_ != demux_->batch()) {
    batch_ = demux_->batch();
    waited_before_ = queue_.count();
  }
  // Whoever reads gets all that one receive has brought: only what it leaves waiting is too much.
  const std::size_t waiting = begun_ ? waited_before_ : queue_.count();
  if (waiting >= demux_->options().queue_size || !demux_->may_queue(payload.size())) {
    ++discarded_;
    return true;
  }
  queue_.push(payload);
  if (begun_ && queue_.count() > demux_->options().queue_size / 2) demux_->crowded();
  touch();
  wake(reader_);
  return true;
}

void UdpSession::end() {
  demux_ = nullptr;
  unlink();
  loop_.disarm(*this);
  wake(reader_);
  wake(writer_);
}

void UdpSession::begin() {
  if (begun_) return;
  begun_ = true;
  limits_->unread.fetch_sub(1, std::memory_order_relaxed);
  touch();
  if (demux_ != nullptr) loop_.arm(*this, demux_->options().ttl);
}

void UdpSession::touch() {
  last_passed_ = loop_.now();
}

void UdpSession::on_timer() {
  TimePoint due = last_passed_ + demux_->options().ttl;
  if (loop_.now() < due) {
    loop_.arm(*this, due);
  } else {
    demux_->forget(*this, queue_.bytes());
    end();
  }
}

}  // namespace gost
