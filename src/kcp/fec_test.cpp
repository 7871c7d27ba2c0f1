#include "kcp/fec_decoder.hpp"
#include "kcp/fec_encoder.hpp"
#include "kcp/packet_crypt.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace gost::kcp {
namespace {

using namespace std::chrono_literals;
using Packet = std::vector<std::uint8_t>;

/// wire.md, appendix A: a group of 10+3, and a packet of the next one.
constexpr std::string_view kGroup[] = {
    "00000000f1001d007e46c5ba5100400005000000000000000000000003000000010101",
    "01000000f1001e007e46c5ba510040000900000001000000000000000400000002020202",
    "02000000f1001f007e46c5ba510040000c0000000200000000000000050000000303030303",
    "03000000f10020007e46c5ba510040000f000000030000000000000006000000040404040404",
    "04000000f10021007e46c5ba510040001200000004000000000000000700000005050505050505",
    "05000000f10022007e46c5ba51004000160000000500000000000000080000000606060606060606",
    "06000000f10023007e46c5ba5100400019000000060000000000000009000000070707070707070707",
    "07000000f10024007e46c5ba510040001c00000007000000000000000a00000008080808080808080808",
    "08000000f10025007e46c5ba510040002000000008000000000000000b0000000909090909090909090909",
    "09000000f10026007e46c5ba510040002300000009000000000000000c0000000a0a0a0a0a0a0a0a0a0a0a0a",
    "0a000000f20002007e46c5ba51004000280000000a000000000000008e000000454545c4f519c37edc1c0f14",
    "0b000000f2000a007e46c5ba51004000e00000000b000000000000003d000000f2f2f2647bae28db0daf0c1e",
    "0c000000f2007a007e46c5ba51004000840000000c00000000000000f9000000121212ad1cba928cf3d40528",
    "0d000000f1001d007e46c5ba51004000cd000000000000000000000003000000010101",
};

std::shared_ptr<const ReedSolomon> code_of(std::size_t data, std::size_t parity) {
  return std::make_shared<const ReedSolomon>(ReedSolomon::make(data, parity).value());
}

/// Segments that tell their number, of a length that depends on it.
Packet segments(std::uint32_t number) {
  Packet bytes(24 + number * 37 % 1200);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(number * 7 + i);
  bytes[0] = static_cast<std::uint8_t>(number);
  bytes[1] = static_cast<std::uint8_t>(number >> 8);
  return bytes;
}

/// What a sender makes of the payloads, without headroom.
class Sender {
 public:
  Sender(std::size_t data, std::size_t parity) : encoder_(code_of(data, parity), kMaxPacket, kCryptHeader) {}

  /// The packets that follow from sending those segments.
  std::vector<Packet> send(Bytes payload) {
    Packet packet(kFecHeader);
    packet.insert(packet.end(), payload.begin(), payload.end());
    auto parity = encoder_.add(packet);
    std::vector<Packet> sent{packet};
    for (MutableBytes more : parity) {
      Bytes content = more.subspan(kCryptHeader);
      sent.emplace_back(content.begin(), content.end());
    }
    return sent;
  }
  FecEncoder& encoder() { return encoder_; }

 private:
  FecEncoder encoder_;
};

/// A session's receiving side: what it has got, by the number in the segments.
class Receiver {
 public:
  Receiver(std::shared_ptr<const ReedSolomon> own, ShardPool& pool) : decoder_(std::move(own), pool) {}

  void receive(Bytes packet, TimePoint now = {}) {
    PacketKind kind = packet_kind(packet);
    auto restored = decoder_.decode(packet, now);
    for (Bytes bytes : restored) got_.insert(Packet(bytes.begin(), bytes.end()));
    if (kind != PacketKind::data) return;
    Bytes bytes = packet_segments(packet, kind);
    got_.insert(Packet(bytes.begin(), bytes.end()));
  }
  bool has(std::uint32_t number) const { return got_.contains(segments(number)); }
  std::size_t size() const { return got_.size(); }
  FecDecoder& decoder() { return decoder_; }

