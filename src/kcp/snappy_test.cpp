#include "kcp/snappy_stream.hpp"

#include "net/memory_pipe.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <snappy.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace gost::kcp {
namespace {

using Data = std::vector<std::uint8_t>;

Data of_hex(std::string_view hex) {
  return *from_hex(hex);
}

Data random_bytes(std::size_t size, unsigned seed) {
  std::minstd_rand random(seed);
  Data bytes(size);
  std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(random() >> 8); });
  return bytes;
}

Data repeated(std::size_t size) {
  Data bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i / 7 % 50);
  return bytes;
}

/// A SnappyStream, and the plain stream of its peer.
struct Pair {
  explicit Pair(const MemoryPipeOptions& options = {}) {
    auto [near, far] = make_memory_pipe(options);
    stream = std::make_unique<SnappyStream>(buffers, std::move(near));
    peer = std::move(far);
  }
  /// What has arrived at the peer, as hex.
  std::string arrived() { return to_hex(all_of(*peer)); }
  static Data all_of(Stream& from) {
    Data got;
    Data some(100'000);
    while (true) {
      IoResult io = from.try_read(some);
      if (io.status != IoResult::Status::ok) return got;
      got.insert(got.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(io.bytes));
    }
  }
  /// What reading ends with, after `bytes` from the peer.
  Error failure_after(const Data& bytes) {
    EXPECT_EQ(peer->try_write(bytes).bytes, bytes.size());
    Data some(100'000);
    IoResult io = IoResult::moved(0);
    while (io.status == IoResult::Status::ok) io = stream->try_read(some);
    EXPECT_EQ(io.status, IoResult::Status::error);
    EXPECT_EQ(io.error, EPROTO);
    EXPECT_TRUE(stream->ready(Interest::read));
    return stream->error(io.error);
  }

  BufferPool buffers;
  std::unique_ptr<Stream> stream;
  std::unique_ptr<Stream> peer;
};

Data joined(std::initializer_list<Data> parts) {
  Data all;
  for (const Data& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

const Data kBegin(kSnappyIdentifier.begin(), kSnappyIdentifier.end());

TEST(Snappy, WritesWhatTheReferenceSays) {
  Pair pair;
  EXPECT_EQ(pair.stream->layers(), "memory,snappy");
  EXPECT_EQ(pair.stream->try_write(of_hex("0100000003000000")).bytes, 8U);
  EXPECT_EQ(pair.arrived(), "ff060000734e61507059010c00004439ac2f0100000003000000");
  EXPECT_EQ(pair.stream->try_write(of_hex("0102030003000000050100")).bytes, 11U);
  EXPECT_EQ(pair.arrived(), "010f0000c63943d20102030003000000050100");
  Data zeros = joined({of_hex("0102640003000000"), Data(100)});
  EXPECT_EQ(pair.stream->try_write(zeros).bytes, 108U);
  Data chunk = of_hex(pair.arrived());
  EXPECT_EQ(to_hex(Bytes(chunk).first(1)), "00");
  EXPECT_EQ(to_hex(Bytes(chunk).subspan(4, 4)), "d17019d6");
  std::string plain;
  ASSERT_TRUE(snappy::Uncompress(as_text(Bytes(chunk).subspan(8)).data(), chunk.size() - 8, &plain));
  EXPECT_EQ(to_hex(as_bytes(plain)), to_hex(zeros));
}

TEST(Snappy, ReadsWhatTheReferenceSays) {
  Pair pair;
  pair.peer->try_write(
      of_hex("ff060000734e61507059 010c00004439ac2f0100000003000000 010f0000c63943d20102030003000000050100"
             "00120000d17019d66c140102640003 00fe0100960100"));
  std::string zeros(200, '0');
  EXPECT_EQ(to_hex(Pair::all_of(*pair.stream)),
            "0100000003000000"
            "0102030003000000050100"
            "0102640003000000" +
                zeros);
}

TEST(Snappy, PassesOverWhatMayBeSkipped) {
  Pair pair;
  Data padding = of_hex("fe050000 0000000000");
  Data reserved = joined({of_hex("80e80300"), Data(1000, 0x33)});
  Data chunk = of_hex("010c00004439ac2f0100000003000000");
  pair.peer->try_write(joined({kBegin, padding, of_hex("90000000"), reserved, chunk, kBegin, chunk, padding}));
  EXPECT_EQ(to_hex(Pair::all_of(*pair.stream)), "01000000030000000100000003000000");
  // A chunk to skip may be longer than any buffer.
  Data giant(200'000, 0x44);
  Data header = of_hex("fd400d03");
  Data some(10);
  pair.peer->try_write(header);
  for (std::size_t sent = 0; sent < giant.size();) {
    sent += pair.peer->try_write(Bytes(giant).subspan(sent)).bytes;
    EXPECT_EQ(pair.stream->try_read(some).status, IoResult::Status::would_block);
  }
  pair.peer->try_write(chunk);
  EXPECT_EQ(pair.stream->try_read(some).bytes, 8U);
}

TEST(Snappy, EndsWhereTheStreamBelowEnds) {
  Pair pair;
  Data some(10);
  pair.peer->try_write(kBegin);
  EXPECT_EQ(pair.stream->try_read(some).status, IoResult::Status::would_block);
  pair.peer->try_shutdown();
  EXPECT_EQ(pair.stream->try_read(some).status, IoResult::Status::eof);
  EXPECT_EQ(pair.stream->try_write(of_hex("01")).bytes, 1U);
  EXPECT_EQ(pair.stream->try_shutdown().status, IoResult::Status::ok);
  EXPECT_TRUE(pair.arrived().ends_with("01"));
}

TEST(Snappy, AReadLeavesNothingOutIfItsBufferIsSmall) {
  Pair pair;
  Pair other;
  Data data = joined({repeated(30'000), random_bytes(500, 1)});
  pair.stream->try_write(data);
  other.peer->try_write(Pair::all_of(*pair.peer));
  Data got;
  Data some(777);
  while (other.stream->ready(Interest::read)) {
    IoResult io = other.stream->try_read(some);
    ASSERT_EQ(io.status, IoResult::Status::ok);
    got.insert(got.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(io.bytes));
  }
  EXPECT_EQ(got, data);
  EXPECT_EQ(other.buffers.kept(), 2U) << "both buffers are given back";
}

TEST(Snappy, TakesTheLargestChunks) {
  Pair pair({.capacity = 200'000});
  Data plain(kSnappyMostPlain + kSnappyHeader + kSnappyChecksum);
  EXPECT_EQ(encode_plain_chunk(random_bytes(kSnappyMostPlain, 5), plain), plain.size());
  // Compressed although it grows: nobody does so, but it is valid.
  Data data = random_bytes(kSnappyMostPlain, 6);
  std::string compressed;
  snappy::Compress(as_text(data).data(), data.size(), &compressed);
  ASSERT_GT(compressed.size(), data.size());
  Data reference(kSnappyMostPlain + 8);
  encode_plain_chunk(data, reference);
  Data grown{0, 0, 0, 0, reference[4], reference[5], reference[6], reference[7]};
  grown.insert(grown.end(), compressed.begin(), compressed.end());
  std::size_t size = compressed.size() + 4;
  for (int i = 0; i < 3; ++i) grown[static_cast<std::size_t>(i) + 1] = static_cast<std::uint8_t>(size >> 8 * i);
  pair.peer->try_write(joined({kBegin, plain, grown}));
  Data got = Pair::all_of(*pair.stream);
  EXPECT_EQ(got.size(), 2 * kSnappyMostPlain);
  EXPECT_TRUE(std::ranges::equal(Bytes(got).last(kSnappyMostPlain), data));
  EXPECT_EQ(got.size(), 2 * kSnappyMostPlain);
}

TEST(Snappy, RefusesWhatBreaksTheFormat) {
  struct Case {
    Data bytes;
    std::string_view text;
  };
  Data chunk = of_hex("010c00004439ac2f0100000003000000");
  Data wrong = chunk;
  wrong.back() ^= 1;
  std::string_view hint = " (is kcp.nocomp the same at both ends?)";
  const Case cases[] = {
      {chunk, "the stream does not begin with its identifier"},
      {of_hex("01020300"), "the stream does not begin with its identifier"},
      {of_hex("ff060000734e61507058"), "malformed stream identifier"},
      {of_hex("ff05000073"), "malformed stream identifier"},
      {joined({kBegin, of_hex("02000000")}), "unknown chunk type 02"},
      {joined({kBegin, of_hex("7f000000")}), "unknown chunk type 7f"},
      {joined({kBegin, wrong}), "wrong checksum of a chunk"},
      {joined({kBegin, of_hex("01030000000000")}), "an uncompressed chunk of 3 bytes"},
      {joined({kBegin, of_hex("01050001")}), "an uncompressed chunk of 65541 bytes"},
      {joined({kBegin, of_hex("0004000000000000")}), "a compressed chunk of 4 bytes"},
      {joined({kBegin, of_hex("00ffffff")}), "a compressed chunk of 16777215 bytes"},
      {joined({kBegin, of_hex("00080000000000008180040a")}),
       "a chunk says that it holds 65537 bytes; 65536 are allowed"},
      {joined({kBegin, of_hex("00090000 00000000 ffffffff0f")}),
       "a chunk says that it holds 4294967295 bytes; 65536 are allowed"},
      {joined({kBegin, of_hex("00090000 00000000 ffffffffff")}), "malformed chunk"},
      {joined({kBegin, of_hex("00060000 00000000 6401")}), "malformed chunk"},
  };
  for (const Case& each : cases) {
    Pair pair;
    Error error = pair.failure_after(each.bytes);
    EXPECT_EQ(error.text, "snappy: " + std::string(each.text) + std::string(hint)) << to_hex(each.bytes);
    EXPECT_EQ(error.cause, Cause::protocol);
  }
}

TEST(Snappy, AnEndWithinAChunkIsNoEnd) {
  Data chunk = of_hex("010c00004439ac2f0100000003000000");
  for (std::size_t size = 1; size < kBegin.size() + chunk.size(); ++size) {
    if (size == kBegin.size()) continue;
    Pair pair;
    Data whole = joined({kBegin, chunk});
    pair.peer->try_write(Bytes(whole).first(size));
    pair.peer->try_shutdown();
    Data some(10);
    IoResult io = pair.stream->try_read(some);
    EXPECT_EQ(io.status, IoResult::Status::error) << size;
    EXPECT_EQ(pair.stream->error(io.error).text, "snappy: the stream ends within a chunk");
  }
}

TEST(Snappy, WhatCannotBeCompressedIsTriedOnlyNowAndThen) {
  Pair pair;
  auto type_of_next = [&](const Data& data) {
    pair.stream->try_write(data);
    return Pair::all_of(*pair.peer)[0];
  };
  pair.stream->try_write(of_hex("01"));
  pair.arrived();
  for (unsigned i = 0; i < 4; ++i) EXPECT_EQ(type_of_next(random_bytes(1000, i)), 1);
  int plain = 0;
  while (type_of_next(repeated(1000)) == 1) ++plain;
  EXPECT_EQ(plain, 15);
  EXPECT_EQ(type_of_next(repeated(1000)), 0) << "it was worth it";
}

TEST(Snappy, IdleItHoldsNoBuffer) {
  Pair pair;
  Pair other;
  Data data = repeated(5000);
  pair.stream->try_write(data);
  Data sent = Pair::all_of(*pair.peer);
  EXPECT_EQ(pair.buffers.kept(), 1U);
  other.peer->try_write(sent);
  Data got(5000);
  EXPECT_EQ(other.stream->try_read(got).bytes, 5000U);
  EXPECT_EQ(other.buffers.kept(), 1U);
}

TEST(Snappy, AFailureBelowIsPassedOn) {
  for (std::size_t step = 0; step < 3; ++step) {
    Pair pair({.capacity = 30, .fail_at = step});
    Data data = random_bytes(100, 1);
    IoResult io = IoResult::moved(0);
    while (io.status == IoResult::Status::ok || io.status == IoResult::Status::would_block) {
      io = pair.stream->try_write(data);
      Pair::all_of(*pair.peer);
    }
    EXPECT_EQ(io.error, ECONNRESET);
    EXPECT_EQ(pair.stream->error(io.error).text, "connection reset by peer");
  }
}

/// Any writes, any segmentation, any room below: what is read is what was written.
RC_GTEST_PROP(SnappyProperty, WhatIsWrittenIsRead, ()) {
  BufferPool buffers;
  const auto capacity = *rc::gen::inRange<std::size_t>(1, 70'000);
  const auto at_most = *rc::gen::inRange<std::size_t>(1, 5000);
  auto [near, far] = make_memory_pipe({.capacity = capacity, .read_at_most = at_most});
  // Of the pair, the options count for the first stream: so it is the one that reads.
  SnappyStream reader(buffers, std::move(near));
  SnappyStream writer(buffers, std::move(far));
  std::minstd_rand random(*rc::gen::arbitrary<unsigned>());
  Data written;
  Data got;
  Data some(80'000);
  auto read = [&] {
    IoResult io = reader.try_read(MutableBytes(some).first(1 + random() % some.size()));
    if (io.status == IoResult::Status::ok)
      got.insert(got.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(io.bytes));
    return io.status;
  };
  const auto count = *rc::gen::inRange(0, 12);
  for (int i = 0; i < count; ++i) {
    std::size_t size = 1 + random() % (random() % 4 == 0 ? 150'000 : 3000);
    Data data = random() % 2 == 0 ? repeated(size) : random_bytes(size, static_cast<unsigned>(random()));
    for (Bytes left = data; !left.empty();) {
      IoResult io = writer.try_write(left);
      RC_ASSERT(io.status == IoResult::Status::ok || io.status == IoResult::Status::would_block);
      if (io.status == IoResult::Status::ok) left = left.subspan(io.bytes);
      if (random() % 3 == 0 || io.status != IoResult::Status::ok) RC_ASSERT(read() != IoResult::Status::error);
    }
    written.insert(written.end(), data.begin(), data.end());
  }
  RC_ASSERT(writer.undelivered() == 0U);
  RC_ASSERT(writer.try_shutdown().status == IoResult::Status::ok);
  IoResult::Status last = IoResult::Status::ok;
  while (last == IoResult::Status::ok || last == IoResult::Status::would_block) last = read();
  RC_ASSERT(last == IoResult::Status::eof);
  RC_ASSERT(got == written);
}

/// Who waits for ready() is never left with bytes that a read would give: nothing else wakes it for them.
RC_GTEST_PROP(SnappyProperty, WhatCouldBeReadIsReady, ()) {
  BufferPool buffers;
  const auto at_most = *rc::gen::inRange<std::size_t>(1, 5000);
  auto [near, far] = make_memory_pipe({.capacity = 1'000'000, .read_at_most = at_most});
  SnappyStream reader(buffers, std::move(near));
  SnappyStream writer(buffers, std::move(far));
  std::minstd_rand random(*rc::gen::arbitrary<unsigned>());
  const auto sizes = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 300));
  for (std::size_t size : sizes) {
    Data data = random() % 2 == 0 ? repeated(size) : random_bytes(size, static_cast<unsigned>(random()));
    RC_ASSERT(writer.try_write(data).bytes == size);
  }
  const auto most = *rc::gen::inRange<std::size_t>(1, 600);
  Data some(most);
  for (;;) {
    const bool ready = reader.ready(Interest::read);
    IoResult io = reader.try_read(MutableBytes(some).first(1 + random() % most));
    if (io.status != IoResult::Status::ok) break;
    RC_ASSERT(ready);
  }
}

}  // namespace
}  // namespace gost::kcp
