// Any chain of proxies that fail in any way, on virtual time: what must hold whatever happens.
#include "route/router.hpp"

#include "route/testing/fake_proxies.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace gost {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr Duration kTimeout = 10s;

using Shape = std::vector<std::vector<Behaviour>>;  // of each hop the nodes

Shape any_shape() {
  auto behaviour = rc::gen::weightedElement<Behaviour>({{4, Behaviour::works},
                                                        {1, Behaviour::does_not_listen},
                                                        {1, Behaviour::hangs_in_dial},
                                                        {1, Behaviour::refuses_credentials},
                                                        {1, Behaviour::hangs_in_handshake},
                                                        {1, Behaviour::cannot_reach_target},
                                                        {1, Behaviour::hangs_on_target}});
  Shape shape(*rc::gen::inRange<std::size_t>(1, 4));
  for (auto& hop : shape)
    hop = *rc::gen::container<std::vector<Behaviour>>(*rc::gen::inRange<std::size_t>(1, 4), behaviour);
  return shape;
}

struct World {
  explicit World(const Shape& shape) {
    std::vector<HopOptions> hops;
    for (std::size_t hop = 0; hop < shape.size(); ++hop) {
      auto& row = proxies.emplace_back();
      for (Behaviour behaviour : shape[hop]) row.push_back(proxy_that(behaviour));
      hops.push_back(fake_hop(hop, row));
      hops.back().selector.strategy =
          *rc::gen::element(Strategy::round, Strategy::random, Strategy::fifo, Strategy::hash);
    }
    chain = chain_of(std::move(hops));
    options.chains = std::make_shared<const ChainGroup>(std::vector{chain});
    options.sockets = sockets;
    options.timeout = kTimeout;
  }

  std::size_t nodes() const {
    std::size_t count = 0;
    for (const auto& row : proxies) count += row.size();
    return count;
  }
  int dials() const {
    int count = 0;
    for (const auto& row : proxies)
      for (const auto& proxy : row) count += proxy->dials;
    return count;
  }

  IoContext io{Loop::Time::simulated};
  std::vector<std::vector<std::shared_ptr<FakeProxy>>> proxies;
  std::shared_ptr<const Chain> chain;
  std::shared_ptr<FakeOutbound> sockets = std::make_shared<FakeOutbound>();
  RouterOptions options;
};

bool is_dead(Behaviour behaviour) {
  return behaviour == Behaviour::does_not_listen || behaviour == Behaviour::hangs_in_dial ||
         behaviour == Behaviour::refuses_credentials || behaviour == Behaviour::hangs_in_handshake;
}

RC_GTEST_PROP(ChainRouterProperty, ARequestEndsWithinItsLimitsAndNeverGoesAroundTheChain, ()) {
  Shape shape = any_shape();
  World world(shape);
  world.options.retries = *rc::gen::inRange(0, 3);
  ChainRouter router(world.options);
  TimePoint start = world.io.loop.now();
  Endpoint target{"target", 80};
  auto stream = world.io.loop.run(router.dial(world.io, target, Requester()));

  std::size_t attempts = world.nodes() + 1 + static_cast<std::size_t>(world.options.retries);
  RC_ASSERT(world.io.loop.now() - start <= kTimeout * static_cast<int>(attempts));
  RC_ASSERT(static_cast<std::size_t>(world.dials()) <= attempts * shape.size());
  for (const std::string& endpoint : world.sockets->connected) RC_ASSERT(endpoint.starts_with("10.0.0."));
  for (std::size_t hop = 0; hop < shape.size(); ++hop)
    for (const auto& proxy : world.proxies[hop])
      for (const std::string& asked : proxy->asked)
        RC_ASSERT(asked.starts_with(hop + 1 == shape.size() ? "target:" : "10.0." + std::to_string(hop + 1) + "."));
  if (!stream) RC_ASSERT(stream.error().text.starts_with("hop-"));
}

RC_GTEST_PROP(ChainRouterProperty, ItSucceedsWheneverEachHopHasANodeThatWorksAndTheOthersAreDead, ()) {
  Shape shape = any_shape();
  for (auto& hop : shape)
    for (Behaviour& behaviour : hop)
      if (!is_dead(behaviour)) behaviour = Behaviour::works;
  World world(shape);
  ChainRouter router(world.options);
  Endpoint target{"target", 80};
  auto stream = world.io.loop.run(router.dial(world.io, target, Requester()));
  bool possible = std::ranges::all_of(shape, [](const auto& hop) {
    return std::ranges::any_of(hop, [](Behaviour it) { return it == Behaviour::works; });
  });
  RC_ASSERT(stream.has_value() == possible);
}

RC_GTEST_PROP(ChainRouterProperty, OnlyNodesThatFailedAreMarked, ()) {
  Shape shape = any_shape();
  // A node that cannot reach the next one gets that one marked: not here.
  for (std::size_t hop = 0; hop + 1 < shape.size(); ++hop)
    for (Behaviour& it : shape[hop])
      if (!is_dead(it)) it = Behaviour::works;
  World world(shape);
  ChainRouter router(world.options);
  Endpoint target{"target", 80};
  auto stream = world.io.loop.run(router.dial(world.io, target, Requester()));
  for (std::size_t hop = 0; hop < shape.size(); ++hop)
    for (std::size_t node = 0; node < shape[hop].size(); ++node) {
      int failures = world.chain->hops[hop]->nodes()[node].candidate.failures();
      const FakeProxy& proxy = *world.proxies[hop][node];
      bool tried = proxy.dials > 0;
      if (is_dead(proxy.behaviour)) {
        RC_ASSERT(tried == (failures > 0));
      } else {
        RC_ASSERT(failures == 0);
      }
    }
}

RC_GTEST_PROP(ChainRouterProperty, DatagramsHoldTheSameRules, ()) {
  Shape shape = any_shape();
  World world(shape);
  ChainRouter router(world.options);
  auto datagram = world.io.loop.run(router.open_datagram(world.io, Requester()));
  for (const std::string& endpoint : world.sockets->connected) RC_ASSERT(endpoint.starts_with("10.0.0."));
  for (const std::string& peer : world.sockets->datagrams) RC_ASSERT(peer == "9.9.9.9:999");
  if (!datagram) RC_ASSERT(datagram.error().text.starts_with("hop-"));
}

}  // namespace
}  // namespace gost
