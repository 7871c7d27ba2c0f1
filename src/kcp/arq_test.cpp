#include "kcp/arq.hpp"

#include "kcp/testing/arq_link.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace gost::kcp {
namespace {

using testing::ArqLink;
using testing::Impairment;
using testing::PacketSink;

constexpr std::uint32_t kConversation = ArqLink::kConversation;

/// A machine whose packets are looked at, and which gets segments one by one.
class ArqTest : public ::testing::Test {
 protected:
  void make(const ArqOptions& options) { arq_ = std::make_unique<Arq>(pool_, kConversation, options); }
  ArqTest() { make(fast3()); }

  static ArqOptions fast3() {
    ArqOptions options;
    options.mss = 100;
    options.interval = 10;
    options.no_delay = true;
    return options;
  }

  /// What is sent now, as "push 0 (100)", "ack 3".
  std::vector<std::string> flush() {
    PacketSink sink(124, 1000);
    arq_->flush(now_, sink);
    std::vector<std::string> sent;
    for (const auto& packet : sink.packets) {
      Bytes rest(packet);
      while (auto segment = take_segment(rest)) {
        EXPECT_EQ(segment->conversation, kConversation);
        last_ = *segment;
        std::string number = std::to_string(segment->number);
        switch (segment->command) {
        case Command::push:
          sent.push_back("push " + number + " (" + std::to_string(segment->data.size()) + ")");
          break;
        case Command::ack: sent.push_back("ack " + number); break;
        case Command::ask: sent.emplace_back("ask"); break;
        case Command::tell: sent.push_back("tell " + std::to_string(segment->window)); break;
        }
      }
      EXPECT_TRUE(rest.empty());
    }
    return sent;
  }
  bool due() const {
    auto next = arq_->next_timeout();
    return next && distance(now_, *next) >= 0;
  }
  void give(Segment segment, Arq::Origin origin = Arq::Origin::network) {
    segment.conversation = kConversation;
    std::vector<std::uint8_t> packet(kSegmentHeader);
    encode_header(segment, packet);
    packet.insert(packet.end(), segment.data.begin(), segment.data.end());
    EXPECT_TRUE(arq_->input(packet, now_, origin));
  }
  void acknowledge(std::uint32_t number, std::uint32_t una, std::uint16_t window = 1024) {
    give({.command = Command::ack, .window = window, .timestamp = last_.timestamp, .number = number, .una = una});
  }
  /// As a peer that has received nothing yet answers the last transmission.
  void deny(Command command, std::uint32_t number) {
    give({.command = command, .window = 1024, .timestamp = last_.timestamp, .number = number, .una = 0});
  }
  void push(std::uint32_t number, std::string_view text, std::uint8_t fragment = 0) {
    give({.command = Command::push,
          .fragment = fragment,
          .window = 1024,
          .timestamp = now_,
          .number = number,
          .una = 0,
          .data = as_bytes(text)});
  }
  void write(std::size_t bytes) {
    std::vector<std::uint8_t> data(bytes, 'x');
    EXPECT_EQ(arq_->write(data, now_), bytes);
  }
  std::string read() {
    std::string text(1000, '\0');
    text.resize(arq_->read({reinterpret_cast<std::uint8_t*>(text.data()), text.size()}, now_));
    return text;
  }
  using Sent = std::vector<std::string>;

