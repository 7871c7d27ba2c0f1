// ReloadedContext: what both sides' contexts have in common. One thing read from files, and for each loop a context
// of OpenSSL made from it.
#pragma once

#include "core/snapshot.hpp"
#include "net/io_context.hpp"
#include "runtime/per_loop.hpp"
#include "tls/file.hpp"
#include "tls/openssl.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace gost::tls {

/// `Side` derives from this and has `load()`, which reads a Material from the files, and `build(material)`, which
/// makes a context of it. `PerContext` begins anew with every context: what is remembered only as long as that is in
/// force.
template <class Side, class Material, class PerContext = std::monostate>
class ReloadedContext {
 public:
  /// Reads the files again if one of them is another one than before; true if new ones are in force. After an error
  /// (told once for each change) the old ones stay. Connections go on. Any thread, one call at a time; blocks on
  /// files.
  Result<bool> reload_if_changed() {
    if (!files_.changed()) return false;
    if (auto loaded = renew(); !loaded) return fail(loaded.error());
    return true;
  }

  /// The context of this loop, made at its first use and after a reload; null if memory is out. Loop's thread.
  SSL_CTX* context_for(const IoContext& io) const { return state_for(io).context.get(); }

 protected:
  struct LoopState {
    std::uint64_t generation = 0;
    SslContextPtr context;
    PerContext own;
  };

  /// Loads and puts in force.
  Result<> renew() {
    auto material = side().load();
    if (!material) return fail(material.error());
    // Tried once here, so that it cannot fail later on a loop.
    if (auto built = side().build(**material); !built) return fail(built.error());
    material_.store(std::move(*material));
    generation_.fetch_add(1, std::memory_order_release);
    return {};
  }

  std::shared_ptr<const Material> material() const { return material_.load(); }

  LoopState& state_for(const IoContext& io) const {
    LoopState& state = loops_.get(io.loop);
    std::uint64_t generation = generation_.load(std::memory_order_acquire);
    if (state.generation != generation) {
      if (auto built = side().build(*material_.load())) state = {generation, std::move(*built), PerContext()};
    }
    return state;
  }

 private:
  friend Side;
  explicit ReloadedContext(std::vector<std::string> files) : files_(std::move(files)) {}

  const Side& side() const { return static_cast<const Side&>(*this); }

  WatchedFiles files_;
  Snapshot<Material> material_;
  std::atomic<std::uint64_t> generation_{0};
  PerLoop<LoopState> loops_;
};

}  // namespace gost::tls
