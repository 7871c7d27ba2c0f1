#include "route/selector.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

namespace gost {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

class Candidates {
 public:
  explicit Candidates(std::vector<CandidateOptions> options) {
    for (const CandidateOptions& it : options) all_.emplace_back(it);
    for (const Candidate& it : all_) pointers_.push_back(&it);
  }
  explicit Candidates(std::size_t count) : Candidates(std::vector<CandidateOptions>(count)) {}

  const Candidate& operator[](std::size_t index) const { return all_[index]; }
  std::span<const Candidate* const> span() const { return pointers_; }
  /// The index of what `selector` chooses.
  std::size_t choose(const Selector& selector, std::string_view key = {}, TimePoint now = kStart) const {
    const Candidate* chosen = selector.choose(pointers_, key, now);
    return static_cast<std::size_t>(std::ranges::find(pointers_, chosen) - pointers_.begin());
  }
  std::vector<std::size_t> choose_often(const Selector& selector, std::size_t times) const {
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < times; ++i) chosen.push_back(choose(selector));
    return chosen;
  }

 private:
  std::deque<Candidate> all_;
  std::vector<const Candidate*> pointers_;
};

using Indices = std::vector<std::size_t>;

TEST(ParseStrategy, KnowsGostsNames) {
  EXPECT_EQ(parse_strategy(""), Strategy::round);
  EXPECT_EQ(parse_strategy("rr"), Strategy::round);
  EXPECT_EQ(parse_strategy("rand"), Strategy::random);
  EXPECT_EQ(parse_strategy("ha"), Strategy::fifo);
  EXPECT_EQ(parse_strategy("hash"), Strategy::hash);
  EXPECT_EQ(parse_strategy("parallel"), std::nullopt);
}

TEST(Selector, RoundTakesOneAfterTheOther) {
  Candidates three(3);
  EXPECT_EQ(three.choose_often(Selector(), 7), (Indices{0, 1, 2, 0, 1, 2, 0}));
}

TEST(Selector, FifoTakesTheFirstThatWorks) {
  Candidates three(3);
  Selector selector({.strategy = Strategy::fifo});
  EXPECT_EQ(three.choose_often(selector, 3), (Indices{0, 0, 0}));
  three[0].failed(kStart);
  EXPECT_EQ(three.choose(selector), 1U);
  three[0].succeeded();
  EXPECT_EQ(three.choose(selector), 0U);
}

TEST(Selector, HashGoesByCrc32) {
  Candidates ten(10);
  Selector selector({.strategy = Strategy::hash});
  // The check value of CRC-32; its remainder decides.
  EXPECT_EQ(ten.choose(selector, "123456789"), 0xcbf43926U % 10);
  EXPECT_EQ(ten.choose(selector, "123456789"), 0xcbf43926U % 10);
  ten[0xcbf43926U % 10].failed(kStart);
  EXPECT_NE(ten.choose(selector, "123456789"), 0xcbf43926U % 10);
}

TEST(Selector, HashWithoutAKeyGoesByChance) {
  Candidates ten(10);
  Selector selector({.strategy = Strategy::hash}, 1);
  Indices chosen = ten.choose_often(selector, 50);
  EXPECT_NE(std::ranges::min(chosen), std::ranges::max(chosen));
}

TEST(Selector, RandomGoesByWeight) {
  Candidates three({{.weight = 1}, {.weight = 3}, {.weight = 6}});
  Selector selector({.strategy = Strategy::random}, 42);
  std::map<std::size_t, int> counts;
  for (std::size_t index : three.choose_often(selector, 10000)) ++counts[index];
  EXPECT_NEAR(counts[0], 1000, 150);
  EXPECT_NEAR(counts[1], 3000, 250);
  EXPECT_NEAR(counts[2], 6000, 300);
}

TEST(Selector, AMarkLastsForTheFailTimeout) {
  Candidates two(2);
  Selector selector({.strategy = Strategy::fifo, .max_fails = 2, .fail_timeout = 30s});
  two[0].failed(kStart);
  EXPECT_EQ(two.choose(selector), 0U);
  two[0].failed(kStart);
  EXPECT_EQ(two.choose(selector, {}, kStart + 29s), 1U);
  EXPECT_EQ(two.choose(selector, {}, kStart + 30s), 0U);
  two[0].failed(kStart + 31s);
  EXPECT_EQ(two.choose(selector, {}, kStart + 32s), 1U);
}

TEST(Selector, ACandidatesOwnLimitsCount) {
  Candidates two({{.max_fails = 3, .fail_timeout = 5s}, {}});
  Selector selector({.strategy = Strategy::fifo});
  two[0].failed(kStart);
  two[0].failed(kStart);
  EXPECT_EQ(two.choose(selector), 0U);
  two[0].failed(kStart);
  EXPECT_EQ(two.choose(selector, {}, kStart + 4s), 1U);
  EXPECT_EQ(two.choose(selector, {}, kStart + 5s), 0U);
}

TEST(Selector, BackupsServeOnlyWhenNothingElseWorks) {
  Candidates three({{.backup = true}, {}, {}});
  Selector selector;
  for (std::size_t index : three.choose_often(selector, 10)) EXPECT_NE(index, 0U);
  three[1].failed(kStart);
  EXPECT_EQ(three.choose_often(selector, 3), (Indices{2, 2, 2}));
  three[2].failed(kStart);
  EXPECT_EQ(three.choose_often(selector, 3), (Indices{0, 0, 0}));
}

TEST(Selector, IfAllAreDownTheFirstIsUsed) {
  Candidates three({{}, {.backup = true}, {}});
  for (std::size_t i = 0; i < 3; ++i) three[i].failed(kStart);
  for (auto strategy : {Strategy::round, Strategy::random, Strategy::fifo, Strategy::hash})
    EXPECT_EQ(three.choose_often(Selector({.strategy = strategy}), 3), (Indices{0, 0, 0}));
}

TEST(Selector, OfNothingItChoosesNothing) {
  EXPECT_EQ(Selector().choose({}, "key", kStart), nullptr);
}

RC_GTEST_PROP(Selector, ChoosesWhatWorksIfAnythingDoes, ()) {
  auto strategy = *rc::gen::element(Strategy::round, Strategy::random, Strategy::fifo, Strategy::hash);
  auto count = *rc::gen::inRange<std::size_t>(1, 6);
  std::vector<CandidateOptions> options(count);
  for (CandidateOptions& it : options) it.backup = *rc::gen::arbitrary<bool>();
  Candidates candidates(options);
  auto down = *rc::gen::container<std::vector<bool>>(count, rc::gen::arbitrary<bool>());
  for (std::size_t i = 0; i < count; ++i)
    if (down[i]) candidates[i].failed(kStart);
  std::size_t chosen = candidates.choose(Selector({.strategy = strategy}, 7), *rc::gen::arbitrary<std::string>());
  RC_ASSERT(chosen < count);
  bool any_works = std::ranges::find(down, false) != down.end();
  bool any_regular = false;
  for (std::size_t i = 0; i < count; ++i) any_regular = any_regular || (!down[i] && !options[i].backup);
  RC_ASSERT(!any_works || !down[chosen]);
  RC_ASSERT(!any_regular || !options[chosen].backup);
  RC_ASSERT(any_works || chosen == 0);
}

}  // namespace
}  // namespace gost
