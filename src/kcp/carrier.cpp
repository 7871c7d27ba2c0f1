#include "kcp/carrier.hpp"

#include "net/outgoing_list.hpp"
#include "runtime/turn.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace gost::kcp {

namespace {

/// A socket without room is tried again so soon, and a session flushed again.
constexpr Duration kRetry = std::chrono::milliseconds(1);
/// Packets that wait in the socket keep segments from timing out, but not for ever.
constexpr int kPatience = 16;

Error stopped() {
  return {Cause::canceled, "kcp: the session was closed"};
}

std::string told(const Drops& drops, std::uint64_t by_correction) {
  return std::to_string(drops.unopened) + " packets did not open, " + std::to_string(drops.malformed) +
         " were malformed, " + std::to_string(drops.foreign) + " of another conversation, " +
         std::to_string(by_correction) + " of no use to error correction";
}

}  // namespace

Carrier::Carrier(IoContext& io, std::unique_ptr<Datagram> below, std::shared_ptr<LoopState> state,
                 std::shared_ptr<const ConnectionOptions> options, Reception* reception, Logger log)
    : io_(io),
      below_(std::move(below)),
      state_(std::move(state)),
      options_(std::move(options)),
      reception_(reception),
      log_(std::move(log)),
      local_(below_->local()) {}

Carrier::~Carrier() {
  while (!table_.empty()) end(*table_.begin()->second, error_.value_or(stopped()));
}

SocketAddress Carrier::local(const IpAddress& ip) const {
  return ip.is_unspecified() ? local_ : SocketAddress(ip, local_.port());
}

Task<> Carrier::run() {
  TaskGroup group(co_await this_scope());
  group_ = &group;
  if (error_ || (ends_when_empty_ && table_.empty())) group.stop();
  group.spawn(receive());
  group.spawn(send());
  co_await group.join();
  group_ = nullptr;
  // What sessions wrote last may still leave.
  if (!error_) flush();
  while (!table_.empty()) end(*table_.begin()->second, error_.value_or(stopped()));
}

Task<> Carrier::receive() {
  Turn turn;
  while (co_await below_->until(Interest::read) == Outcome::ready) {
    IoResult got = below_->try_receive(io_.datagrams);
    if (got.status == IoResult::Status::eof) co_return conclude({Cause::eof, "kcp: the way to the peer has ended"});
    if (got.status == IoResult::Status::error) co_return conclude(below_->error(got.error).in("kcp: read"));
    // What is due leaves in the next turn, when readers have had theirs and made room in the window that is told.
    if (got.status == IoResult::Status::ok) dispatch();
    if (turn.used_up(got.bytes) && co_await yield() != Outcome::ready) co_return;
  }
}

Task<> Carrier::send() {
  while (co_await work_.until_set() == Outcome::ready) {
    if (below_->pending()) {
      IoResult moved = below_->try_flush();
      if (moved.status == IoResult::Status::error) co_return conclude(below_->error(moved.error).in("kcp: write"));
      if (moved.status == IoResult::Status::eof)
        co_return conclude({Cause::eof, "kcp: the way to the peer has ended"});
      if (moved.status == IoResult::Status::would_block && co_await below_->until(Interest::write) != Outcome::ready)
        co_return;
      continue;
    }
    flush();
    if (below_->pending()) continue;
    if (kept_) {
      if (co_await sleep_for(kRetry) != Outcome::ready) co_return;
    } else if (due_.empty()) {
      work_.clear();
    } else if (co_await yield() != Outcome::ready) {
      co_return;
    }
  }
}

void Carrier::dispatch() {
  Session* session = nullptr;
  for (const ReceivedDatagram& datagram : io_.datagrams.items()) {
    // Datagrams come in runs.
    if (session == nullptr || (reception_ != nullptr && session->target().peer != datagram.peer))
      session = find(datagram);
    if (session != nullptr) {
      if (!take(*session, datagram)) session = nullptr;
    } else if (reception_ != nullptr) {
      reception_->stranger(datagram);
    }
  }
  touched_.for_each([](Session& touched) {
    static_cast<ListHook<TouchedTag>&>(touched).unlink();
    touched.settle();
  });
  if (reception_ != nullptr) reception_->received();
}

Session* Carrier::find(const ReceivedDatagram& datagram) {
  auto found = reception_ == nullptr ? table_.begin() : table_.find(datagram.peer);
  return found == table_.end() ? nullptr : found->second.get();
}

/// False if there may be another session now.
bool Carrier::take(Session& session, const ReceivedDatagram& datagram) {
  if (datagram.payload.size() < kMinSealed || datagram.payload.size() > kMaxPacket) {
    ++session.drops().malformed;
    return true;
  }
  auto bytes = kcp::open(*session.target().crypt, in_place(datagram));
  if (!bytes) {
    ++session.drops().unopened;
    return true;
  }
  const OpenedPacket packet(*bytes);
  if (packet.malformed()) {
    ++session.drops().malformed;
    return true;
  }
  if (packet.first && packet.first->conversation != session.connection().conversation()) {
    ++session.drops().foreign;
    if (reception_ != nullptr) reception_->other_conversation(session, datagram, packet);
    return false;
  }
  session.set_local(datagram.local);
  input(session, packet);
  return true;
}

