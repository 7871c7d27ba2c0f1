#include "route/path_finder.hpp"

#include "route/testing/fake_proxies.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr TimePoint kNow{1h};

std::string shown(const std::optional<Path>& path) {
  if (!path) return "none";
  std::string text;
  for (const PathStep& step : path->steps)
    text += (text.empty() ? "" : " > ") + step.hop->name() + "/" + step.node->options.name;
  return text.empty() ? "direct" : text;
}

HopOptions hop_of(std::size_t number, std::size_t nodes) {
  std::vector<std::shared_ptr<FakeProxy>> proxies;
  for (std::size_t i = 0; i < nodes; ++i) proxies.push_back(proxy_that(Behaviour::works));
  return fake_hop(number, proxies);
}

std::shared_ptr<const Bypass> bypass_for(const std::string& matcher) {
  return BypassList::make({matcher}, {}).value();
}

RouteRequest request_to(std::string host) {
  return {Network::tcp, Endpoint{std::move(host), 80}, {}};
}

TEST(PathFinder, WithoutChainsItIsDirect) {
  PathFinder finder(nullptr, request_to("a"), 1);
  Path path = finder.first(kNow);
  EXPECT_EQ(shown(path), "direct");
  EXPECT_EQ(shown(finder.after(path, std::nullopt, kNow)), "direct");
  EXPECT_EQ(shown(finder.after(path, std::nullopt, kNow)), "none");
}

TEST(PathFinder, AFailedNodeIsReplacedInItsHopOnly) {
  ChainGroup chains({chain_of({hop_of(0, 2), hop_of(1, 3)})});
  PathFinder finder(&chains, request_to("a"), 0);
  Path path = finder.first(kNow);
  EXPECT_EQ(shown(path), "hop-0/node-0 > hop-1/node-0");
  auto next = finder.after(path, NodeFailure{1}, kNow);
  EXPECT_EQ(shown(next), "hop-0/node-0 > hop-1/node-1");
  next = finder.after(*next, NodeFailure{0}, kNow);
  EXPECT_EQ(shown(next), "hop-0/node-1 > hop-1/node-1");
  next = finder.after(*next, NodeFailure{1}, kNow);
  EXPECT_EQ(shown(next), "hop-0/node-1 > hop-1/node-2");
  EXPECT_EQ(shown(finder.after(*next, NodeFailure{1}, kNow)), "none");
}

TEST(PathFinder, AKeptConnectionThatHadDiedIsMadeAnewOnceForEachNode) {
  ChainGroup chains({chain_of({hop_of(0, 1), hop_of(1, 2)})});
  PathFinder finder(&chains, request_to("a"), 0);
  Path path = finder.first(kNow);
  const NodeFailure stale{.step = 1, .marks = false, .again = true};
  auto next = finder.after(path, stale, kNow);
  EXPECT_EQ(shown(next), "hop-0/node-0 > hop-1/node-0");
  EXPECT_EQ(shown(finder.after(*next, NodeFailure{.step = 0, .marks = false, .again = true}, kNow)), shown(next));
  next = finder.after(*next, stale, kNow);
  EXPECT_EQ(shown(next), "hop-0/node-0 > hop-1/node-1") << "twice is no accident";
}

TEST(PathFinder, ATargetThatIsNotReachedIsFinalWithoutRetries) {
  ChainGroup chains({chain_of({hop_of(0, 2)})});
  PathFinder finder(&chains, request_to("a"), 0);
  Path path = finder.first(kNow);
  EXPECT_EQ(shown(finder.after(path, std::nullopt, kNow)), "none");
  EXPECT_EQ(path.steps[0].node->candidate.failures(), 0);
}

TEST(PathFinder, RetriesComeOnTop) {
  ChainGroup chains({chain_of({hop_of(0, 2)})});
  PathFinder finder(&chains, request_to("a"), 2);
  Path path = finder.first(kNow);
  auto next = finder.after(path, NodeFailure{0}, kNow);
  EXPECT_EQ(shown(next), "hop-0/node-1");
  next = finder.after(*next, NodeFailure{0}, kNow);
  EXPECT_EQ(shown(next), "hop-0/node-0");  // both are marked: the first is used all the same
  next = finder.after(*next, std::nullopt, kNow);
  EXPECT_EQ(shown(next), "hop-0/node-0");
  EXPECT_EQ(shown(finder.after(*next, std::nullopt, kNow)), "none");
}

