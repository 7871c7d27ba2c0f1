#include "net/memory_datagram.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

namespace gost {

namespace {

struct Packet {
  SocketAddress peer;
  std::string name;
  std::vector<std::uint8_t> payload;
};

/// Datagrams on the way in one direction.
struct Channel {
  std::deque<Packet> packets;
  std::size_t capacity;
  bool ended = false;   // the sender is gone
  bool broken = false;  // the receiver is gone
  Wait* reader = nullptr;
  Wait* writer = nullptr;

  bool full() const { return packets.size() >= capacity; }
  void put(Packet packet) {
    packets.push_back(std::move(packet));
    wake(reader);
  }
  static void wake(Wait*& place) {
    if (place != nullptr) place->complete();
  }
};

Packet packet_of(const OutgoingDatagram& datagram) {
  Packet packet{datagram.peer, std::string(datagram.name), {datagram.head.begin(), datagram.head.end()}};
  packet.payload.insert(packet.payload.end(), datagram.payload.begin(), datagram.payload.end());
  return packet;
}

class MemoryDatagram final : public Datagram {
 public:
  MemoryDatagram(std::shared_ptr<Channel> in, std::shared_ptr<Channel> out, const MemoryDatagramOptions& options)
      : in_(std::move(in)), out_(std::move(out)), options_(options) {}
  ~MemoryDatagram() override {
    out_->ended = true;
    Channel::wake(out_->reader);
    in_->broken = true;
    Channel::wake(in_->writer);
  }

  IoResult try_receive(DatagramBatch& batch) override {
    batch.clear();
    held_.clear();
    if (in_->packets.empty()) return in_->ended ? IoResult::eof() : IoResult::would_block();
    MutableBytes room = batch.memory();
    std::size_t bytes = 0;
    while (!in_->packets.empty() && held_.size() < options_.receive_at_most) {
      const std::size_t size = in_->packets.front().payload.size();
      if (size > room.size()) break;
      const Packet& packet = held_.emplace_back(std::move(in_->packets.front()));
      in_->packets.pop_front();
      std::ranges::copy(packet.payload, room.begin());
      batch.add({packet.peer, packet.name, room.first(size)});
      room = room.subspan(size);
      bytes += size;
    }
    Channel::wake(in_->writer);
    return IoResult::moved(bytes);
  }

  SendOutcome try_send(std::span<const OutgoingDatagram> datagrams) override {
    SendOutcome outcome;
    if (out_->broken) return {.dropped = datagrams.size(), .error = EPIPE};
    const bool closed = pending();
    for (const OutgoingDatagram& datagram : datagrams) {
      bool keep = options_.keeps_what_was_begun && !closed;
      if (out_->full() && !keep) {
        ++outcome.dropped;
        continue;
      }
      outcome.add_sent(datagram);
      if (out_->full() || pending()) {
        kept_.push_back(packet_of(datagram));
      } else {
        out_->put(packet_of(datagram));
      }
    }
    return outcome;
  }

  bool pending() const override { return !kept_.empty(); }
  IoResult try_flush() override {
    if (out_->broken) return kept_.empty() ? IoResult::moved(0) : IoResult::failed(EPIPE);
    while (!kept_.empty() && !out_->full()) {
      out_->put(std::move(kept_.front()));
      kept_.pop_front();
    }
    return kept_.empty() ? IoResult::moved(0) : IoResult::would_block();
  }

  bool takes_names() const override { return options_.names; }
  bool ready(Interest interest) const override {
    if (interest == Interest::read) return !in_->packets.empty() || in_->ended;
    return !out_->full() || out_->broken;
  }
  Wait*& waiting(Interest interest) override { return interest == Interest::read ? in_->reader : out_->writer; }
  SocketAddress local() const override { return options_.local; }
  std::string layers() const override { return "memory"; }

 private:
  std::shared_ptr<Channel> in_;
  std::shared_ptr<Channel> out_;
  MemoryDatagramOptions options_;
  std::deque<Packet> held_;  ///< the names that the batch refers to
  std::deque<Packet> kept_;  ///< begun, but there was no room
};

}  // namespace

std::pair<std::unique_ptr<Datagram>, std::unique_ptr<Datagram>> make_memory_datagrams(
    const MemoryDatagramOptions& options) {
  auto forth = std::make_shared<Channel>();
  auto back = std::make_shared<Channel>();
  forth->capacity = back->capacity = options.capacity;
  MemoryDatagramOptions peer{.capacity = options.capacity, .names = true};
  return {std::make_unique<MemoryDatagram>(back, forth, options),
          std::make_unique<MemoryDatagram>(forth, back, peer)};
}

}  // namespace gost
