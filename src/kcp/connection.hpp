// Connection: one KCP session between opened packets and bytes: ARQ and error correction, no I/O (wire.md §12.1).
#pragma once

#include "core/duration.hpp"
#include "kcp/arq.hpp"
#include "kcp/fec_decoder.hpp"
#include "kcp/fec_encoder.hpp"
#include "kcp/options.hpp"
#include "kcp/packet_batch.hpp"
#include "kcp/shard_pool.hpp"

#include <cstddef>
#include <memory>
#include <optional>

namespace gost::kcp {

/// What all connections of a configuration share. Immutable.
struct ConnectionOptions {
  /// `options` must be valid.
  static Result<std::shared_ptr<const ConnectionOptions>> make(const Options& options);

  ArqOptions arq;
  std::size_t mtu = 1350;
  std::shared_ptr<const ReedSolomon> code;  ///< null: no error correction of what we send
};

/// Packets are opened before and sealed after by whoever has the cipher. An idle connection holds a few kilobytes.
class Connection {
 public:
  /// `pool` belongs to the loop and must live as long.
  Connection(ShardPool& pool, std::shared_ptr<const ConnectionOptions> options, std::uint32_t conversation);

  std::uint32_t conversation() const { return arq_.conversation(); }

  /// Takes an opened packet. False if it was malformed or not of this session.
  bool input(Bytes packet, PacketKind kind, TimePoint now);
  /// Puts packets that are due into `batch`, unsealed. False if its room, or `most` bytes, did not suffice: then
  /// there is more. `may_time_out` as of Arq::flush().
  bool flush(PacketBatch& batch, std::size_t most, TimePoint now, bool may_time_out);
  /// When flush() has something to do; nothing for an idle connection.
  std::optional<TimePoint> next_timeout(TimePoint now) const;

  /// As of Arq.
  std::size_t write(Bytes from, TimePoint now) { return arq_.write(from, millis(now)); }
  std::size_t read(MutableBytes into, TimePoint now) { return arq_.read(into, millis(now)); }
  std::size_t readable() const { return arq_.readable(); }
  bool writable() const { return arq_.writable(); }
  std::size_t unacknowledged() const { return arq_.unacknowledged(); }
  void discard() { arq_.discard(); }
  const std::optional<Error>& failure() const { return arq_.failure(); }

  const Arq& arq() const { return arq_; }
  std::uint64_t restored() const { return decoder_ ? decoder_->restored() : 0; }
  /// Packets that error correction has dropped.
  std::uint64_t unused() const { return decoder_ ? decoder_->dropped() : 0; }

 private:
  class Packer;

  static Millis millis(TimePoint now);
  bool put_parity(PacketBatch& batch);

  ShardPool& pool_;
  std::shared_ptr<const ConnectionOptions> options_;
  Arq arq_;
  std::optional<FecEncoder> encoder_;
  std::optional<FecDecoder> decoder_;     ///< as soon as the peer sends such packets
  std::span<const MutableBytes> parity_;  ///< of the last group, not in a batch yet
};

}  // namespace gost::kcp
