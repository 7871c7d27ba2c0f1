// YamuxStream: what a yamux session knows of one of its streams. No I/O.
#pragma once

#include "mux/byte_queue.hpp"
#include "mux/machine.hpp"
#include "mux/yamux_frame.hpp"
#include "runtime/list.hpp"

#include <cstddef>
#include <cstdint>

namespace gost {

class YamuxMachine;
struct YamuxTableTag;
struct YamuxControlTag;

/// Each direction ends for itself, with a FIN. Closing it sends one if need be, aborting it an RST. A stream that was
/// not accepted yet is refused with an RST.
class YamuxStream final : public MuxMachineStream, public ListHook<YamuxTableTag>, public ListHook<YamuxControlTag> {
 public:
  /// The machine makes them.
  YamuxStream(YamuxMachine& machine, std::uint32_t id) : MuxMachineStream(id), machine_(&machine) {}
  ~YamuxStream() override { YamuxStream::close(); }

  bool readable() const override { return !queue_.empty() || remote_finished_ || reset_ || machine_ == nullptr; }
  IoResult read(MutableBytes into, TimePoint now) override;
  /// ECONNRESET behind an RST of the peer.
  int send_error() const override;
  /// 0 also while the peer has too many streams to accept before this one.
  std::size_t sendable() const override { return send_error() == 0 && !held_ ? send_window_ : 0; }
  MuxHeader header(std::size_t length) const override;
  void sent(std::size_t bytes) override { send_window_ -= static_cast<std::uint32_t>(bytes); }
  IoResult shutdown() override;
  void close() override { leave(false); }
  void abort() override { leave(true); }

 private:
  friend class YamuxMachine;

  void leave(bool broken);

  YamuxMachine* machine_;     ///< null when the session has ended or the stream is closed
  bool held_ = false;         ///< its SYN waits until the peer has accepted others
  bool unannounced_ = false;  ///< its SYN has not been sent
  bool awaits_ack_ = false;   ///< ours, and the peer has not accepted it
  bool wants_ack_ = false;    ///< the peer's, and it has not been told that we accept it
  bool wants_update_ = false;
  bool wants_fin_ = false;
  bool finished_ = false;  ///< shut down
  bool remote_finished_ = false;
  bool reset_ = false;  ///< by the peer
  bool closed_ = false;

  ByteQueue queue_;
  std::uint64_t received_ = 0;
  std::uint64_t consumed_ = 0;                 ///< read by our side
  std::uint64_t granted_ = kYamuxFirstWindow;  ///< the peer may send up to here
  std::uint32_t send_window_ = kYamuxFirstWindow;
};

}  // namespace gost
