#include "kcp/reed_solomon.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <random>
#include <vector>

namespace gost::kcp {
namespace {

using Shards = std::vector<std::vector<std::uint8_t>>;

/// Random data shards of `length` bytes, and their parity.
Shards make_shards(const ReedSolomon& code, std::size_t length, unsigned seed) {
  std::minstd_rand random(seed);
  Shards shards(code.shards(), std::vector<std::uint8_t>(length));
  std::vector<std::uint8_t*> parity;
  for (std::size_t i = code.data(); i < code.shards(); ++i) parity.push_back(shards[i].data());
  for (std::size_t i = 0; i < code.data(); ++i) {
    std::ranges::generate(shards[i], [&] { return static_cast<std::uint8_t>(random() >> 8); });
    code.accumulate(i, shards[i], parity);
  }
  return shards;
}

/// Whether the data shards come out of the first data() shards that are not `lost`.
bool survives(const ReedSolomon& code, const Shards& shards, const std::vector<bool>& lost) {
  std::vector<ReedSolomon::Shard> have;
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    if (!lost[i] && have.size() < code.data()) have.push_back({i, shards[i].data()});
    if (lost[i] && i < code.data()) missing.push_back(i);
  }
  Shards made(missing.size(), std::vector<std::uint8_t>(shards[0].size()));
  std::vector<std::uint8_t*> into;
  for (auto& shard : made) into.push_back(shard.data());
  if (!code.reconstruct(have, shards[0].size(), missing, into)) return false;
  for (std::size_t i = 0; i < missing.size(); ++i)
    if (made[i] != shards[missing[i]]) return false;
  return true;
}

TEST(ReedSolomon, HasTheRowsOfTheReference) {
  auto code = ReedSolomon::make(10, 3);
  ASSERT_TRUE(code);
  EXPECT_EQ(to_hex(code->parity_row(0)), "8196afb8d2c4fee80302");
  EXPECT_EQ(to_hex(code->parity_row(1)), "9681b8afc4d2e8fe0203");
  EXPECT_EQ(to_hex(code->parity_row(2)), "bfd6620a066fdfb70504");
}

TEST(ReedSolomon, RestoresEveryLossThatItCan) {
  for (auto [data, parity] : {std::pair{1, 1}, {1, 3}, {2, 1}, {3, 2}, {5, 5}, {10, 3}, {8, 4}, {12, 1}}) {
    auto code = ReedSolomon::make(static_cast<std::size_t>(data), static_cast<std::size_t>(parity));
    ASSERT_TRUE(code);
    auto shards = make_shards(*code, 57, 1);
    for (unsigned losses = 0; losses < 1U << code->shards(); ++losses) {
      if (std::popcount(losses) > parity) continue;
      std::vector<bool> lost(code->shards());
      for (std::size_t i = 0; i < lost.size(); ++i) lost[i] = (losses >> i & 1) != 0;
      ASSERT_TRUE(survives(*code, shards, lost)) << data << '+' << parity << ' ' << losses;
    }
  }
}

TEST(ReedSolomon, RestoresLargeGroupsOfAnyLength) {
  std::minstd_rand random(3);
  for (auto [data, parity] : {std::pair{70, 30}, {128, 128}, {255, 1}, {1, 255}, {200, 56}}) {
    auto code = ReedSolomon::make(static_cast<std::size_t>(data), static_cast<std::size_t>(parity));
    ASSERT_TRUE(code);
    for (std::size_t length : {1U, 31U, 64U, 1350U}) {
      std::vector<bool> lost(code->shards());
      std::fill_n(lost.begin(), parity, true);
      std::shuffle(lost.begin(), lost.end(), random);
      ASSERT_TRUE(survives(*code, make_shards(*code, length, 2), lost)) << data << '+' << parity;
    }
  }
}

TEST(ReedSolomon, RefusesNumbersThatMakeNoSense) {
  EXPECT_FALSE(ReedSolomon::make(0, 3));
  EXPECT_FALSE(ReedSolomon::make(3, 0));
  EXPECT_FALSE(ReedSolomon::make(254, 3));
  EXPECT_FALSE(ReedSolomon::make(3, SIZE_MAX));
  auto code = ReedSolomon::make(2, 1);
  std::array<std::uint8_t, 4> bytes{};
  std::array<std::uint8_t*, 1> into{bytes.data()};
  auto try_with = [&](std::vector<ReedSolomon::Shard> have, std::vector<std::size_t> missing) {
    return code->reconstruct(have, 4, missing, into);
  };
  const std::uint8_t* some = bytes.data();
  EXPECT_FALSE(try_with({{0, some}}, {1})) << "too few";
  EXPECT_FALSE(try_with({{0, some}, {0, some}}, {1})) << "twice the same";
  EXPECT_FALSE(try_with({{0, some}, {3, some}}, {1})) << "no such shard";
  EXPECT_FALSE(try_with({{0, some}, {2, some}}, {0})) << "not missing";
  EXPECT_FALSE(try_with({{0, some}, {2, some}}, {2})) << "parity is not restored";
}

}  // namespace
}  // namespace gost::kcp
