// UdpSession: of the datagrams of many clients those of one, as the end that a handler serves.
#pragma once

#include "net/datagram.hpp"
#include "runtime/list.hpp"
#include "udp/payload_queue.hpp"
#include "udp/source.hpp"

#include <atomic>
#include <memory>
#include <string>

namespace gost {

class UdpDemux;

/// What the sessions of one service may use, over all of its loops.
struct SessionLimits {
  std::size_t max_open = 65536;  ///< sessions (option maxSessions)
  std::size_t backlog = 128;     ///< sessions whose handler has not begun to read

  std::atomic<std::size_t> open{0};
  std::atomic<std::size_t> unread{0};
};

/// Receives what its client sends, and sends to its client whatever address a datagram names. Ends (eof, behind what
/// is queued) when its demultiplexer does, or `ttl` after the last datagram of either direction; that time begins
/// with the first receive, so that a way that is slow to open loses nothing.
class UdpSession final : public Datagram, public ListHook<struct UdpSessionTag>, private Timer {
 public:
  UdpSession(UdpDemux& demux, Source source, std::shared_ptr<SessionLimits> limits);
  ~UdpSession() override;

  IoResult try_receive(DatagramBatch& batch) override;
  SendOutcome try_send(std::span<const OutgoingDatagram> datagrams) override;
  bool pending() const override;
  IoResult try_flush() override;
  std::uint64_t discarded() const override { return discarded_; }
  bool ready(Interest interest) const override;
  Wait*& waiting(Interest interest) override { return interest == Interest::read ? reader_ : writer_; }
  SocketAddress local() const override;
  std::string layers() const override;
  Error error(int number) const override;

  const Source& source() const { return source_; }

  // For its demultiplexer.

  /// A datagram of its client, which sent it to `local`: what is sent from now on leaves from there. False if it was
  /// dropped because it is too long, for the first time.
  bool take(Bytes payload, const IpAddress& local);
  /// Nothing comes any more; the demultiplexer has forgotten it.
  void end();
  /// The way below can be written to again.
  void writable() { wake(writer_); }

 private:
  static void wake(Wait* wait) {
    if (wait != nullptr) wait->complete();
  }
  void begin();
  void touch();
  void on_timer();

  UdpDemux* demux_;  ///< null when it has ended
  Loop& loop_;
  std::shared_ptr<SessionLimits> limits_;
  const Source source_;
  IpAddress local_ip_;  ///< which of the own addresses the client knows; unspecified: there is only one
  PayloadQueue queue_;
  PayloadQueue held_;              ///< what the last receive handed out
  std::uint64_t batch_ = 0;        ///< of the demultiplexer, when something came last
  std::size_t waited_before_ = 0;  ///< datagrams in the queue before that
  TimePoint last_passed_;
  std::uint64_t discarded_ = 0;
  bool begun_ = false;
  bool too_long_ = false;  ///< one was
  Wait* reader_ = nullptr;
  Wait* writer_ = nullptr;
};

}  // namespace gost
