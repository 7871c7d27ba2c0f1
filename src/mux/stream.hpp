// MuxStream: one of the streams of a MuxSession.
#pragma once

#include "mux/machine.hpp"
#include "mux/send_turns.hpp"
#include "net/stream.hpp"

#include <memory>
#include <optional>
#include <string>

namespace gost {

class MuxSession;

/// What all streams of a session say of the way that they take.
struct MuxPath {
  SocketAddress local;
  SocketAddress remote;
  std::string layers;
  std::optional<Error> broken;  ///< why the session ended, if that is worth telling
};

/// Closing it tells the peer. The bytes of each try_write begin a frame of their own. Outlives its session safely:
/// then it gives what is buffered, and after that eof if the peer had ended it, else ECONNRESET.
class MuxStream final : public Stream, public SendTurn, private MuxObserver {
 public:
  /// Sessions make them.
  MuxStream(MuxSession& session, std::unique_ptr<MuxMachineStream> state, std::shared_ptr<const MuxPath> path);
  ~MuxStream() override { leave(false); }

  std::uint32_t id() const { return state_->id(); }
  /// What remote() says from now on: a peer that somebody else has accepted for us (MBIND, §5.3).
  void set_remote(SocketAddress remote) { remote_ = remote; }

  IoResult try_read(MutableBytes into) override;
  IoResult try_write(Bytes from) override;
  /// ENOTSUP with smux, unless the peer has said that it understands half-closes (smux_frame.hpp).
  IoResult try_shutdown() override;
  /// Closes at once: what is unread is dropped, and the peer sees a reset if the protocol has one (smux has none).
  void abort() override { leave(true); }
  std::size_t undelivered() const override;
  bool ready(Interest interest) const override;
  Wait*& waiting(Interest interest) override;
  SocketAddress local() const override { return path_->local; }
  SocketAddress remote() const override { return remote_.value_or(path_->remote); }
  std::string layers() const override { return path_->layers; }
  /// A reset by the end of the session says why that ended.
  Error error(int number) const override;

  // For its session.

  MuxMachineStream& state() { return *state_; }
  void turn_granted() { wake(writer_); }

 private:
  static void wake(Wait* wait) {
    if (wait != nullptr) wait->complete();
  }
  void readable() override { wake(reader_); }
  void writable() override;
  void ended() override;
  void leave(bool broken);

  MuxSession* session_;  ///< null when it has ended, or the stream is closed
  std::unique_ptr<MuxMachineStream> state_;
  std::shared_ptr<const MuxPath> path_;
  std::optional<SocketAddress> remote_;
  Wait* reader_ = nullptr;
  Wait* writer_ = nullptr;
};

}  // namespace gost
