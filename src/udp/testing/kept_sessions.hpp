// For tests of what makes sessions: a sink that keeps them, and a way for datagrams whose far side is the test's.
#pragma once

#include "component/listener.hpp"
#include "net/memory_datagram.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gost::testing {

/// Keeps the sessions that it gets, and what it is told.
class KeptSessions final : public StreamSink {
 public:
  struct Kept {
    std::unique_ptr<Datagram> datagrams;
    SocketAddress peer;
    SocketAddress local;
  };

  void deliver(std::unique_ptr<Stream>) override { ADD_FAILURE(); }
  void deliver(std::unique_ptr<Datagram> datagrams, SocketAddress peer, SocketAddress local) override {
    sessions.push_back({std::move(datagrams), peer, local});
  }
  void accept_failed(const Error& error, Duration) override { failures.push_back(error.text); }
  void carry(Task<>) override { ADD_FAILURE(); }
  void enter_handshake(HandshakeGate::Slot&, Scope&) override { ADD_FAILURE(); }
  void warn(const SocketAddress& client, const std::string& text) override {
    warnings.push_back(client.to_string() + ": " + text);
  }

  std::vector<Kept> sessions;
  std::vector<std::string> failures;
  std::vector<std::string> warnings;
};

inline SocketAddress client_address(std::uint8_t number) {
  return {IpAddress::v4({10, 0, 0, number}), static_cast<std::uint16_t>(1000 + number)};
}

/// Sends one datagram to (or, from the far side of a memory pair, as) `peer`.
inline SendOutcome send_to(Datagram& end, const SocketAddress& peer, const std::string& payload,
                           std::string_view name = {}) {
  std::vector<OutgoingDatagram> one{{.peer = peer, .name = name, .head = {}, .payload = as_bytes(payload)}};
  return end.try_send(one);
}

/// Everything that is there: source and payload of each.
inline std::vector<std::pair<SocketAddress, std::string>> receive_all(Datagram& end, DatagramBatch& batch) {
  std::vector<std::pair<SocketAddress, std::string>> received;
  while (end.try_receive(batch).status == IoResult::Status::ok)
    for (const ReceivedDatagram& it : batch.items()) received.emplace_back(it.peer, as_text(it.payload));
  return received;
}

/// The payloads of receive_all().
inline std::vector<std::string> receive_texts(Datagram& end, DatagramBatch& batch) {
  std::vector<std::string> texts;
  for (auto& [peer, text] : receive_all(end, batch)) texts.push_back(text);
  return texts;
}

}  // namespace gost::testing