TEST(PathFinder, WhenAHopIsExhaustedTheNextChainIsTried) {
  ChainGroup chains({chain_of({hop_of(0, 1)}, "a"), chain_of({hop_of(1, 2)}, "b")}, {.strategy = Strategy::fifo});
  PathFinder finder(&chains, request_to("a"), 0);
  Path path = finder.first(kNow);
  EXPECT_EQ(path.chain->name, "a");
  auto next = finder.after(path, NodeFailure{0}, kNow);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->chain->name, "b");
  EXPECT_EQ(shown(next), "hop-1/node-0");
  next = finder.after(*next, NodeFailure{0}, kNow);
  EXPECT_EQ(shown(next), "hop-1/node-1");
  EXPECT_EQ(shown(finder.after(*next, NodeFailure{0}, kNow)), "none");
  PathFinder later(&chains, request_to("a"), 0);
  EXPECT_EQ(later.first(kNow).chain->name, "a");  // both are marked
  PathFinder after_that(&chains, request_to("a"), 0);
  EXPECT_EQ(after_that.first(kNow + 11s).chain->name, "a");
}

TEST(PathFinder, ABypassOfAHopEndsTheChainThere) {
  HopOptions second = hop_of(1, 1);
  second.bypass = bypass_for("inner");
  HopOptions first = hop_of(0, 1);
  first.bypass = bypass_for("local");
  ChainGroup chains({chain_of({first, second, hop_of(2, 1)})});
  auto path_to = [&](std::string host) {
    return shown(PathFinder(&chains, request_to(std::move(host)), 0).first(kNow));
  };
  EXPECT_EQ(path_to("far"), "hop-0/node-0 > hop-1/node-0 > hop-2/node-0");
  EXPECT_EQ(path_to("inner"), "hop-0/node-0");
  EXPECT_EQ(path_to("local"), "direct");
  RouteRequest anywhere{Network::udp, std::nullopt, {}};
  EXPECT_EQ(shown(PathFinder(&chains, anywhere, 0).first(kNow)), "hop-0/node-0 > hop-1/node-0 > hop-2/node-0");
}

TEST(PathFinder, AWhitelistDoesNotOpenTheChainForDatagramsToAnywhere) {
  HopOptions hop = hop_of(0, 1);
  hop.bypass = BypassList::make({"only.this"}, {.whitelist = true}).value();
  ChainGroup chains({chain_of({hop})});
  EXPECT_EQ(shown(PathFinder(&chains, {Network::udp, std::nullopt, {}}, 0).first(kNow)), "hop-0/node-0");
}

TEST(PathFinder, ABypassOfANodeLeavesItOut) {
  HopOptions hop = hop_of(0, 2);
  hop.nodes[0].bypass = bypass_for("*.local");
  ChainGroup chains({chain_of({hop})});
  PathFinder finder(&chains, request_to("a.local"), 0);
  Path path = finder.first(kNow);
  EXPECT_EQ(shown(path), "hop-0/node-1");
  EXPECT_EQ(shown(finder.after(path, NodeFailure{0}, kNow)), "none");
  HopOptions all = hop_of(0, 1);
  all.nodes[0].bypass = bypass_for("*.local");
  ChainGroup none({chain_of({all})});
  EXPECT_EQ(shown(PathFinder(&none, request_to("a.local"), 0).first(kNow)), "direct");
}

TEST(PathFinder, NodesWithAFilterAreForTheirTargetsOnly) {
  auto chosen = [](std::string_view only_for, std::optional<Endpoint> target) {
    HopOptions hop = fake_hop(0, {proxy_that(Behaviour::works), proxy_that(Behaviour::works)});
    hop.selector.strategy = Strategy::fifo;
    hop.nodes[0].only_for = only_for;
    auto chain = chain_of({std::move(hop)});
    ChainGroup group({chain});
    PathFinder finder(&group, {.network = Network::tcp, .target = std::move(target), .hash_key = {}}, 0);
    return finder.first(TimePoint()).steps.at(0).node->options.name;
  };
  for (const char* host : {"corp.example", "a.corp.example", "A.CORP.Example"})
    EXPECT_EQ(chosen(".corp.example", Endpoint{host, 80}), "node-0") << host;
  for (const char* host : {"example", "xcorp.example", "10.0.0.1"})
    EXPECT_EQ(chosen(".corp.example", Endpoint{host, 80}), "node-1") << host;
  EXPECT_EQ(chosen("corp.example", Endpoint{"corp.example", 80}), "node-0");
  EXPECT_EQ(chosen("corp.example", Endpoint{"a.corp.example", 80}), "node-1");
  EXPECT_EQ(chosen("corp.example", std::nullopt), "node-1") << "datagrams to anywhere";
}

TEST(PathFinder, LabelsSayHopNodeAndAddress) {
  ChainGroup chains({chain_of({hop_of(0, 1)})});
  Path path = PathFinder(&chains, request_to("a"), 0).first(kNow);
  EXPECT_EQ(path.steps[0].label(), "hop-0/node-0 (10.0.0.0:1080)");
}

}  // namespace
}  // namespace gost
