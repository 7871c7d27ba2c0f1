#include "kcp/loop_state.hpp"

namespace gost::kcp {

Result<Keys> Keys::derive(const Options& options) {
  Keys keys{.crypt = options.crypt, .passes = {}};
  for (const std::string& text : options.keys) {
    auto pass = derive_pass(text);
    if (!pass) return fail(pass.error().in("kcp"));
    keys.passes.push_back(*pass);
  }
  // What the library does not have is an error of the configuration, to be told at the start.
  if (auto made = PacketCrypt::make(keys.crypt, keys.passes.front()); !made) return fail(made.error().in("kcp"));
  return keys;
}

Result<std::unique_ptr<LoopState>> LoopState::make(const Keys& keys) {
  auto nonces = NonceSource::make();
  if (!nonces) return fail(Cause::exhausted, "kcp: no randomness for nonces");
  auto state = std::unique_ptr<LoopState>(new LoopState{.pool = {}, .nonces = std::move(*nonces), .crypts = {}});
  for (const Pass& pass : keys.passes) {
    auto crypt = PacketCrypt::make(keys.crypt, pass);
    if (!crypt) return fail(crypt.error().in("kcp"));
    state->crypts.push_back(std::move(*crypt));
  }
  return state;
}

}  // namespace gost::kcp
