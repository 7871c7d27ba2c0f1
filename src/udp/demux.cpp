#include "udp/demux.hpp"

#include "runtime/task_group.hpp"
#include "runtime/turn.hpp"

#include <random>
#include <utility>

namespace gost {

namespace {

std::uint64_t random_secret() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

}  // namespace

UdpDemux::UdpDemux(IoContext& io, Datagram& below, StreamSink& sink, const DemuxOptions& options,
                   std::shared_ptr<SessionLimits> limits)
    : io_(io),
      below_(below),
      sink_(sink),
      options_(options),
      limits_(std::move(limits)),
      local_(below.local()),
      table_(0, Hash{SourceHash(random_secret())}) {}

UdpDemux::~UdpDemux() {
  for (UdpSession* session : table_) session->end();
}

Task<std::optional<Error>> UdpDemux::run() {
  TaskGroup group(co_await this_scope());
  group_ = &group;
  group.spawn(receive());
  group.spawn(flush());
  co_await group.join();
  group_ = nullptr;
  co_return std::move(error_);
}

Task<> UdpDemux::receive() {
  Turn turn;
  while (co_await below_.until(Interest::read) == Outcome::ready) {
    IoResult got = below_.try_receive(io_.datagrams);
    if (got.status == IoResult::Status::eof) co_return end(Error{Cause::eof, "the way to the clients has ended"});
    if (got.status == IoResult::Status::error) co_return end(below_.error(got.error).in("read"));
    if (got.status == IoResult::Status::ok) dispatch();
    bool others_first = turn.used_up(got.bytes);
    others_first = std::exchange(crowded_, false) || others_first;
    if (others_first && co_await yield() != Outcome::ready) break;
  }
  end(std::nullopt);
}

Task<> UdpDemux::flush() {
  while (co_await flush_request_.until_set() == Outcome::ready) {
    IoResult moved = below_.try_flush();
    if (moved.status == IoResult::Status::would_block) {
      if (co_await below_.until(Interest::write) != Outcome::ready) co_return;
    } else if (moved.status == IoResult::Status::error) {
      co_return end(below_.error(moved.error).in("write"));
    } else if (moved.status == IoResult::Status::eof) {
      co_return end(Error{Cause::eof, "write: the way to the clients has ended"});
    } else if (!below_.pending()) {
      flush_request_.clear();
      waiting_for_flush_.for_each([](UdpSession& session) {
        session.unlink();
        session.writable();
      });
    }
  }
}

void UdpDemux::end(std::optional<Error> error) {
  if (!ended_) error_ = std::move(error);
  ended_ = true;
  group_->stop();
}

void UdpDemux::dispatch() {
  UdpSession* session = nullptr;
  ++batch_;
  for (const ReceivedDatagram& datagram : io_.datagrams.items()) {
    // Datagrams come in runs.
    if (session == nullptr || !(session->source().view() == SourceView{datagram.peer, datagram.name}))
      session = session_of(datagram);
    if (session != nullptr && !session->take(datagram.payload, datagram.local))
      sink_.warn(datagram.peer, too_long(datagram.payload.size()) + "; further ones of this client are only counted");
  }
  deliver_new();
}

/// A handler starts to run when it gets its session, and may use the loop's batch.
void UdpDemux::deliver_new() {
  auto sessions = std::exchange(new_, {});
  for (std::unique_ptr<UdpSession>& session : sessions) {
    SocketAddress peer = session->source().address;
    SocketAddress local = session->local();
    sink_.deliver(std::move(session), peer, local);
  }
}

UdpSession* UdpDemux::session_of(const ReceivedDatagram& datagram) {
  auto found = table_.find(SourceView{datagram.peer, datagram.name});
  return found != table_.end() ? *found : open(datagram);
}

UdpSession* UdpDemux::open(const ReceivedDatagram& datagram) {
  auto refuse = [this](std::string why) {
    sink_.accept_failed(Error{Cause::exhausted, std::move(why)}, Duration::zero());
    return nullptr;
  };
  if (datagram.payload.size() > options_.longest) return refuse(too_long(datagram.payload.size()));
  if (limits_->open.load(std::memory_order_relaxed) >= limits_->max_open)
    return refuse("dropped a datagram of a new client: " + std::to_string(limits_->max_open) +
                  " sessions are open (option maxSessions)");
  if (limits_->unread.load(std::memory_order_relaxed) >= limits_->backlog)
    return refuse("dropped a datagram of a new client: " + std::to_string(limits_->backlog) +
                  " sessions wait for their way to the target (option backlog)");
  auto& session = new_.emplace_back(
      std::make_unique<UdpSession>(*this, Source{datagram.peer, std::string(datagram.name)}, limits_));
  table_.insert(session.get());
  return session.get();
}

std::string UdpDemux::too_long(std::size_t size) const {
  return "dropped a datagram of " + std::to_string(size) + " bytes, longer than " + std::to_string(options_.longest) +
         " (option readBufferSize)";
}

bool UdpDemux::may_queue(std::size_t bytes) {
  if (bytes > options_.max_queued_bytes - queued_bytes_) return false;
  queued_bytes_ += bytes;
  return true;
}

void UdpDemux::forget(UdpSession& session, std::size_t bytes_queued) {
  queued_bytes_ -= bytes_queued;
  table_.erase(&session);
}

void UdpDemux::flush_for(UdpSession& session) {
  if (!session.linked()) waiting_for_flush_.push_back(session);
  flush_request_.set();
}

}  // namespace gost
