#include "core/snapshot.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace gost {
namespace {

TEST(Snapshot, GivesTheLastValueAndKeepsWhatIsHeld) {
  Snapshot<int> snapshot(std::make_shared<int>(1));
  auto held = snapshot.load();
  std::weak_ptr<const int> first = held;
  snapshot.store(std::make_shared<int>(2));
  EXPECT_EQ(*held, 1);
  EXPECT_EQ(*snapshot.load(), 2);
  held.reset();
  EXPECT_TRUE(first.expired());
}

TEST(Snapshot, StartsEmpty) {
  EXPECT_EQ(Snapshot<int>().load(), nullptr);
}

TEST(Snapshot, ReadersSeeOnlyWholeValuesInOrder) {
  struct Pair {
    int a;
    int b;
  };
  constexpr int kLast = 2000;
  Snapshot<Pair> snapshot(std::make_shared<Pair>(0, 0));
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      for (int last = 0; last < kLast;) {
        auto pair = snapshot.load();
        if (pair->a != pair->b || pair->a < last) ++wrong;
        last = pair->a;
      }
    });
  for (int i = 1; i <= kLast; ++i) snapshot.store(std::make_shared<Pair>(i, i));
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace gost
