#include "kcp/dialer.hpp"

#include "kcp/carrier.hpp"
#include "kcp/snappy_stream.hpp"

#include <array>
#include <cstring>
#include <utility>

namespace gost::kcp {

namespace {

Task<> carry(std::unique_ptr<Carrier> carrier) {
  co_await carrier->run();
}

std::uint32_t random_conversation(NonceSource& source) {
  std::array<std::uint8_t, 4> bytes;
  source.fill(bytes);
  std::uint32_t number;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

}  // namespace

Result<std::shared_ptr<const KcpDialer>> KcpDialer::make(const Options& options, Logger log) {
  std::shared_ptr<KcpDialer> dialer(new KcpDialer(options, std::move(log)));
  dialer->options_.keys.resize(1);
  auto keys = Keys::derive(dialer->options_);
  if (!keys) return fail(keys.error());
  dialer->keys_ = std::move(*keys);
  auto connections = ConnectionOptions::make(options);
  if (!connections) return fail(connections.error());
  dialer->connections_ = std::move(*connections);
  return dialer;
}

Task<Result<std::unique_ptr<Stream>>> KcpDialer::dial(IoContext& io, RawConnection& raw) const {
  auto& state = states_.get(io.loop);
  if (!state) {
    auto made = LoopState::make(keys_);
    if (!made) co_return fail(std::move(made.error()));
    state = std::move(*made);
  }
  auto below = co_await raw.open_datagram();
  if (!below) co_return fail(std::move(below.error()));
  (*below)->tune({.buffer = static_cast<int>(options_.sockbuf), .dscp = static_cast<int>(options_.dscp)});
  const PacketBatch::Target target{.peer = (*below)->remote(), .local = {}, .crypt = state->crypts.front().get()};
  auto carrier = std::make_unique<Carrier>(io, std::move(*below), state, connections_, nullptr, log_);
  std::unique_ptr<Stream> stream = carrier->open(target, random_conversation(state->nonces)).second;
  carrier->end_when_empty();
  io.background.spawn(carry(std::move(carrier)));
  if (!options_.nocomp) stream = std::make_unique<SnappyStream>(io.buffers, std::move(stream));
  co_return stream;
}

}  // namespace gost::kcp
