// Carrier: takes the packets of KCP sessions from a way for datagrams, and puts theirs on it.
#pragma once

#include "kcp/loop_state.hpp"
#include "kcp/opened_packet.hpp"
#include "kcp/packet_batch.hpp"
#include "kcp/session.hpp"
#include "kcp/source_table.hpp"
#include "kcp/stream.hpp"
#include "net/datagram.hpp"
#include "net/io_context.hpp"
#include "observe/log.hpp"
#include "runtime/event.hpp"
#include "runtime/task_group.hpp"

#include <memory>
#include <optional>

namespace gost::kcp {

/// Decides about packets that belong to no session: what makes a carrier the end of a listener.
class Reception {
 public:
  /// A datagram from an unknown source, of any size and not opened yet.
  virtual void stranger(const ReceivedDatagram& datagram) = 0;
  /// A packet from the source of `session` whose first segment names another conversation.
  virtual void other_conversation(Session& session, const ReceivedDatagram& datagram, const OpenedPacket& packet) = 0;
  /// All datagrams of a receive have been given to somebody. Now streams may be handed on.
  virtual void received() = 0;
  /// A session has gone.
  virtual void left(const SocketAddress& source) = 0;

 protected:
  ~Reception() = default;
};

/// Belongs to one loop. Receives in batches and sends in batches: what is due is written into one buffer, packets of
/// the same size one behind the other, sealed together and sent as trains. In a turn of the loop at most kBurst bytes
/// leave; what the socket has no room for is kept, and nothing more made of segments until it has left.
class Carrier {
 public:
  static constexpr std::size_t kBurst = std::size_t{128} * 1024;

  /// `reception` is null where the sessions are ours: then every datagram is for the one session that there is, and a
  /// refusal by the far end's system ends it.
  Carrier(IoContext& io, std::unique_ptr<Datagram> below, std::shared_ptr<LoopState> state,
          std::shared_ptr<const ConnectionOptions> options, Reception* reception, Logger log);
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;
  /// When run() has ended or was never called.
  ~Carrier();

  /// Carries until the scope is stopped, the way below has ended or, after end_when_empty(), the last session has.
  /// All sessions have ended then.
  Task<> run();
  /// Has run() end as soon as there is no session.
  void end_when_empty();

  /// A new session with a source that has none. Its stream is to be handed on when nothing of a received batch is
  /// needed any more.
  std::pair<Session&, std::unique_ptr<KcpStream>> open(const PacketBatch::Target& target, std::uint32_t conversation);
  /// Gives a session a packet of its own.
  void input(Session& session, const OpenedPacket& packet);
  /// Destroys a session.
  void end(Session& session, const Error& error);
  /// Seals and sends a packet of no session; its first kCryptHeader bytes are room.
  void send_alone(const PacketBatch::Target& target, MutableBytes packet);
  std::size_t sessions() const { return table_.size(); }

  // For its sessions.

  Loop& loop() const { return io_.loop; }
  TimePoint now() const { return io_.loop.now(); }
  Datagram& below() const { return *below_; }
  ShardPool& pool() const { return state_->pool; }
  const std::shared_ptr<const ConnectionOptions>& options() const { return options_; }
  /// The address of our end, `ip` of its addresses where that is known.
  SocketAddress local(const IpAddress& ip) const;
  /// The session has something to send, or is over.
  void due(Session& session);

 private:
  Task<> receive();
  Task<> send();
  void dispatch();
  Session* find(const ReceivedDatagram& datagram);
  bool take(Session& session, const ReceivedDatagram& datagram);
  void flush();
  bool is_current();
  bool flush_session(Session& session, PacketBatch& batch, std::size_t most, bool current);
  void transmit(PacketBatch& batch);
  void conclude(const Error& error);
  void remove(Session& session);

  IoContext& io_;
  std::unique_ptr<Datagram> below_;
  std::shared_ptr<LoopState> state_;
  std::shared_ptr<const ConnectionOptions> options_;
  Reception* reception_;
  Logger log_;
  const SocketAddress local_;
  SourceTable<std::unique_ptr<Session>> table_;
  List<Session, TouchedTag> touched_;  ///< got packets of this batch
  List<Session, DueTag> due_;          ///< are to be flushed
  Event work_;                         ///< there is something for send()
  std::unique_ptr<PacketBatch> kept_;  ///< sealed, and the socket had no room
  int postponed_ = 0;
  int last_error_ = 0;          ///< of a send
  TaskGroup* group_ = nullptr;  ///< while run() runs
  bool ends_when_empty_ = false;
  std::optional<Error> error_;
};

}  // namespace gost::kcp
