#include "net/happy_eyeballs.hpp"

#include "net/memory_pipe.hpp"

#include <gtest/gtest.h>

#include <map>

namespace gost {
namespace {

using namespace std::chrono_literals;
using Attempts = std::vector<std::string>;

/// A network of scripted answers: how long a lookup or an attempt takes and how it ends.
struct Network {
  struct Answer {
    Duration delay;
    std::vector<std::string> addresses;
  };
  Answer four{0s, {}};
  Answer six{0s, {}};
  std::map<std::string, Duration> connects;  // all others are refused at once

  Attempts attempts;
  std::string winner;
  int canceled = 0;

  Task<Result<std::vector<IpAddress>>> lookup(Family family) {
    Answer& answer = family == Family::v4 ? four : six;
    if (Outcome outcome = co_await sleep_for(answer.delay); outcome != Outcome::ready)
      co_return fail(stop_error(outcome));
    if (answer.addresses.empty()) co_return fail(Cause::host_unreachable, "lookup h: no such host");
    std::vector<IpAddress> result;
    for (auto& text : answer.addresses) result.push_back(*IpAddress::parse(text));
    co_return result;
  }

  Task<Result<std::unique_ptr<Stream>>> connect(SocketAddress to) {
    std::string ip = to.ip().to_string();
    attempts.push_back(ip);
    auto found = connects.find(ip);
    if (found == connects.end()) co_return fail(Cause::refused, "dial tcp " + ip + ": refused");
    if (Outcome outcome = co_await sleep_for(found->second); outcome != Outcome::ready) {
      ++canceled;
      co_return fail(stop_error(outcome));
    }
    winner = ip;
    co_return make_memory_pipe().first;
  }

  Result<std::unique_ptr<Stream>> run(Loop& loop) {
    return loop.run(connect_host(
        {"h", 80}, [this](std::string, Family family) { return lookup(family); },
        [this](SocketAddress to) { return connect(to); }));
  }
};

class HappyEyeballs : public testing::Test {
 protected:
  Loop loop_{Loop::Time::simulated};
  TimePoint start_ = loop_.now();
  Duration elapsed() const { return loop_.now() - start_; }
};

TEST_F(HappyEyeballs, PrefersIPv6WhenBothAnswer) {
  Network network{.four = {0s, {"1.1.1.1"}}, .six = {10ms, {"::1"}}, .connects = {{"1.1.1.1", 0s}, {"::1", 1ms}}};
  EXPECT_TRUE(network.run(loop_));
  EXPECT_EQ(network.winner, "::1");
  EXPECT_EQ(network.attempts, Attempts{"::1"});
}

TEST_F(HappyEyeballs, AnIPv4AnswerThatComesLaterDoesNotShortenTheHeadStart) {
  Network network{.four = {5ms, {"1.1.1.1"}}, .six = {0s, {"::1"}}, .connects = {{"1.1.1.1", 0s}, {"::1", 20ms}}};
  EXPECT_TRUE(network.run(loop_));
  EXPECT_EQ(network.attempts, Attempts{"::1"});
}

TEST_F(HappyEyeballs, DoesNotWaitLongForIPv6Answers) {
  Network network{.four = {0s, {"1.1.1.1"}}, .six = {10s, {"::1"}}, .connects = {{"1.1.1.1", 0s}}};
  EXPECT_TRUE(network.run(loop_));
  EXPECT_EQ(elapsed(), 50ms);
}

TEST_F(HappyEyeballs, ABrokenFamilyDelaysByOneAttemptOnly) {
  Network network{
      .four = {0s, {"1.1.1.1"}}, .six = {0s, {"::1", "::2"}}, .connects = {{"::1", 1h}, {"1.1.1.1", 5ms}}};
  EXPECT_TRUE(network.run(loop_));
  EXPECT_EQ(elapsed(), 255ms);
  EXPECT_EQ(network.attempts, (Attempts{"::1", "1.1.1.1"}));
  EXPECT_EQ(network.canceled, 1);
}

TEST_F(HappyEyeballs, FamiliesAlternateAndFailuresMoveOnAtOnce) {
  Network network{.four = {0s, {"1.1.1.1", "1.1.1.2"}}, .six = {0s, {"::1", "::2"}}, .connects = {{"1.1.1.2", 0s}}};
  EXPECT_TRUE(network.run(loop_));
  EXPECT_EQ(network.attempts, (Attempts{"::1", "1.1.1.1", "::2", "1.1.1.2"}));
  EXPECT_EQ(elapsed(), 0s);
}

TEST_F(HappyEyeballs, WhenAllFailTheFirstAttemptsErrorIsTold) {
  Network network{.four = {0s, {"1.1.1.1"}}, .six = {0s, {"::1"}}};
  auto result = network.run(loop_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text, "dial tcp ::1: refused");
}

TEST_F(HappyEyeballs, ANameThatDoesNotExistIsHostUnreachable) {
  Network network;
  auto result = network.run(loop_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text, "dial tcp: lookup h: no such host");
  EXPECT_EQ(result.error().cause, Cause::host_unreachable);
}

TEST_F(HappyEyeballs, LateIPv6AnswersJoinTheRace) {
  Network network{.four = {0s, {"1.1.1.1"}}, .six = {100ms, {"::1"}}, .connects = {{"1.1.1.1", 1h}, {"::1", 1ms}}};
  EXPECT_TRUE(network.run(loop_));
  EXPECT_EQ(network.winner, "::1");
}

TEST_F(HappyEyeballs, AnOuterDeadlineEndsTheRaceWithNothingLeftBehind) {
  Network network{.four = {0s, {"1.1.1.1"}}, .six = {1h, {}}, .connects = {{"1.1.1.1", 1h}}};
  auto limited = [](Network& n) -> Task<Result<std::unique_ptr<Stream>>> {
    co_return co_await connect_host(
        {"h", 80}, [&n](std::string, Family family) { return n.lookup(family); },
        [&n](SocketAddress to) { return n.connect(to); });
  };
  auto timed = [&limited](Network& n) -> Task<Result<std::unique_ptr<Stream>>> {
    co_return co_await with_deadline(15s, limited(n));
  };
  auto result = loop_.run(timed(network));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text, "dial tcp h:80: i/o timeout");
  EXPECT_EQ(result.error().cause, Cause::timeout);
  EXPECT_EQ(elapsed(), 15s);
}

}  // namespace
}  // namespace gost
