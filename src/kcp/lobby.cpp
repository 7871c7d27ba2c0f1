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

MutableBytes in_place(const ReceivedDatagram& datagram) {
  return {const_cast<std::uint8_t*>(datagram.payload.data()), datagram.payload.size()};
}

std::optional<Segment> first_segment(Bytes opened, PacketKind kind) {
  if (kind != PacketKind::data && kind != PacketKind::segments) return std::nullopt;
  Bytes segments = packet_segments(opened, kind);
  return take_segment(segments);
}

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
  for (std::size_t key = 0; key < state_->crypts.size(); ++key) {
    PacketCrypt& crypt = *state_->crypts[key];
    auto opened = kcp::open(crypt, packet);
    if (!opened) {
      if (key + 1 < state_->crypts.size()) crypt.encrypt(packet);
      continue;
    }
    const PacketKind kind = packet_kind(*opened);
    auto first = first_segment(*opened, kind);
    if (first && first->command == Command::push && first->una != 0) {
      disown(target_of(datagram, key), *first);
    } else if (first && open_ && begins(*first, window_)) {
      admit(datagram, {.opened = *opened, .kind = kind, .first = *first, .key = key});
    }
    return;
  }
}

void Lobby::other_conversation(Session& session, const ReceivedDatagram& datagram, Bytes opened, PacketKind kind) {
  auto first = first_segment(opened, kind);
  if (!first || !open_ || first->number != 0 || !begins(*first, window_)) return;
  auto used = std::ranges::find(state_->crypts, session.target().crypt, &std::unique_ptr<PacketCrypt>::get);
  const auto key = static_cast<std::size_t>(used - state_->crypts.begin());
  carrier_.end(session, {Cause::reset, "kcp: the client has begun a new session"});
  admit(datagram, {.opened = opened, .kind = kind, .first = *first, .key = key});
}

void Lobby::admit(const ReceivedDatagram& datagram, const Letter& letter) {
  if (auto refusal = quota_->enter(datagram.peer.ip())) {
    sink_.accept_failed({Cause::exhausted, "kcp: refused a session: " + *refusal}, Duration::zero());
    return;
  }
  auto [session, stream] = carrier_.open(target_of(datagram, letter.key), letter.first.conversation);
  if (state_->crypts.size() > 1) {
    log_.debug("session with " + datagram.peer.to_string() + " uses " +
               (letter.key == 0 ? "the empty key" : "the key of GOST's documentation"));
  }
  carrier_.input(session, letter.opened, letter.kind);
  arrived_.push_back(std::move(stream));
}

/// Acknowledges the segment as a peer would that has received nothing.
void Lobby::disown(const PacketBatch::Target& target, const Segment& segment) {
  std::array<std::uint8_t, kCryptHeader + kSegmentHeader> packet{};
  encode_header({.conversation = segment.conversation,
                 .command = Command::ack,
                 .fragment = 0,
                 .window = 0,
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