  ShardPool pool_;
  std::unique_ptr<Arq> arq_;
  Segment last_;
  Millis now_ = 1000;
};

TEST_F(ArqTest, WritesJoinInSegments) {
  write(30);
  write(30);
  write(150);
  EXPECT_TRUE(due());
  EXPECT_EQ(flush(), (Sent{"push 0 (100)", "push 1 (100)", "push 2 (10)"}));
  EXPECT_FALSE(due());
  write(5);
  EXPECT_EQ(flush(), Sent{"push 3 (5)"});
  EXPECT_EQ(arq_->unacknowledged(), 215U);
  acknowledge(3, 2);
  EXPECT_EQ(arq_->unacknowledged(), 10U);
  acknowledge(2, 4);
  EXPECT_EQ(arq_->unacknowledged(), 0U);
  EXPECT_FALSE(arq_->next_timeout());
}

TEST_F(ArqTest, FirstWindowIsThatOfTheProtocol) {
  write(50 * 100);
  EXPECT_EQ(flush().size(), 32U);
  acknowledge(0, 1);
  EXPECT_EQ(flush().size(), 18U);
}

TEST_F(ArqTest, WriterStopsBehindTheWindow) {
  std::vector<std::uint8_t> much(1000 * 100);
  EXPECT_EQ(arq_->write(much, now_), (32U + 64) * 100);
  EXPECT_FALSE(arq_->writable());
  flush();
  EXPECT_FALSE(arq_->writable());
  acknowledge(0, 1);
  EXPECT_TRUE(arq_->writable());
}

TEST_F(ArqTest, AcknowledgementsThatUnaCoversAreNotSaid) {
  for (std::uint32_t i = 0; i < 5; ++i) push(i, "a");
  push(7, "b");
  push(8, "c");
  EXPECT_TRUE(due()) << "a gap is news";
  EXPECT_EQ(flush(), (Sent{"ack 7", "ack 8"}));
  EXPECT_EQ(last_.una, 5U);
  push(0, "a");
  EXPECT_FALSE(due());
  now_ += 5;
  EXPECT_TRUE(due());
  EXPECT_EQ(flush(), Sent{"ack 0"});
  EXPECT_EQ(read(), "aaaaa");
  push(5, "x");
  push(6, "y");
  EXPECT_EQ(read(), "xybc");
}

TEST_F(ArqTest, ManyAcknowledgementsDoNotWait) {
  for (std::uint32_t i = 0; i < 47; ++i) push(i, "a");
  EXPECT_FALSE(due());
  push(47, "a");
  EXPECT_TRUE(due());
  EXPECT_EQ(flush(), Sent{"ack 47"});
}

TEST_F(ArqTest, FragmentsMerge) {
  push(0, "one ", 2);
  push(1, "two ", 1);
  push(2, "three", 0);
  EXPECT_EQ(read(), "one two three");
}

TEST_F(ArqTest, EmptySegmentsAreNoData) {
  push(0, "");
  EXPECT_EQ(arq_->readable(), 0U);
  push(1, "a");
  push(2, "");
  push(3, "b");
  EXPECT_EQ(read(), "ab");
}

TEST_F(ArqTest, OvertakenSegmentsLeaveAtOnce) {
  write(500);
  flush();
  acknowledge(1, 0);
  EXPECT_FALSE(due()) << "it may only be late";
  acknowledge(2, 0);
  EXPECT_TRUE(due());
  EXPECT_EQ(flush(), Sent{"push 0 (100)"});
  // What overtook the first transmission says nothing about the second.
  acknowledge(3, 0);
  EXPECT_FALSE(due());
  EXPECT_EQ(arq_->statistics().overtaken, 1U);
}

TEST_F(ArqTest, LateAcknowledgementsSayNothingAboutTheRepetition) {
  write(600);
  flush();
  const Millis first = now_;
  now_ += 5;
  acknowledge(2, 0);
  acknowledge(3, 0);
  EXPECT_EQ(flush(), (Sent{"push 0 (100)", "push 1 (100)"}));
  // They had not been lost: these are the answers to the first transmissions, which overtook nothing.
  for (std::uint32_t number : {0U, 1U})
    give({.command = Command::ack, .window = 1024, .timestamp = first, .number = number, .una = number + 1});
  EXPECT_FALSE(due());
  EXPECT_EQ(flush(), Sent{});
  EXPECT_EQ(arq_->statistics().overtaken, 2U);
}

TEST_F(ArqTest, OvertakenOnceIsLostWhenThereIsNothingNew) {
  write(300);
  flush();
  acknowledge(1, 0);
  EXPECT_EQ(flush(), Sent{});
  now_ += 5;
  EXPECT_TRUE(due());
  EXPECT_EQ(flush(), Sent{"push 0 (100)"});
}

TEST_F(ArqTest, TimeoutsGrow) {
  write(10);
  flush();
  std::vector<Millis> after;
  for (int i = 0; i < 4; ++i) {
    const Millis before = now_;
    now_ = *arq_->next_timeout();
    EXPECT_EQ(flush(), Sent{"push 0 (10)"});
    after.push_back(now_ - before);
  }
  EXPECT_EQ(after, (std::vector<Millis>{200, 300, 400, 500}));
}

TEST_F(ArqTest, WithoutInputNothingTimesOut) {
  write(10);
  flush();
  now_ += 1000;
  PacketSink sink(124, 10);
  EXPECT_TRUE(arq_->flush(now_, sink, false));
  EXPECT_TRUE(sink.packets.empty());
  EXPECT_TRUE(due());
}

TEST_F(ArqTest, RoundTripsSetTheTimeout) {
  write(10);
  flush();
  now_ += 80;
  acknowledge(0, 1);
  EXPECT_EQ(arq_->rtt().smoothed(), 80U);
  EXPECT_EQ(arq_->rtt().timeout(), 240U);  // 80 + 4 * 40
}

TEST_F(ArqTest, RestoredPacketsTellNoTimeAndNoWindow) {
  write(10);
  flush();
  now_ += 80;
  give({.command = Command::ack, .window = 1, .timestamp = last_.timestamp, .number = 0, .una = 1},
       Arq::Origin::restored);
  EXPECT_EQ(arq_->unacknowledged(), 0U);
  EXPECT_EQ(arq_->rtt().smoothed(), 0U);
  write(40 * 100);
  EXPECT_EQ(flush().size(), 32U);
}

TEST_F(ArqTest, LiesAboutWhatWasNeverSentAreIgnored) {
  write(200);
  flush();
  acknowledge(2, 3);
  acknowledge(0x8000'0000, 0x8000'0000);
  EXPECT_EQ(arq_->unacknowledged(), 200U);
  acknowledge(1, 2);
  EXPECT_EQ(arq_->unacknowledged(), 0U);
}

TEST_F(ArqTest, DataBeyondTheWindowIsNotTaken) {
  ArqOptions options = fast3();
  options.receive_window = 4;
  make(options);
  push(4, "no");
  EXPECT_EQ(flush(), Sent{});
  push(3, "d");
  push(0, "a");
  push(1, "b");
  push(2, "c");
  push(4, "e");
  EXPECT_EQ(flush(), (Sent{"ack 4"}));
  EXPECT_EQ(last_.window, 0U);
  EXPECT_EQ(last_.una, 4U);
  EXPECT_EQ(read(), "abcde");
  EXPECT_TRUE(due());
  EXPECT_EQ(flush(), Sent{"tell 4"});
}

TEST_F(ArqTest, ShutWindowsAreAskedAbout) {
  write(100);
  flush();
  acknowledge(0, 1, 0);
  write(50);
  EXPECT_EQ(flush(), Sent{});
  now_ = *arq_->next_timeout();
  EXPECT_EQ(now_, 1500U);
  EXPECT_EQ(flush(), Sent{"ask"});
  EXPECT_EQ(*arq_->next_timeout(), 1500U + 750);
  give({.command = Command::tell, .window = 10, .una = 1});
  EXPECT_EQ(flush(), Sent{"push 1 (50)"});
}

TEST_F(ArqTest, WindowIsToldWhenAsked) {
  give({.command = Command::ask, .window = 10});
  EXPECT_TRUE(due());
  EXPECT_EQ(flush(), Sent{"tell 1024"});
}

TEST_F(ArqTest, SilentPeerIsDead) {
  write(10);
  flush();
  while (!arq_->failure()) {
    now_ = *arq_->next_timeout();
    ASSERT_LE(now_, 31'000U);
    flush();
  }
  EXPECT_EQ(now_, 31'000U);
  EXPECT_EQ(arq_->failure()->text, "kcp: no acknowledgement for 30s");
}

TEST_F(ArqTest, PeerWhoseWindowStaysShutIsNotDead) {
  write(10);
  flush();
  acknowledge(0, 1, 0);
  write(10);
  const Millis end = now_ + 300'000;
  while (distance(end, now_) > 0) {
    now_ = *arq_->next_timeout();
    for (const std::string& sent : flush())
      if (sent == "ask") give({.command = Command::tell, .window = 0, .una = 1});
  }
  EXPECT_FALSE(arq_->failure());
}

TEST_F(ArqTest, IdleIsNotDead) {
  write(10);
  flush();
  acknowledge(0, 1);
  EXPECT_FALSE(arq_->next_timeout());
  now_ += 100'000;
  write(10);
  flush();
  EXPECT_FALSE(arq_->failure());
}

TEST_F(ArqTest, ForgetfulPeerIsNoticed) {
  // It was restarted. Another program takes the second segment for one that came too early, ours says what it knows.
  for (Command command : {Command::ack, Command::tell}) {
    make(fast3());
    write(100);
    flush();
    acknowledge(0, 1);
    write(100);
    for (int i = 0; i < 3; ++i) {
      EXPECT_FALSE(arq_->failure());
      EXPECT_EQ(flush(), Sent{"push 1 (100)"});
      // Copies of an answer say nothing new.
      for (int copy = 0; copy < 3; ++copy) deny(command, 1);
      now_ = *arq_->next_timeout();
    }
    ASSERT_TRUE(arq_->failure());
    EXPECT_EQ(arq_->failure()->text, "kcp: the peer has forgotten the session, as after a restart");
    EXPECT_EQ(arq_->unacknowledged(), 100U);
  }
}

TEST_F(ArqTest, AnswersToReplayedPacketsEndNoSession) {
  write(100);
  flush();
  acknowledge(0, 1);
  for (std::uint32_t number = 1; number < 30; number += 3) {
    // Whoever copies our packets to the server gets an answer to each, before ours are acknowledged.
    for (std::uint32_t i = 0; i < 3; ++i, ++now_) {
      write(100);
      flush();
      deny(Command::tell, number + i);
    }
    EXPECT_FALSE(arq_->failure());
    EXPECT_EQ(arq_->unacknowledged(), 300U);
    acknowledge(number + 2, number + 3);
  }
  EXPECT_FALSE(arq_->failure());
}

TEST_F(ArqTest, ProgressRefutesDenials) {
  write(100);
  flush();
  acknowledge(0, 1);
  write(100);
  flush();
  for (int i = 0; i < 10; ++i) {
    deny(Command::tell, last_.number);
    now_ = *arq_->next_timeout();
    flush();
    deny(Command::tell, last_.number);
    acknowledge(last_.number, last_.number + 1);
    write(100);
    flush();
  }
  EXPECT_FALSE(arq_->failure());
}

TEST_F(ArqTest, StaleDenialsAreNotHeard) {
  write(100);
  flush();
  acknowledge(0, 1);
  write(100);
  flush();
  const Millis first = now_;
  for (int i = 0; i < 5; ++i) {
    now_ = *arq_->next_timeout();
    flush();
    give({.command = Command::tell, .window = 1024, .timestamp = first + static_cast<Millis>(i), .number = 1});
  }
  EXPECT_FALSE(arq_->failure());
}

TEST_F(ArqTest, LateAcknowledgementsAreNoForgetfulness) {
  write(300);
  flush();
  acknowledge(0, 1);
  acknowledge(2, 1);
  acknowledge(1, 3);
  acknowledge(2, 1);
  acknowledge(1, 0);
  EXPECT_FALSE(arq_->failure());
}

TEST_F(ArqTest, OtherConversationsAreRefused) {
  std::vector<std::uint8_t> packet(kSegmentHeader);
  encode_header({.conversation = kConversation + 1, .command = Command::ask}, packet);
  EXPECT_FALSE(arq_->input(packet, now_));
  EXPECT_FALSE(arq_->next_timeout());
}

TEST_F(ArqTest, CongestionControlBeginsWithOneSegment) {
  ArqOptions options = fast3();
  options.congestion_control = true;
  make(options);
  write(1000);
  EXPECT_EQ(flush().size(), 1U);
  acknowledge(0, 1);
  EXPECT_EQ(flush().size(), 2U);
  acknowledge(1, 2);
  acknowledge(2, 3);
  EXPECT_EQ(flush().size(), 4U);
  now_ = *arq_->next_timeout();
  EXPECT_EQ(flush().size(), 4U) << "what timed out";
  acknowledge(6, 7);
  EXPECT_EQ(flush().size(), 2U) << "from one on again";
}

TEST_F(ArqTest, IdleHoldsNoBlocks) {
  write(32 * 100);
  flush();
  acknowledge(31, 32);
  for (std::uint32_t i = 0; i < 20; ++i) push(i, "abc");
  read();
  EXPECT_GE(pool_.kept(), 32U);
}

/// One end sends so many bytes and the other one has read them; false if nothing goes on any more.
bool carries(ArqLink& link, std::uint64_t bytes) {
  while (link.ends[1].read < bytes) {
    if (link.ends[0].written < bytes) link.write(0, bytes - link.ends[0].written);
    link.deliver();
    link.read(1, 1 << 20);
    link.flush(0);
    link.flush(1);
    if (!link.advance()) return false;
  }
  return true;
}

TEST(ArqLinkTest, BulkOverAGoodLineNeedsNoRepetition) {
  ArqOptions options;
  options.interval = 10;
  options.no_delay = true;
  ArqLink link(options, options, {.delay = 25}, 1);
  constexpr std::uint64_t kBytes = 8'000'000;
  ASSERT_TRUE(carries(link, kBytes));
  EXPECT_TRUE(link.ends[1].intact);
  EXPECT_EQ(link.ends[0].arq.statistics().overtaken, 0U);
  EXPECT_EQ(link.ends[0].arq.statistics().timed_out, 0U);
  // A window of 1024 segments for each round trip of 50 ms.
  EXPECT_LT(link.now, kBytes / (1024 * 1348) * 60 + 160);
}

TEST(ArqLinkTest, NothingIsRepeatedBeforeItCouldHaveBeenAnswered) {
  ArqOptions options;
  options.interval = 10;
  constexpr Millis kDelay = 25;
  // The timeout is 100 ms at least, so what leaves again sooner than that is taken for overtaken.
  ArqLink link(options, options, {.loss = 0.02, .delay = kDelay, .jitter = 20}, 1);
  std::map<std::uint32_t, Millis> last;
  std::size_t early = 0;
  link.watch = [&](std::size_t from, Bytes packet) {
    while (auto segment = take_segment(packet)) {
      if (from != 0 || segment->command != Command::push) continue;
      auto [sent, fresh] = last.try_emplace(segment->number, link.now);
      if (!fresh && link.now - sent->second < 2 * kDelay) ++early;
      sent->second = link.now;
    }
  };
  constexpr std::uint64_t kBytes = 4'000'000;
  ASSERT_TRUE(carries(link, kBytes));
  EXPECT_EQ(early, 0U) << link.ends[0].arq.statistics().overtaken << " repeated";
}

TEST(ArqLinkTest, LossCostsInProportion) {
  ArqOptions options;
  options.interval = 10;
  options.no_delay = true;
  ArqLink link(options, options, {.loss = 0.05, .delay = 25}, 1);
  constexpr std::uint64_t kBytes = 8'000'000;
  ASSERT_TRUE(carries(link, kBytes));
  EXPECT_TRUE(link.ends[1].intact);
  const SendStatistics& sent = link.ends[0].arq.statistics();
  // With a packet of acknowledgements those of many segments are lost, which then seem to be.
  EXPECT_LT(static_cast<double>(sent.overtaken + sent.timed_out), 0.15 * static_cast<double>(sent.sent))
      << sent.overtaken << " overtaken, " << sent.timed_out << " timed out";
}

}  // namespace
}  // namespace gost::kcp
