// permessage-deflate without context takeover (RFC 7692): each message is compressed by itself.
#pragma once

#include "core/bytes.hpp"
#include "core/error.hpp"

#include <cstddef>
#include <memory>

namespace gost::ws {

/// So much is compressed into one message; then its result fits into a 64 KiB buffer with its head, whatever it is.
inline constexpr std::size_t kMaxDeflated = std::size_t{32} * 1024;

/// Compresses a message of 1 to kMaxDeflated bytes into `into`, which must have room for half as much again. The
/// size. Error: Cause::exhausted (no memory for it).
Result<std::size_t> deflate_message(Bytes message, MutableBytes into);

/// One compressed message on its way in. It never makes more than the caller has room for, so a message that grows
/// without end costs no more memory than any other.
class Inflater {
 public:
  /// Error: Cause::exhausted.
  static Result<std::unique_ptr<Inflater>> begin();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// The next compressed bytes; they must stay where they are until pending() is false. Only when it is.
  void feed(Bytes compressed);
  /// Nothing follows in this message. Only when nothing is pending. Error (Cause::protocol): something should follow.
  Result<> finish();
  /// Whether inflate() may yield something.
  bool pending() const;
  /// All has been fed, and has come out.
  bool done() const { return finished_ && !pending(); }
  /// Fills `into` as far as it can. Error (Cause::protocol): these are no deflated bytes.
  Result<std::size_t> inflate(MutableBytes into);

 private:
  struct State;
  explicit Inflater(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
  bool more_ = false;  ///< there was no room for all of it
  bool finished_ = false;
};

}  // namespace gost::ws
