// LoopState: what all KCP sessions of a configuration share on one loop.
#pragma once

#include "kcp/nonce_source.hpp"
#include "kcp/options.hpp"
#include "kcp/packet_crypt.hpp"
#include "kcp/shard_pool.hpp"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace gost::kcp {

/// The keys of a configuration, derived once.
struct Keys {
  /// In the order of Options::keys. Errors: as of derive_pass() and PacketCrypt::make().
  static Result<Keys> derive(const Options& options);

  std::string crypt;
  std::vector<Pass> passes;
};

struct LoopState {
  /// Errors: a cipher or randomness cannot be had.
  static Result<std::unique_ptr<LoopState>> make(const Keys& keys);

  ShardPool pool;
  NonceSource nonces;
  std::vector<std::unique_ptr<PacketCrypt>> crypts;  ///< in the order of the keys
};

}  // namespace gost::kcp
