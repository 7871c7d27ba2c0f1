#include "route/peer_datagram.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace gost {

IoResult PeerDatagram::try_receive(DatagramBatch& batch) {
  auto is_from_peer = [this](const ReceivedDatagram& it) {
    return it.name.empty() && it.peer.port() == peer_.port() && it.peer.ip().unmapped() == peer_.ip().unmapped();
  };
  IoResult result = below_->try_receive(batch);
  if (result.status != IoResult::Status::ok || std::ranges::all_of(batch.items(), is_from_peer)) return result;
  std::vector<ReceivedDatagram> kept;  // strangers are rare
  std::ranges::copy_if(batch.items(), std::back_inserter(kept), is_from_peer);
  strangers_ += batch.items().size() - kept.size();
  batch.clear();
  for (const ReceivedDatagram& datagram : kept) batch.add(datagram);
  return result;
}

SendOutcome PeerDatagram::try_send(std::span<const OutgoingDatagram> datagrams) {
  constexpr std::size_t kChunk = 64;
  std::array<OutgoingDatagram, kChunk> chunk;
  SendOutcome total;
  while (!datagrams.empty() && !below_->pending()) {
    std::size_t count = std::min(datagrams.size(), kChunk);
    for (std::size_t i = 0; i < count; ++i) chunk[i] = {peer_, {}, datagrams[i].head, datagrams[i].payload};
    total += below_->try_send(std::span(chunk).first(count));
    datagrams = datagrams.subspan(count);
  }
  total.dropped += datagrams.size();
  return total;
}

}  // namespace gost
