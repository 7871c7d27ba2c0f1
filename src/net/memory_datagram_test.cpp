#include "net/memory_datagram.hpp"

#include "runtime/task_group.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace gost {
namespace {

const SocketAddress kOne(IpAddress::v4({10, 0, 0, 1}), 1000);
const SocketAddress kTwo(IpAddress::v4({10, 0, 0, 2}), 2000);

OutgoingDatagram datagram(const SocketAddress& peer, std::string_view payload) {
  return {.peer = peer, .name = {}, .head = {}, .payload = as_bytes(payload)};
}

SendOutcome send(Datagram& end, std::vector<OutgoingDatagram> datagrams) {
  return end.try_send(datagrams);
}

TEST(MemoryDatagram, AddressesTravelWithTheDatagrams) {
  auto [near, far] = make_memory_datagrams();
  DatagramBatch batch;
  std::string head = "he";
  EXPECT_EQ(send(*near, {datagram(kOne, "a"),
                         {.peer = kTwo, .name = "host", .head = as_bytes(head), .payload = as_bytes("llo")}})
                .sent,
            2U);
  EXPECT_EQ(far->try_receive(batch).bytes, 6U);
  ASSERT_EQ(batch.items().size(), 2U);
  EXPECT_EQ(batch.items()[0].peer, kOne);
  EXPECT_EQ(as_text(batch.items()[0].payload), "a");
  EXPECT_EQ(batch.items()[1].name, "host");
  EXPECT_EQ(as_text(batch.items()[1].payload), "hello");
  EXPECT_EQ(far->try_receive(batch).status, IoResult::Status::would_block);
}

TEST(MemoryDatagram, WithoutRoomDatagramsAreDropped) {
  auto [near, far] = make_memory_datagrams({.capacity = 2});
  SendOutcome outcome = send(*near, {datagram(kOne, "a"), datagram(kOne, "b"), datagram(kOne, "c")});
  EXPECT_EQ(outcome.sent, 2U);
  EXPECT_EQ(outcome.dropped, 1U);
  EXPECT_FALSE(near->pending());
}

TEST(MemoryDatagram, AsATunnelWhatWasBegunIsKept) {
  auto [near, far] = make_memory_datagrams({.capacity = 1, .keeps_what_was_begun = true});
  DatagramBatch batch;
  EXPECT_EQ(send(*near, {datagram(kOne, "a"), datagram(kOne, "b")}).sent, 2U);
  EXPECT_TRUE(near->pending());
  EXPECT_EQ(send(*near, {datagram(kOne, "c")}).dropped, 1U) << "nothing more is taken while something is pending";
  EXPECT_EQ(near->try_flush().status, IoResult::Status::would_block);
  EXPECT_EQ(far->try_receive(batch).bytes, 1U);
  EXPECT_TRUE(near->ready(Interest::write));
  EXPECT_EQ(near->try_flush().status, IoResult::Status::ok);
  EXPECT_FALSE(near->pending());
  EXPECT_EQ(far->try_receive(batch).bytes, 1U);
}

TEST(MemoryDatagram, TheEndIsToldBehindWhatIsOnTheWay) {
  auto [near, far] = make_memory_datagrams();
  DatagramBatch batch;
  send(*near, {datagram(kOne, "last")});
  near.reset();
  EXPECT_EQ(far->try_receive(batch).bytes, 4U);
  EXPECT_EQ(far->try_receive(batch).status, IoResult::Status::eof);
  EXPECT_EQ(send(*far, {datagram(kOne, "x")}).dropped, 1U);
}

Task<> note_ready(Datagram& end, Interest interest, std::optional<Outcome>& outcome) {
  outcome = co_await end.until(interest);
}

TEST(MemoryDatagram, WhoeverWaitsIsWoken) {
  Loop loop(Loop::Time::simulated);
  loop.run([]() -> Task<> {
    auto [near, far] = make_memory_datagrams({.capacity = 1});
    DatagramBatch batch;
    std::optional<Outcome> readable;
    std::optional<Outcome> writable;
    TaskGroup group(co_await this_scope());
    group.spawn(note_ready(*far, Interest::read, readable));
    EXPECT_FALSE(readable);
    send(*near, {datagram(kOne, "a")});
    group.spawn(note_ready(*near, Interest::write, writable));
    co_await yield();
    EXPECT_EQ(readable, Outcome::ready);
    EXPECT_FALSE(writable);
    far->try_receive(batch);
    co_await group.join();
    EXPECT_EQ(writable, Outcome::ready);
  }());
}

}  // namespace
}  // namespace gost
