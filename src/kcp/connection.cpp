#include "kcp/connection.hpp"

#include <algorithm>
#include <cstring>

namespace gost::kcp {

namespace {

ArqOptions arq_options(const Options& options) {
  const Pace pace = options.pace();
  ArqOptions arq;
  arq.mss = options.mss();
  arq.send_window = static_cast<std::uint32_t>(options.sndwnd);
  arq.receive_window = static_cast<std::uint32_t>(options.rcvwnd);
  arq.interval = static_cast<Millis>(pace.interval);
  arq.no_delay = pace.nodelay;
  arq.resend = static_cast<std::uint32_t>(std::max<std::int64_t>(pace.resend, 0));
  arq.congestion_control = !pace.no_congestion;
  arq.ack_no_delay = options.acknodelay;
  arq.dead_after =
      static_cast<Millis>(std::chrono::duration_cast<std::chrono::milliseconds>(options.peer_timeout).count());
  return arq;
}

}  // namespace

Result<std::shared_ptr<const ConnectionOptions>> ConnectionOptions::make(const Options& options) {
  auto made = std::make_shared<ConnectionOptions>();
  made->arq = arq_options(options);
  made->mtu = static_cast<std::size_t>(options.mtu);
  if (options.fec()) {
    auto code =
        ReedSolomon::make(static_cast<std::size_t>(options.datashard), static_cast<std::size_t>(options.parityshard));
    if (!code) return fail(code.error());
    made->code = std::make_shared<const ReedSolomon>(std::move(*code));
  }
  return made;
}

/// Packs segments into packets of up to `mtu` bytes.
class Connection::Packer final : public SegmentSink {
 public:
  Packer(Connection& connection, PacketBatch& batch, std::size_t most)
      : connection_(connection),
        batch_(batch),
        limit_(batch.bytes() + most),
        headroom_(kCryptHeader + (connection.encoder_ ? kFecHeader : 0)),
        mtu_(connection.options_->mtu) {}

  MutableBytes room(std::size_t size) override {
    if (used_ > 0 && used_ + size > mtu_) finish();
    if (used_ == 0) {
      if (!connection_.put_parity(batch_) || !batch_.has_room() || batch_.bytes() >= limit_) return {};
      used_ = headroom_;
    }
    MutableBytes room = batch_.room().subspan(used_, size);
    used_ += size;
    return room;
  }

  /// The packet that was begun is complete.
  void finish() {
    if (used_ == 0) return;
    MutableBytes packet = batch_.room().first(used_);
    batch_.add(used_);
    used_ = 0;
    if (connection_.encoder_) connection_.parity_ = connection_.encoder_->add(packet.subspan(kCryptHeader));
  }

 private:
  Connection& connection_;
  PacketBatch& batch_;
  const std::size_t limit_;
  const std::size_t headroom_;
  const std::size_t mtu_;
  std::size_t used_ = 0;  ///< bytes of the packet that was begun
};

Connection::Connection(ShardPool& pool, std::shared_ptr<const ConnectionOptions> options, std::uint32_t conversation)
    : pool_(pool), options_(std::move(options)), arq_(pool, conversation, options_->arq) {
  if (options_->code) encoder_.emplace(options_->code, options_->mtu - kCryptHeader, kCryptHeader);
}

Millis Connection::millis(TimePoint now) {
  return static_cast<Millis>(std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count());
}

bool Connection::input(Bytes packet, PacketKind kind, TimePoint now) {
  if (kind == PacketKind::malformed) return false;
  // The packet itself first: what is restored behind it is older.
  const bool good = kind == PacketKind::parity || arq_.input(packet_segments(packet, kind), millis(now));
  if (kind == PacketKind::segments || !good) return good;
  if (!decoder_) decoder_.emplace(options_->code, pool_);
  for (Bytes restored : decoder_->decode(packet, now)) arq_.input(restored, millis(now), Arq::Origin::restored);
  return true;
}

bool Connection::flush(PacketBatch& batch, std::size_t most, TimePoint now, bool may_time_out) {
  Packer packer(*this, batch, most);
  const bool all = arq_.flush(millis(now), packer, may_time_out);
  packer.finish();
  if (!put_parity(batch) || !all) return false;
  if (!arq_.next_timeout()) {
    if (encoder_) encoder_->release();
    if (decoder_) decoder_->expire(now);
  }
  return true;
}

bool Connection::put_parity(PacketBatch& batch) {
  while (!parity_.empty() && batch.has_room()) {
    Bytes packet = parity_.front();
    std::memcpy(batch.room().data(), packet.data(), packet.size());
    batch.add(packet.size());
    parity_ = parity_.subspan(1);
  }
  return parity_.empty();
}

std::optional<TimePoint> Connection::next_timeout(TimePoint now) const {
  if (!parity_.empty()) return now;
  auto next = arq_.next_timeout();
  if (!next) return std::nullopt;
  const std::int32_t left = distance(*next, millis(now));
  if (left <= 0) return now;
  return std::chrono::floor<std::chrono::milliseconds>(now) + std::chrono::milliseconds(left);
}

}  // namespace gost::kcp
