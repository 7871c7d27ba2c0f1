// Lobby: where a listener's new sessions begin (wire.md §12.5).
#pragma once

#include "component/listener.hpp"
#include "kcp/carrier.hpp"
#include "kcp/session_quota.hpp"

#include <memory>
#include <vector>

namespace gost::kcp {

/// On one loop. A source is tried with each key of the configuration; what opens with none costs nothing more. A
/// session begins with data of a peer that does not claim to have received anything yet. To a peer that does, whose
/// session is not known here, the answer is an acknowledgement that no peer with that session would send: by this it
/// can tell that its session has gone (Arq::failure()), and it is harmless to those who cannot.
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
  void other_conversation(Session& session, const ReceivedDatagram& datagram, Bytes opened, PacketKind kind) override;
  void received() override;
  void left(const SocketAddress& source) override { quota_->leave(source.ip()); }

 private:
  struct Letter {
    Bytes opened;
    PacketKind kind;
    Segment first;
    std::size_t key;
  };
  void admit(const ReceivedDatagram& datagram, const Letter& letter);
  void disown(const PacketBatch::Target& target, const Segment& segment);
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
  std::vector<std::unique_ptr<KcpStream>> arrived_;
};

}  // namespace gost::kcp
