// A way for datagrams in memory, for tests: what comes is put in by the test, what is sent can be looked at.
#pragma once

#include "net/datagram.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gost::testing {

struct Packet {
  SocketAddress peer;
  std::string name;
  std::string payload;  ///< with its head
  friend bool operator==(const Packet&, const Packet&) = default;
};

/// The far side of a ScriptedDatagram; outlives it.
struct DatagramScript {
  std::deque<Packet> incoming;
  std::vector<Packet> sent;
  std::vector<std::size_t> sends;  ///< datagrams of each call
  std::size_t receives = 0;        ///< calls
  bool ended = false;              ///< after what is incoming: eof
  int failure = 0;                 ///< after what is incoming: this error
  int send_error = 0;              ///< every datagram is dropped with this errno
  bool names = false;              ///< takes_names()
  std::size_t held_back = 0;       ///< after a send: so many flushes say would_block
  SocketAddress local{IpAddress::v4({127, 0, 0, 1}), 4000};
  Wait* reader = nullptr;
  Wait* writer = nullptr;

  void put(Packet packet) {
    incoming.push_back(std::move(packet));
    wake(reader);
  }
  void end() {
    ended = true;
    wake(reader);
  }
  void fail(int number) {
    failure = number;
    wake(reader);
  }
  /// What was sent since the last call.
  std::vector<Packet> take() { return std::exchange(sent, {}); }

  static void wake(Wait* wait) {
    if (wait != nullptr) wait->complete();
  }
};

class ScriptedDatagram final : public Datagram {
 public:
  explicit ScriptedDatagram(std::shared_ptr<DatagramScript> script) : script_(std::move(script)) {}

  IoResult try_receive(DatagramBatch& batch) override {
    batch.clear();
    ++script_->receives;
    if (script_->incoming.empty()) {
      if (script_->failure != 0) return IoResult::failed(script_->failure);
      return script_->ended ? IoResult::eof() : IoResult::would_block();
    }
    held_ = std::exchange(script_->incoming, {});
    std::size_t bytes = 0;
    std::size_t place = 0;
    for (const Packet& packet : held_) {
      MutableBytes room = batch.memory().subspan(place, packet.payload.size());
      std::ranges::copy(as_bytes(packet.payload), room.begin());
      batch.add({packet.peer, packet.name, room});
      place += room.size();
      bytes += room.size();
    }
    return IoResult::moved(bytes);
  }

  SendOutcome try_send(std::span<const OutgoingDatagram> datagrams) override {
    script_->sends.push_back(datagrams.size());
    if (script_->send_error != 0) return {.dropped = datagrams.size(), .error = script_->send_error};
    SendOutcome outcome;
    for (const OutgoingDatagram& datagram : datagrams) {
      outcome.add_sent(datagram);
      script_->sent.push_back({datagram.peer, std::string(datagram.name),
                               std::string(as_text(datagram.head)) + std::string(as_text(datagram.payload))});
    }
    return outcome;
  }

  bool pending() const override { return script_->held_back > 0; }
  IoResult try_flush() override { return --script_->held_back > 0 ? IoResult::would_block() : IoResult::moved(0); }
  bool takes_names() const override { return script_->names; }
  bool ready(Interest interest) const override {
    return interest == Interest::write || !script_->incoming.empty() || script_->ended || script_->failure != 0;
  }
  Wait*& waiting(Interest interest) override {
    return interest == Interest::read ? script_->reader : script_->writer;
  }
  SocketAddress local() const override { return script_->local; }
  std::string layers() const override { return "script"; }

 private:
  std::shared_ptr<DatagramScript> script_;
  std::deque<Packet> held_;  ///< the names that the batch refers to
};

}  // namespace gost::testing
