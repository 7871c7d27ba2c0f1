// SmuxStream: what an smux session knows of one of its streams. No I/O.
#pragma once

#include "core/bytes.hpp"
#include "core/duration.hpp"
#include "mux/byte_queue.hpp"
#include "mux/machine.hpp"
#include "mux/smux_frame.hpp"
#include "runtime/list.hpp"

#include <cstddef>
#include <cstdint>

namespace gost {

class SmuxMachine;
struct SmuxTableTag;
struct SmuxControlTag;

/// Closing it sends a FIN (wire.md §6.6); smux has no reset. EPROTO: the peer claims to have read more than was sent.
class SmuxStream final : public MuxMachineStream, public ListHook<SmuxTableTag>, public ListHook<SmuxControlTag> {
 public:
  /// The machine makes them.
  SmuxStream(SmuxMachine& machine, std::uint32_t id);
  ~SmuxStream() override { SmuxStream::close(); }

  bool readable() const override { return !queue_.empty() || remote_finished_ || machine_ == nullptr; }
  IoResult read(MutableBytes into, TimePoint now) override;
  int send_error() const override;
  std::size_t sendable() const override;
  MuxHeader header(std::size_t length) const override;
  void sent(std::size_t bytes) override { sent_ += static_cast<std::uint32_t>(bytes); }
  /// ENOTSUP unless the peer has said that it understands half-closes.
  IoResult shutdown() override;
  void close() override;
  void abort() override { close(); }
  Error error(int number) const override;

 private:
  friend class SmuxMachine;

  /// Until the peer says something else (§6.4).
  static constexpr std::uint32_t kFirstWindow = 262144;

  SmuxMachine* machine_;      ///< null when the session has ended or the stream is closed
  bool unannounced_ = false;  ///< its SYN has not been sent
  bool wants_update_ = false;
  bool announced_window_ = false;
  bool remote_finished_ = false;
  bool remote_closed_ = false;  ///< the peer does not read either
  bool end_seen_ = false;       ///< the reader knows that there is no more
  bool finished_ = false;       ///< shut down
  bool closed_ = false;

  ByteQueue queue_;
  std::uint64_t received_ = 0;
  std::uint64_t consumed_ = 0;            ///< read by our side
  std::uint64_t reported_ = 0;            ///< `consumed_` at the last UPD
  std::uint64_t granted_ = kFirstWindow;  ///< the peer may send up to here; never goes back
  std::uint32_t window_;
  std::uint64_t measured_from_ = 0;  ///< `consumed_` at `measured_at_`
  TimePoint measured_at_{};
  bool was_dry_ = false;  ///< the reader had read everything since then

  std::uint32_t sent_ = 0;  ///< modulo 2^32, as the three that follow
  std::uint32_t peer_consumed_ = 0;
  std::uint32_t peer_window_ = kFirstWindow;
};

}  // namespace gost