 private:
  FecDecoder decoder_;
  std::set<Packet> got_;
};

TEST(Fec, EncodesTheGroupOfTheReference) {
  Sender sender(10, 3);
  std::vector<std::string> sent;
  for (std::string_view hex : kGroup) {
    Packet packet = *from_hex(hex);
    if (packet_kind(packet) == PacketKind::parity) continue;
    for (const Packet& made : sender.send(Bytes(packet).subspan(kFecHeader))) sent.push_back(to_hex(made));
  }
  EXPECT_EQ(sent, std::vector<std::string>(std::begin(kGroup), std::end(kGroup)));
}

TEST(Fec, RestoresTheGroupOfTheReferenceFromAnyTen) {
  ShardPool pool;
  for (unsigned lost = 0; lost < 1U << 13; ++lost) {
    if (std::popcount(lost) > 3) continue;
    FecDecoder decoder(code_of(10, 3), pool);
    std::set<std::string> got;
    for (std::size_t i = 0; i < 13; ++i) {
      if ((lost >> i & 1) != 0) continue;
      Packet packet = *from_hex(kGroup[i]);
      if (packet_kind(packet) == PacketKind::data) got.insert(to_hex(Bytes(packet).subspan(kFecHeader)));
      for (Bytes segments : decoder.decode(packet, {})) got.insert(to_hex(segments));
    }
    for (std::size_t i = 0; i < 10; ++i)
      ASSERT_TRUE(got.contains(std::string(kGroup[i].substr(16)))) << lost << ' ' << i;
    ASSERT_EQ(got.size(), 10U);
    ASSERT_EQ(decoder.restored(), static_cast<std::uint64_t>(std::popcount(lost & 0x3ffU)));
    decoder.expire({});
    ASSERT_EQ(decoder.held(), 0U);
  }
}

TEST(Fec, TellsWhatAPacketIs) {
  auto kind = [](std::string_view hex) { return packet_kind(*from_hex(hex)); };
  EXPECT_EQ(kind(kGroup[0]), PacketKind::data);
  EXPECT_EQ(kind(kGroup[10]), PacketKind::parity);
  EXPECT_EQ(kind(kGroup[0].substr(16)), PacketKind::segments);
  EXPECT_EQ(kind("00000000f10002"), PacketKind::malformed) << "short";
  EXPECT_EQ(kind("00000000f1000200"), PacketKind::data) << "nothing in it";
  EXPECT_EQ(kind("00000000f1000300"), PacketKind::malformed) << "SIZE lies";
  EXPECT_EQ(kind("00000000f100020000"), PacketKind::malformed) << "SIZE lies";
  EXPECT_EQ(fec_wrap(13), 4294967287U);
}

TEST(Fec, MemoryIsHeldOnlyForAnIncompleteGroup) {
  Sender sender(3, 2);
  EXPECT_EQ(sender.encoder().held(), 0U);
  sender.send(segments(1));
  sender.encoder().release();
  EXPECT_EQ(sender.encoder().held(), 2 * (kMaxPacket + kCryptHeader));
  sender.send(segments(2));
  EXPECT_EQ(sender.send(segments(3)).size(), 3U);
  sender.encoder().release();
  EXPECT_EQ(sender.encoder().held(), 0U);
  EXPECT_EQ(sender.send(segments(4)).size(), 1U);
}

TEST(Fec, NumbersWrapAtTheEndOfTheLastGroup) {
  Sender sender(10, 3);
  sender.encoder().set_next(fec_wrap(13) - 13);
  ShardPool pool;
  Receiver receiver(code_of(10, 3), pool);
  for (std::uint32_t i = 0; i < 30; ++i) {
    auto sent = sender.send(segments(i));
    if (i % 10 != 4)
      for (const Packet& packet : sent) receiver.receive(packet);
  }
  EXPECT_EQ(sender.encoder().next(), 26U);
  for (std::uint32_t i = 0; i < 30; ++i) EXPECT_TRUE(receiver.has(i)) << i;
  EXPECT_EQ(receiver.decoder().restored(), 3U);
}

TEST(Fec, NumbersThatAreNeverUsedRestoreNothing) {
  ShardPool pool;
  FecDecoder decoder(code_of(10, 3), pool);
  Packet packet = *from_hex("f7fffffff100020000");
  packet.pop_back();
  EXPECT_TRUE(decoder.decode(packet, {}).empty());
  EXPECT_EQ(decoder.dropped(), 1U);
  EXPECT_EQ(decoder.counts(), (ShardCounts::Counts{10, 3}));
}

TEST(Fec, WhatComesTwiceOrTooLateIsDropped) {
  Sender sender(3, 1);
  ShardPool pool;
  FecDecoder decoder(code_of(3, 1), pool);
  std::vector<Packet> sent;
  for (std::uint32_t i = 0; i < 30; ++i)
    for (Packet& packet : sender.send(segments(i))) sent.push_back(std::move(packet));
  EXPECT_TRUE(decoder.decode(sent[0], {}).empty());
  EXPECT_TRUE(decoder.decode(sent[0], {}).empty());
  EXPECT_EQ(decoder.dropped(), 1U);
  for (std::size_t i = 4; i < 20; ++i) decoder.decode(sent[i], {});
  EXPECT_EQ(decoder.held(), 0U);
  EXPECT_TRUE(decoder.decode(sent[1], {}).empty());
  EXPECT_TRUE(decoder.decode(sent[3], {}).empty()) << "would restore number 2, but three groups are behind it";
  EXPECT_EQ(decoder.dropped(), 3U);
  EXPECT_TRUE(decoder.decode(sent[17], {}).empty()) << "of a complete group";
  EXPECT_EQ(decoder.held(), 0U);
}

TEST(Fec, IncompleteGroupsAreForgottenAfterAMinute) {
  Sender sender(10, 3);
  ShardPool pool;
  FecDecoder decoder(code_of(10, 3), pool);
  TimePoint now;
  for (std::uint32_t i = 0; i < 25; ++i) {
    for (const Packet& packet : sender.send(segments(i)))
      if (packet_kind(packet) == PacketKind::data && i % 2 == 0) decoder.decode(packet, now);
    now += 1s;
  }
  EXPECT_EQ(decoder.held(), 13 * ShardPool::kBlockSize);
  decoder.expire(now + 36s);
  EXPECT_EQ(decoder.held(), 8 * ShardPool::kBlockSize);
  decoder.expire(now + 60s);
  EXPECT_EQ(decoder.held(), 0U);
  EXPECT_EQ(pool.kept(), 13U);
}

TEST(Fec, ParityBeforeItsDataRestores) {
  Sender sender(4, 2);
  ShardPool pool;
  Receiver receiver(code_of(4, 2), pool);
  std::vector<Packet> sent;
  for (std::uint32_t i = 0; i < 4; ++i)
    for (Packet& packet : sender.send(segments(i))) sent.push_back(std::move(packet));
  for (std::size_t i : {5U, 4U, 3U, 1U}) receiver.receive(sent[i]);
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_TRUE(receiver.has(i)) << i;
}

TEST(Fec, WhatIsRestoredFromLiesIsDropped) {
  Sender sender(3, 1);
  ShardPool pool;
  FecDecoder decoder(code_of(3, 1), pool);
  std::vector<Packet> sent;
  for (std::uint32_t i = 0; i < 3; ++i)
    for (Packet& packet : sender.send(segments(i))) sent.push_back(std::move(packet));
  sent[3].back() ^= 1;  // becomes padding that is not zero, behind the shorter shard
  decoder.decode(sent[1], {});
  decoder.decode(sent[2], {});
  EXPECT_TRUE(decoder.decode(sent[3], {}).empty());
  EXPECT_EQ(decoder.dropped(), 1U);
  sent[3].resize(kFecSequence + 2);
  FecDecoder other(code_of(3, 1), pool);
  other.decode(sent[0], {});
  other.decode(sent[1], {});
  EXPECT_TRUE(other.decode(sent[3], {}).empty()) << "parity that is too short";
  Packet giant(kFecSequence + ShardPool::kBlockSize + 1);
  giant[4] = 0xf2;
  EXPECT_TRUE(other.decode(giant, {}).empty());
}

TEST(Fec, LearnsThePeersNumbers) {
  for (auto own : {code_of(10, 3), std::shared_ptr<const ReedSolomon>()}) {
    for (auto [data, parity] : {std::pair{20, 5}, {3, 2}, {1, 1}, {10, 4}, {12, 1}, {100, 20}, {255, 1}}) {
      Sender sender(static_cast<std::size_t>(data), static_cast<std::size_t>(parity));
      ShardPool pool;
      Receiver receiver(own, pool);
      std::uint32_t groups = data < 100 ? 8 : 4;
      auto last = (groups - 1) * static_cast<std::uint32_t>(data);
      for (std::uint32_t i = 0; i < groups * static_cast<std::uint32_t>(data); ++i) {
        auto sent = sender.send(segments(i));
        if (i == last) sent.erase(sent.begin());
        for (const Packet& packet : sent) receiver.receive(packet);
      }
      ShardCounts::Counts counts{static_cast<std::size_t>(data), static_cast<std::size_t>(parity)};
      EXPECT_EQ(receiver.decoder().counts(), counts);
      EXPECT_TRUE(receiver.has(last)) << data << '+' << parity;
    }
  }
}

TEST(Fec, LearnsFromAPeerThatSkipsParity) {
  // wire.md §12.13: newer peers send no parity for a group that took long, but count it.
  auto encoder = Sender(5, 2);
  ShardPool pool;
  Receiver receiver(code_of(10, 3), pool);
  for (std::uint32_t i = 0; i < 200; ++i) {
    for (const Packet& packet : encoder.send(segments(i))) {
      bool slow = i / 5 % 4 == 2;
      if (packet_kind(packet) == PacketKind::parity && slow) continue;
      if (i != 190) receiver.receive(packet);
    }
  }
  EXPECT_EQ(receiver.decoder().counts(), (ShardCounts::Counts{5, 2}));
  EXPECT_TRUE(receiver.has(190) == (190 / 5 % 4 != 2));
}

TEST(Fec, APeerThatNeverStopsChangingIsLeftAlone) {
  ShardPool pool;
  FecDecoder decoder(nullptr, pool);
  std::uint32_t sequence = 0;
  for (std::uint32_t round = 0; round < 40; ++round) {
    std::uint32_t data = 2 + round % 3;
    sequence += 4096 - sequence % 12;
    for (std::uint32_t i = 0; i < 12 * (data + 1); ++i) {
      Packet packet = *from_hex("00000000f1000200");
      std::uint32_t number = sequence - sequence % (data + 1) + i;
      if (number % (data + 1) == data) packet[4] = 0xf2;
      for (int byte = 0; byte < 4; ++byte)
        packet[static_cast<std::size_t>(byte)] = static_cast<std::uint8_t>(number >> 8 * byte);
      decoder.decode(packet, {});
    }
  }
  EXPECT_EQ(decoder.counts(), ShardCounts::Counts());
  EXPECT_EQ(decoder.held(), 0U);
}

/// Groups of any shape, their packets lost, doubled and moved about a little: everything is restored that can be.
RC_GTEST_PROP(FecProperty, EverythingIsRestoredThatCanBe, ()) {
  const auto data = *rc::gen::inRange<std::size_t>(1, 20);
  const auto parity = *rc::gen::inRange<std::size_t>(1, 8);
  std::minstd_rand random(*rc::gen::arbitrary<unsigned>());
  const auto loss = *rc::gen::inRange(0, 40);
  Sender sender(data, parity);
  ShardPool pool;
  Receiver receiver(code_of(data, parity), pool);
  struct Sent {
    Packet packet;
    std::uint32_t group;
    std::uint32_t at;
  };
  std::vector<Sent> way;
  const std::uint32_t groups = 12;
  std::vector<std::size_t> arrived(groups);
  for (std::uint32_t i = 0; i < groups * data; ++i) {
    for (Packet& packet : sender.send(segments(i))) {
      auto at = static_cast<std::uint32_t>(way.size());
      auto group = i / static_cast<std::uint32_t>(data);
      if (static_cast<int>(random() % 100) < loss) {
        continue;
      }
      ++arrived[group];
      // Moved by less than one group, so that at most three are open.
      way.push_back({packet, group, at + static_cast<std::uint32_t>(random() % data)});
      if (random() % 10 == 0) way.push_back(way.back());
    }
  }
  std::ranges::sort(way, {}, &Sent::at);
  std::set<std::uint32_t> came;
  for (const Sent& sent : way) receiver.receive(sent.packet);
  for (std::uint32_t i = 0; i < groups * data; ++i)
    if (arrived[i / data] >= data) RC_ASSERT(receiver.has(i));
  RC_ASSERT(receiver.size() <= groups * data);
  RC_ASSERT(receiver.decoder().held() <= (3 * (data + parity) + data) * ShardPool::kBlockSize);
}

/// Packets of every kind in any order: nothing but what was sent comes out.
RC_GTEST_PROP(FecProperty, NothingElseComesOut, ()) {
  Sender sender(4, 2);
  std::vector<Packet> sent;
  std::set<Packet> allowed;
  for (std::uint32_t i = 0; i < 60; ++i) {
    allowed.insert(segments(i));
    for (Packet& packet : sender.send(segments(i))) sent.push_back(std::move(packet));
  }
  ShardPool pool;
  FecDecoder decoder(*rc::gen::arbitrary<bool>() ? code_of(4, 2) : nullptr, pool);
  const auto order = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, sent.size()));
  for (std::size_t i : order)
    for (Bytes bytes : decoder.decode(sent[i], {})) RC_ASSERT(allowed.contains(Packet(bytes.begin(), bytes.end())));
}

}  // namespace
}  // namespace gost::kcp
