#include "net/udp.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gost {
namespace {

const IpAddress kLoopback = IpAddress::v4({127, 0, 0, 1});
const IpAddress kLoopback6 = *IpAddress::parse("::1");

class UdpSocketTest : public ::testing::TestWithParam<bool> {
 protected:
  UdpOptions options() const { return {.socket = {.batching = GetParam()}}; }
  std::unique_ptr<UdpSocket> bound(const IpAddress& ip) {
    return UdpSocket::bind(loop_, SocketAddress(ip, 0), false, options()).value();
  }

  /// Texts that arrive until there are `count`, each with its sender in front if `senders`.
  std::vector<std::string> receive(UdpSocket& socket, std::size_t count) {
    return loop_.run(receive_on(socket, count, batch_, from_));
  }

  static Task<std::vector<std::string>> receive_on(UdpSocket& socket, std::size_t count, DatagramBatch& batch,
                                                   std::vector<SocketAddress>& from) {
    std::vector<std::string> got;
    while (got.size() < count) {
      if (co_await socket.until(Interest::read) != Outcome::ready) break;
      if (socket.try_receive(batch).status != IoResult::Status::ok) continue;
      for (const ReceivedDatagram& datagram : batch.items()) {
        got.emplace_back(as_text(datagram.payload));
        from.push_back(datagram.peer);
      }
    }
    co_return got;
  }

  Loop loop_;
  DatagramBatch batch_;
  std::vector<SocketAddress> from_;
};

INSTANTIATE_TEST_SUITE_P(Batching, UdpSocketTest, ::testing::Bool());

TEST_P(UdpSocketTest, DatagramsOfAllSizesKeepTheirBordersAndTheirOrder) {
  auto sender = bound(kLoopback);
  auto receiver = bound(kLoopback);
  std::vector<std::string> texts;
  for (std::size_t size : {5U, 5U, 5U, 3U, 5U, 0U, 0U, 7U, 1400U, 1400U, 1400U, 20U, 9000U, 9000U, 1U})
    texts.push_back(std::string(size, static_cast<char>('a' + texts.size())));
  std::vector<OutgoingDatagram> out;
  for (const std::string& text : texts) {
    Bytes bytes = as_bytes(text);
    std::size_t head = bytes.size() / 3;
    out.push_back({receiver->local(), {}, bytes.first(head), bytes.subspan(head)});
  }
  SendOutcome outcome = sender->try_send(out);
  EXPECT_EQ(outcome.sent, texts.size());
  EXPECT_EQ(outcome.dropped, 0U);
  EXPECT_EQ(receive(*receiver, texts.size()), texts);
  for (const SocketAddress& from : from_) EXPECT_EQ(from, sender->local());
}

TEST_P(UdpSocketTest, ManyPeersInOneCall) {
  auto sender = bound(kLoopback);
  std::vector<std::unique_ptr<UdpSocket>> receivers;
  for (int i = 0; i < 5; ++i) receivers.push_back(bound(kLoopback));
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) texts.push_back(std::to_string(i) + std::string(50, '.'));
  std::vector<OutgoingDatagram> out;
  for (std::size_t i = 0; i < texts.size(); ++i)
    out.push_back({receivers[i / 3 % 5]->local(), {}, {}, as_bytes(texts[i])});
  EXPECT_EQ(sender->try_send(out).sent, texts.size());
  for (std::size_t r = 0; r < receivers.size(); ++r) {
    std::vector<std::string> expected;
    for (std::size_t i = 0; i < texts.size(); ++i)
      if (i / 3 % 5 == r) expected.push_back(texts[i]);
    EXPECT_EQ(receive(*receivers[r], expected.size()), expected);
  }
}

TEST_P(UdpSocketTest, OneSocketForBothFamilies) {
  auto both = UdpSocket::open(loop_, options()).value();
  auto four = bound(kLoopback);
  auto six = bound(kLoopback6);
  const OutgoingDatagram out[] = {{four->local(), {}, {}, as_bytes("four")}, {six->local(), {}, {}, as_bytes("six")}};
  EXPECT_EQ(both->try_send(out).sent, 2U);
  EXPECT_EQ(receive(*four, 1), std::vector<std::string>{"four"});
  EXPECT_EQ(receive(*six, 1), std::vector<std::string>{"six"});
  const OutgoingDatagram answer[] = {{SocketAddress(kLoopback, both->local().port()), {}, {}, as_bytes("back")}};
  EXPECT_EQ(four->try_send(answer).sent, 1U);
  from_.clear();
  EXPECT_EQ(receive(*both, 1), std::vector<std::string>{"back"});
  EXPECT_EQ(from_[0], four->local()) << "an IPv4 sender is not told as a mapped address";
}

