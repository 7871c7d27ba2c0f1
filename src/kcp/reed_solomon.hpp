// ReedSolomon: parity over GF(2^8) with the matrix that KCP's peers use (wire.md §12.4).
#pragma once

#include "core/bytes.hpp"
#include "core/error.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace gost::kcp {

/// For a number of data and parity shards; immutable, so all sessions of a configuration may share one. At each
/// place, the bytes of the data shards are the values of a polynomial at 0, 1, … data()-1, and those of the parity
/// shards its values at data(), … : any data() of them determine it. (This is what the Vandermonde matrix times the
/// inverse of its upper square comes to.)
class ReedSolomon {
 public:
  static constexpr std::size_t kMostShards = 256;

  /// Errors (Cause::invalid): no data, no parity, or more than 256 shards.
  static Result<ReedSolomon> make(std::size_t data, std::size_t parity);

  std::size_t data() const { return data_; }
  std::size_t parity() const { return parity_; }
  std::size_t shards() const { return data_ + parity_; }
  /// The factors that make the parity shard `index` (from 0) out of the data, one for each data shard.
  Bytes parity_row(std::size_t index) const { return Bytes(rows_).subspan(index * data_, data_); }

  /// Adds what the data shard `index` contributes to every parity shard. parity[i] points to at least shard.size()
  /// bytes, zeros before the first shard of a group. Shards of a group may be of different length: the rest counts as
  /// zeros.
  void accumulate(std::size_t index, Bytes shard, std::span<std::uint8_t* const> parity) const;

  struct Shard {
    std::size_t number;         ///< data from 0, then parity
    const std::uint8_t* bytes;  ///< `length` of them
  };
  /// Computes the data shards `missing`. `have` are data() different shards without these; into[i] is where
  /// missing[i] goes (`length` bytes). False if the numbers make no sense.
  bool reconstruct(std::span<const Shard> have, std::size_t length, std::span<const std::size_t> missing,
                   std::span<std::uint8_t* const> into) const;

 private:
  ReedSolomon(std::size_t data, std::size_t parity) : data_(data), parity_(parity) {}

  std::size_t data_;
  std::size_t parity_;
  std::vector<std::uint8_t> rows_;    ///< of the parity shards
  std::vector<std::uint8_t> tables_;  ///< the same in the form that ISA-L multiplies by
};

}  // namespace gost::kcp
