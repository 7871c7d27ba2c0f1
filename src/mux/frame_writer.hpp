// FrameWriter: puts frames on the stream below, whole.
#pragma once

#include "core/bytes.hpp"
#include "mux/machine.hpp"
#include "net/pools.hpp"
#include "net/stream.hpp"

#include <cstddef>
#include <vector>

namespace gost {

/// A frame that has begun must end, so what the stream below does not take of it is kept: less than one frame and the
/// control frames in front of it. Idle it holds no memory.
class FrameWriter {
 public:
  /// Both must live as long as it.
  FrameWriter(Stream& below, BufferPool& buffers) : below_(below), buffers_(buffers) {}

  /// Bytes are kept that must leave first.
  bool pending() const { return !kept_.empty(); }
  std::size_t pending_bytes() const { return kept_.size() - written_; }
  /// Writes what is kept. ok: nothing is left.
  IoResult flush();

  /// Writes `control`: whole frames, which are kept if need be. Only when nothing is pending. ok: they have left.
  IoResult write(Bytes control) { return write(control, {}, nullptr, 0); }
  /// Writes `control` likewise, then as much of `payload` as the stream below takes, in frames of `stream` with at
  /// most `max_frame` bytes each. ok: so many bytes of `payload` are in frames that have begun, 0 if there is room
  /// for none.
  IoResult write(Bytes control, Bytes payload, const MuxMachineStream& stream, std::size_t max_frame) {
    return write(control, payload, &stream, max_frame);
  }

 private:
  struct Plan;

  IoResult write(Bytes control, Bytes payload, const MuxMachineStream* stream, std::size_t max_frame);
  /// Gathers straight from the caller's memory into the socket.
  IoResult send(const Plan& plan);
  /// For what is no socket: copies, so that it is one write, and one record of a TLS below.
  IoResult copy(const Plan& plan);
  /// `written` bytes of the plan have left; keeps what must follow. The payload bytes that have begun.
  std::size_t settle(const Plan& plan, std::size_t written);
  void keep(Bytes bytes) { kept_.insert(kept_.end(), bytes.begin(), bytes.end()); }

  Stream& below_;
  BufferPool& buffers_;
  std::vector<std::uint8_t> kept_;
  std::size_t written_ = 0;  ///< of `kept_`
};

}  // namespace gost
