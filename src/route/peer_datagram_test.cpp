#include "route/peer_datagram.hpp"

#include "component/testing/scripted_datagram.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

using testing::DatagramScript;
using testing::Packet;
using testing::ScriptedDatagram;

SocketAddress at(std::string_view ip, std::uint16_t port) {
  return {IpAddress::parse(ip).value(), port};
}

const SocketAddress kPeer = at("10.0.0.1", 53);

class PeerDatagramTest : public ::testing::Test {
 protected:
  std::shared_ptr<DatagramScript> script = std::make_shared<DatagramScript>();
  PeerDatagram datagram{std::make_unique<ScriptedDatagram>(script), kPeer};
  DatagramBatch batch;

  std::vector<std::string> received() {
    std::vector<std::string> payloads;
    for (const ReceivedDatagram& it : batch.items()) payloads.emplace_back(as_text(it.payload));
    return payloads;
  }
};

TEST_F(PeerDatagramTest, SendsEverythingToThePeer) {
  std::vector<OutgoingDatagram> outgoing(100);
  for (std::size_t i = 0; i < outgoing.size(); ++i) {
    outgoing[i].peer = at("8.8.8.8", static_cast<std::uint16_t>(i));
    outgoing[i].name = "elsewhere";
    outgoing[i].head = as_bytes("head ");
    outgoing[i].payload = as_bytes("payload");
  }
  SendOutcome outcome = datagram.try_send(outgoing);
  EXPECT_EQ(outcome.sent, 100U);
  EXPECT_EQ(outcome.dropped, 0U);
  ASSERT_EQ(script->sent.size(), 100U);
  for (const Packet& packet : script->sent) EXPECT_EQ(packet, (Packet{kPeer, "", "head payload"}));
}

TEST_F(PeerDatagramTest, TakesOnlyWhatComesFromThePeer) {
  script->put({kPeer, "", "one"});
  script->put({at("10.0.0.2", 53), "", "stranger"});
  script->put({at("10.0.0.1", 54), "", "other port"});
  script->put({kPeer, "a.name", "named"});
  script->put({at("::ffff:10.0.0.1", 53), "", "mapped"});
  std::vector<std::string> all;
  while (datagram.try_receive(batch).status == IoResult::Status::ok)
    for (std::string& payload : received()) all.push_back(std::move(payload));
  EXPECT_EQ(all, (std::vector<std::string>{"one", "mapped"}));
  EXPECT_EQ(datagram.discarded(), 3U);
}

TEST_F(PeerDatagramTest, ErrorsAndTheEndPassThrough) {
  EXPECT_EQ(datagram.try_receive(batch).status, IoResult::Status::would_block);
  script->end();
  EXPECT_EQ(datagram.try_receive(batch).status, IoResult::Status::eof);
  script->send_error = EMSGSIZE;
  OutgoingDatagram one;
  EXPECT_EQ(datagram.try_send(std::span(&one, 1)).error, EMSGSIZE);
  EXPECT_FALSE(datagram.takes_names());
}

}  // namespace
}  // namespace gost