void Carrier::input(Session& session, const OpenedPacket& packet) {
  if (!session.connection().input(packet.bytes, packet.kind, now())) ++session.drops().malformed;
  if (!static_cast<ListHook<TouchedTag>&>(session).linked()) touched_.push_back(session);
}

void Carrier::flush() {
  if (kept_) {
    transmit(*kept_);
    if (kept_->left() > 0) return work_.set();
    kept_.reset();
  }
  const bool current = is_current();
  std::size_t left = kBurst;
  while (!due_.empty() && left > 0 && !kept_ && !below_->pending()) {
    PacketBatch batch(io_.buffers);
    bool all = true;
    while (all && !due_.empty() && batch.has_room() && batch.bytes() < left)
      all = flush_session(due_.front(), batch, left - batch.bytes(), current);
    left -= std::min(left, batch.bytes());
    if (batch.empty()) continue;
    batch.for_each_target([this](const PacketBatch::Target& target, std::span<const MutableBytes> packets) {
      seal_batch(*target.crypt, state_->nonces, packets);
    });
    transmit(batch);
    if (batch.left() > 0) kept_ = std::make_unique<PacketBatch>(std::move(batch));
  }
  if (kept_ || !due_.empty() || below_->pending()) work_.set();
}

/// Whether what the network has brought was looked at: among packets that wait may be the acknowledgements.
bool Carrier::is_current() {
  if (below_->ready(Interest::read)) return ++postponed_ % kPatience == 0;
  postponed_ = 0;
  return true;
}

/// False if the batch had no room for all of it.
bool Carrier::flush_session(Session& session, PacketBatch& batch, std::size_t most, bool current) {
  static_cast<ListHook<DueTag>&>(session).unlink();
  batch.aim(session.target());
  const bool all = session.connection().flush(batch, most, now(), current);
  if (session.over(now())) {
    remove(session);
  } else if (all) {
    // What was postponed is due still, yet not in this flush.
    session.arm(now() + kRetry);
  } else {
    // The others first.
    due_.push_back(session);
  }
  return all;
}

void Carrier::transmit(PacketBatch& batch) {
  OutgoingList list;
  batch.for_each_target([&list](const PacketBatch::Target& target, std::span<const MutableBytes> packets) {
    for (MutableBytes packet : packets)
      list.add({.peer = target.peer, .name = {}, .head = {}, .payload = packet, .local = target.local});
  });
  SendOutcome outcome = below_->try_send(list.view());
  if (outcome.error == 0) return batch.gone(outcome.sent);
  // Which one was refused is not told; what is missing is sent again in its time.
  last_error_ = outcome.error;
  batch.gone(batch.left());
  if (reception_ == nullptr && outcome.error == ECONNREFUSED)
    conclude({Cause::refused, "kcp: " + system_text(ECONNREFUSED)});
}

void Carrier::send_alone(const PacketBatch::Target& target, MutableBytes packet) {
  kcp::seal(*target.crypt, state_->nonces, packet);
  const OutgoingDatagram datagram{
      .peer = target.peer, .name = {}, .head = {}, .payload = packet, .local = target.local};
  if (!below_->pending()) below_->try_send({&datagram, 1});
}

std::pair<Session&, std::unique_ptr<KcpStream>> Carrier::open(const PacketBatch::Target& target,
                                                              std::uint32_t conversation) {
  auto& session = table_[target.peer];
  session = std::make_unique<Session>(*this, target, conversation);
  return {*session, std::make_unique<KcpStream>(*session)};
}

void Carrier::due(Session& session) {
  if (!static_cast<ListHook<DueTag>&>(session).linked()) due_.push_back(session);
  work_.set();
}

void Carrier::end_when_empty() {
  ends_when_empty_ = true;
  if (table_.empty() && group_ != nullptr) group_->stop();
}

void Carrier::remove(Session& session) {
  Error error = session.failure().value_or(stopped());
  if (last_error_ != 0 && error.cause == Cause::timeout)
    error.text += " (sending failed: " + system_text(last_error_) + ")";
  end(session, error);
}

void Carrier::end(Session& session, const Error& error) {
  if (log_.enabled(Level::debug)) {
    const Connection& connection = session.connection();
    const SendStatistics& statistics = connection.arq().statistics();
    log_.debug("session with " + session.target().peer.to_string() + " has ended: " + error.text + "; " +
               std::to_string(statistics.sent) + " segments sent, " + std::to_string(statistics.overtaken) + " and " +
               std::to_string(statistics.timed_out) + " sent again, " + std::to_string(connection.restored()) +
               " packets restored, " + std::to_string(connection.arq().rtt().smoothed()) + " ms there and back; " +
               told(session.drops(), connection.unused()));
  }
  session.end(error);
  const SocketAddress source = session.target().peer;
  table_.erase(source);
  if (reception_ != nullptr) reception_->left(source);
  if (ends_when_empty_ && table_.empty() && group_ != nullptr) group_->stop();
}

void Carrier::conclude(const Error& error) {
  if (!error_) error_ = error;
  if (group_ != nullptr) group_->stop();
}

}  // namespace gost::kcp
