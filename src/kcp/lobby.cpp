#include "kcp/lobby.hpp"

#include "kcp/snappy_stream.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace gost::kcp {

namespace {

/// Whether a session can begin with it.
bool begins(const Segment& segment, std::uint32_t window) {
  return segment.command == Command::push && segment.una == 0 && segment.number < window;
}

/// Packets that did not open are told so often.
constexpr Duration kTell = std::chrono::minutes(1);

}  // namespace

Lobby::Lobby(IoContext& io, StreamSink& sink, std::unique_ptr<Datagram> socket, std::shared_ptr<LoopState> state,
             std::shared_ptr<const ConnectionOptions> options, std::shared_ptr<SessionQuota> quota, bool snappy,
             Logger log)
    : io_(io),
      sink_(sink),
      state_(std::move(state)),
      quota_(std::move(quota)),
      window_(options->arq.receive_window),
      snappy_(snappy),
      log_(log),
      carrier_(io, std::move(socket), state_, std::move(options), this, std::move(log)) {}

void Lobby::close() {
  open_ = false;
  carrier_.end_when_empty();
}

PacketBatch::Target Lobby::target_of(const ReceivedDatagram& datagram, std::size_t key) const {
  return {.peer = datagram.peer, .local = datagram.local, .crypt = state_->crypts[key].get()};
}

void Lobby::stranger(const ReceivedDatagram& datagram) {
  const MutableBytes packet = in_place(datagram);
  const bool fits = packet.size() >= kMinSealed && packet.size() <= kMaxPacket;
  for (std::size_t key = 0; fits && key < state_->crypts.size(); ++key) {
    PacketCrypt& crypt = *state_->crypts[key];
    auto bytes = kcp::open(crypt, packet);
    if (!bytes) {
      if (key + 1 < state_->crypts.size()) crypt.encrypt(packet);
      continue;
    }
    const OpenedPacket opened(*bytes);
    if (opened.first && opened.first->command == Command::push && opened.first->una != 0) {
      disown(target_of(datagram, key), *opened.first);
    } else if (opened.first && open_ && begins(*opened.first, window_)) {
      admit(datagram, opened, key);
    }
    return;
  }
  count_unopened(datagram.peer);
}

void Lobby::count_unopened(const SocketAddress& source) {
  ++unopened_;
  const TimePoint now = io_.loop.now();
  if (told_at_ && now - *told_at_ < kTell) return;
  told_at_ = now;
  log_.warn("kcp: packets that did not open: " + std::to_string(std::exchange(unopened_, 0)) + ", the last from " +
            source.to_string() + " (another kcp.key or kcp.crypt, or no KCP at all)");
}

void Lobby::other_conversation(Session& session, const ReceivedDatagram& datagram, const OpenedPacket& packet) {
  if (!open_ || packet.first->number != 0 || !begins(*packet.first, window_)) return;
  auto used = std::ranges::find(state_->crypts, session.target().crypt, &std::unique_ptr<PacketCrypt>::get);
  const auto key = static_cast<std::size_t>(used - state_->crypts.begin());
  carrier_.end(session, {Cause::reset, "kcp: the client has begun a new session"});
  admit(datagram, packet, key);
}

void Lobby::admit(const ReceivedDatagram& datagram, const OpenedPacket& packet, std::size_t key) {
  if (auto refusal = quota_->enter(datagram.peer.ip())) {
    sink_.accept_failed({Cause::exhausted, "kcp: refused a session: " + *refusal}, Duration::zero());
    return;
  }
  auto [session, stream] = carrier_.open(target_of(datagram, key), packet.first->conversation);
  if (state_->crypts.size() > 1) {
    log_.debug("session with " + datagram.peer.to_string() + " uses " +
               (key == 0 ? "the empty key" : "the key of GOST's documentation"));
  }
  carrier_.input(session, packet);
  arrived_.push_back(std::move(stream));
}

void Lobby::disown(const PacketBatch::Target& target, const Segment& segment) {
  if (!answers_.admits(target.peer, io_.loop.now())) return;
  std::array<std::uint8_t, kCryptHeader + kSegmentHeader> packet{};
  encode_header({.conversation = segment.conversation,
                 .command = Command::tell,
                 .fragment = 0,
                 .window = static_cast<std::uint16_t>(window_),
                 .timestamp = segment.timestamp,
                 .number = segment.number,
                 .una = 0,
                 .data = {}},
                MutableBytes(packet).subspan(kCryptHeader));
  carrier_.send_alone(target, packet);
}

void Lobby::received() {
  auto streams = std::exchange(arrived_, {});
  for (std::unique_ptr<KcpStream>& stream : streams) {
    if (snappy_) {
      sink_.deliver(std::make_unique<SnappyStream>(io_.buffers, std::move(stream)));
    } else {
      sink_.deliver(std::move(stream));
    }
  }
}

}  // namespace gost::kcp
