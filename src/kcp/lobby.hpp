// Lobby: where a listener's new sessions begin (wire.md §12.5).
#pragma once

#include "component/listener.hpp"
#include "kcp/answer_limit.hpp"
#include "kcp/carrier.hpp"
#include "kcp/session_quota.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace gost::kcp {

/// On one loop. A source is tried with each key of the configuration; what opens with none is dropped and counted,
/// and the count told at most once a minute. A session begins with data of a peer that does not claim to have
/// received anything yet. To a peer that does, whose session is not known here, the answer tells the window as a peer
/// would that has received nothing, with the number and time of the segment: by several of these the peer can tell
/// that its session has gone (Arq::failure()). It acknowledges nothing, so whoever replays a packet of a session that
/// goes on and passes the answer to its client neither ends that session nor makes the client believe that something
/// arrived. No source gets more than one answer in AnswerLimit::kPause.
class Lobby final : public Reception {
 public:
  /// `snappy`: streams are compressed.
  Lobby(IoContext& io, StreamSink& sink, std::unique_ptr<Datagram> socket, std::shared_ptr<LoopState> state,
        std::shared_ptr<const ConnectionOptions> options, std::shared_ptr<SessionQuota> quota, bool snappy,
        Logger log);

  Carrier& carrier() { return carrier_; }
  /// From now on nobody new gets in.
  void close();

  void stranger(const ReceivedDatagram& datagram) override;
  void other_conversation(Session& session, const ReceivedDatagram& datagram, const OpenedPacket& packet) override;
  void received() override;
  void left(const SocketAddress& source) override { quota_->leave(source.ip()); }

 private:
  /// `packet` has a first segment.
  void admit(const ReceivedDatagram& datagram, const OpenedPacket& packet, std::size_t key);
  void disown(const PacketBatch::Target& target, const Segment& segment);
  void count_unopened(const SocketAddress& source);
  PacketBatch::Target target_of(const ReceivedDatagram& datagram, std::size_t key) const;

  IoContext& io_;
  StreamSink& sink_;
  std::shared_ptr<LoopState> state_;
  std::shared_ptr<SessionQuota> quota_;
  const std::uint32_t window_;
  const bool snappy_;
  Logger log_;
  Carrier carrier_;
  bool open_ = true;
  AnswerLimit answers_;
  std::uint64_t unopened_ = 0;  ///< packets, not told yet
  std::optional<TimePoint> told_at_;
  std::vector<std::unique_ptr<KcpStream>> arrived_;
};

}  // namespace gost::kcp