TEST_P(UdpSocketTest, ASocketOfAllAddressesAnswersFromTheOneThatWasAsked) {
  UdpOptions keep = options();
  keep.keep_local = true;
  const IpAddress asked = IpAddress::v4({127, 0, 0, 5});
  for (bool both_families : {false, true}) {
    const SocketAddress any(both_families ? IpAddress::v6({}) : IpAddress(), 0);
    auto server = UdpSocket::bind(loop_, any, both_families, keep).value();
    auto client = bound(kLoopback);
    const OutgoingDatagram question[] = {{SocketAddress(asked, server->local().port()), {}, {}, as_bytes("?")}};
    EXPECT_EQ(client->try_send(question).sent, 1U);
    receive(*server, 1);
    EXPECT_EQ(batch_.items()[0].local, asked);
    const OutgoingDatagram answers[] = {
        {.peer = client->local(), .name = {}, .head = {}, .payload = as_bytes("one"), .local = asked},
        {.peer = client->local(), .name = {}, .head = {}, .payload = as_bytes("two"), .local = asked},
        {.peer = client->local(), .name = {}, .head = {}, .payload = as_bytes("3"), .local = kLoopback}};
    EXPECT_EQ(server->try_send(answers).sent, 3U);
    from_.clear();
    EXPECT_EQ(receive(*client, 3), (std::vector<std::string>{"one", "two", "3"}));
    EXPECT_EQ(from_[0].ip(), asked);
    EXPECT_EQ(from_[1].ip(), asked);
    EXPECT_EQ(from_[2].ip(), kLoopback);
  }
}

TEST_P(UdpSocketTest, WhatCannotBeSentHarmsOnlyItself) {
  auto sender = bound(kLoopback);
  auto receiver = bound(kLoopback);
  std::string huge(65508, 'x');
  SocketAddress to = receiver->local();
  const OutgoingDatagram out[] = {{to, {}, {}, as_bytes("one")},
                                  {to, {}, {}, as_bytes(huge)},
                                  {SocketAddress(kLoopback6, 9), {}, {}, as_bytes("no IPv6 here")},
                                  {SocketAddress(kLoopback, 0), {}, {}, as_bytes("port 0")},
                                  {to, {}, {}, as_bytes("two")}};
  SendOutcome outcome = sender->try_send(out);
  EXPECT_EQ(outcome.sent, 2U);
  EXPECT_EQ(outcome.bytes, 6U) << "of those that left, not of the first ones";
  EXPECT_EQ(outcome.dropped, 3U);
  EXPECT_NE(outcome.error, 0);
  EXPECT_EQ(receive(*receiver, 2), (std::vector<std::string>{"one", "two"}));
}

TEST_P(UdpSocketTest, PortZeroDoesNotEndTheBatching) {
  auto sender = bound(kLoopback);
  auto receiver = bound(kLoopback);
  std::vector<OutgoingDatagram> nowhere(8, {SocketAddress(kLoopback, 0), {}, {}, as_bytes("x")});
  EXPECT_EQ(sender->try_send(nowhere).dropped, 8U);
  std::vector<OutgoingDatagram> train(8, {receiver->local(), {}, {}, as_bytes("12345")});
  EXPECT_EQ(sender->try_send(train).sent, 8U);
  loop_.run([](UdpSocket& socket) -> Task<> { co_await socket.until(Interest::read); }(*receiver));
  receiver->try_receive(batch_);
  EXPECT_EQ(batch_.items().size(), GetParam() ? 8U : 1U);
}

TEST_P(UdpSocketTest, APeerThatIsNotThereDoesNotEndAConnectedSocket) {
  SocketAddress peer;
  peer = bound(kLoopback)->local();
  auto socket = UdpSocket::connect(loop_, peer, options()).value();
  const OutgoingDatagram out[] = {{{}, {}, {}, as_bytes("hello")}};
  EXPECT_EQ(socket->try_send(out).sent, 1U);  // its refusal arrives now
  EXPECT_EQ(socket->try_receive(batch_).status, IoResult::Status::would_block);
  auto late = UdpSocket::bind(loop_, peer, false, options()).value();
  EXPECT_EQ(socket->try_send(out).sent, 1U);
  EXPECT_EQ(receive(*late, 1), std::vector<std::string>{"hello"});
}

TEST_P(UdpSocketTest, AConnectedSocketHearsOnlyItsPeer) {
  auto peer = bound(kLoopback);
  auto stranger = bound(kLoopback);
  auto socket = UdpSocket::connect(loop_, peer->local(), options()).value();
  SocketAddress to = socket->local();
  const OutgoingDatagram foreign[] = {{to, {}, {}, as_bytes("foreign")}};
  const OutgoingDatagram own[] = {{to, {}, {}, as_bytes("own")}};
  stranger->try_send(foreign);
  peer->try_send(own);
  EXPECT_EQ(receive(*socket, 1), std::vector<std::string>{"own"});
}

TEST_P(UdpSocketTest, AddressesThatCannotBeHadAreNamed) {
  auto first = bound(kLoopback);
  auto second = UdpSocket::bind(loop_, first->local(), false, options());
  EXPECT_EQ(second.error().text, "listen udp " + first->local().to_string() + ": bind: address already in use");
  UdpOptions wrong = options();
  wrong.socket.interface = "nosuch0";
  EXPECT_EQ(UdpSocket::open(loop_, wrong).error().text,
            "listen udp: interface nosuch0: there is no such device or address");
  wrong.socket.interface = "nosuch0,127.0.0.1";
  EXPECT_EQ(UdpSocket::open(loop_, wrong).value()->local().ip(), kLoopback);
  wrong.socket.interface = "nosuch0!,127.0.0.1";
  EXPECT_FALSE(UdpSocket::open(loop_, wrong));
}

}  // namespace
}  // namespace gost
