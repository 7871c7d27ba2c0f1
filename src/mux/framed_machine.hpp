// FramedMachine: cuts what a machine is given into heads of frames and their payload.
#pragma once

#include "mux/machine.hpp"

#include <array>
#include <cstddef>
#include <optional>

namespace gost {

class FramedMachine : public MuxMachine {
 public:
  Result<> input(Bytes bytes) final;
  bool within_frame() const final { return head_size_ > 0 || payload_left_ > 0; }

 protected:
  /// A head has at least `head_size` bytes, and 16 at most.
  explicit FramedMachine(std::size_t head_size) : head_at_least_(head_size), head_wanted_(head_size) {}

  /// What there is of a head, which begins with `head`. How many bytes more it needs; 0 if it was complete, and is
  /// done with. Called as soon as there is one byte, so that a peer that says too little of something else is told.
  virtual std::size_t take_head(Bytes head) = 0;
  /// Some of the payload of the frame; what is left of it was counted down already.
  virtual void take_payload(Bytes bytes) = 0;

  std::size_t payload_left_ = 0;  ///< to be set by take_head()
  std::optional<Error> error_;    ///< ends the session

 private:
  static constexpr std::size_t kMaxHead = 16;

  std::array<std::uint8_t, kMaxHead> head_{};
  std::size_t head_size_ = 0;
  const std::size_t head_at_least_;
  std::size_t head_wanted_;
};

}  // namespace gost
