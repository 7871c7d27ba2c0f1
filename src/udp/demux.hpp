// UdpDemux: makes sessions of the datagrams that come over one way from many clients.
#pragma once

#include "component/listener.hpp"
#include "runtime/event.hpp"
#include "runtime/task_group.hpp"
#include "udp/session.hpp"

#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

namespace gost {

struct DemuxOptions {
  /// A session ends so long after its last datagram, of either direction (option ttl, alias keepalive.ttl).
  Duration ttl = std::chrono::seconds(5);
  std::size_t longest = 4096;  ///< bytes of one datagram (option readBufferSize, alias udp.bufferSize)
  /// Datagrams of one session that may wait when more come (option readQueueSize, alias recvQueueSize).
  std::size_t queue_size = 128;
  /// Bytes that wait in all queues together: a bound for the memory of whoever floods with many sources.
  std::size_t max_queued_bytes = std::size_t{64} * 1024 * 1024;
};

/// Works over any way for datagrams: a socket, or a tunnel whose far end tells where each one comes from (wire.md
/// §7.4). Belongs to one loop.
class UdpDemux {
 public:
  /// `below` and `sink` must live as long as it; the sessions need not end before. `limits` is shared by the
  /// demultiplexers of a service.
  UdpDemux(IoContext& io, Datagram& below, StreamSink& sink, const DemuxOptions& options,
           std::shared_ptr<SessionLimits> limits);
  UdpDemux(const UdpDemux&) = delete;
  UdpDemux& operator=(const UdpDemux&) = delete;
  /// Ends the sessions that are left.
  ~UdpDemux();

  /// Delivers sessions to the sink until the scope is stopped (then nothing is returned) or `below` ends or breaks
  /// (then the error). A datagram of a new client opens a session unless the limits are reached or it is too long;
  /// then it is dropped and the sink is told.
  Task<std::optional<Error>> run();

  std::size_t sessions() const { return table_.size(); }

  // For its sessions.

  Loop& loop() const { return io_.loop; }
  const DemuxOptions& options() const { return options_; }
  Datagram& below() const { return below_; }
  const SocketAddress& local() const { return local_; }
  /// Reserves room for a datagram of `bytes` in a queue; false if there is none.
  bool may_queue(std::size_t bytes);
  /// Numbers the receives.
  std::uint64_t batch() const { return batch_; }
  /// A session that is being read has much in its queue: it goes first.
  void crowded() { crowded_ = true; }
  /// So many bytes have left a queue.
  void unqueued(std::size_t bytes) { queued_bytes_ -= bytes; }
  /// The session ends; so many bytes are in its queue.
  void forget(UdpSession& session, std::size_t bytes_queued);
  /// Has the way below flushed, then tells the session.
  void flush_for(UdpSession& session);

 private:
  struct Hash {
    using is_transparent = void;
    SourceHash of;
    std::size_t operator()(const SourceView& source) const { return of(source); }
    std::size_t operator()(const UdpSession* session) const { return of(session->source().view()); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const UdpSession* one, const UdpSession* other) const { return one == other; }
    bool operator()(const SourceView& source, const UdpSession* session) const {
      return source == session->source().view();
    }
    bool operator()(const UdpSession* session, const SourceView& source) const {
      return source == session->source().view();
    }
  };

  Task<> receive();
  Task<> flush();
  void end(std::optional<Error> error);
  void dispatch();
  void deliver_new();
  UdpSession* session_of(const ReceivedDatagram& datagram);
  UdpSession* open(const ReceivedDatagram& datagram);
  std::string too_long(std::size_t size) const;

  IoContext& io_;
  Datagram& below_;
  StreamSink& sink_;
  const DemuxOptions options_;
  std::shared_ptr<SessionLimits> limits_;
  const SocketAddress local_;
  std::unordered_set<UdpSession*, Hash, Equal> table_;
  std::vector<std::unique_ptr<UdpSession>> new_;  ///< to be delivered when the batch has been used up
  std::size_t queued_bytes_ = 0;
  std::uint64_t batch_ = 0;
  bool crowded_ = false;
  Event flush_request_;  ///< a session waits until the way below is written to the end
  List<UdpSession, UdpSessionTag> waiting_for_flush_;
  TaskGroup* group_ = nullptr;  ///< while run() runs
  bool ended_ = false;
  std::optional<Error> error_;
};

}  // namespace gost
