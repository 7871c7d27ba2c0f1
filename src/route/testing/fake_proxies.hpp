// For tests of routes: proxies in memory that work or fail in every way, and sockets that are only written down.
#pragma once

#include "component/testing/scripted_datagram.hpp"
#include "net/memory_pipe.hpp"
#include "route/hop.hpp"
#include "route/outbound.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gost::testing {

/// What a proxy does with whoever wants to use it.
enum class Behaviour : std::uint8_t {
  works,
  does_not_listen,      ///< the dialer fails
  hangs_in_dial,        ///< the dialer waits for ever
  refuses_credentials,  ///< the connector is not let in
  hangs_in_handshake,
  cannot_reach_target,  ///< lets in, then says that the target refused
  hangs_on_target,
  dies_on_target,  ///< lets in, then hangs up without an answer
  has_no_udp,      ///< lets in, then refuses datagrams
};

/// The sockets of a machine, as a list of what was opened.
class FakeOutbound final : public Outbound {
 public:
  std::map<std::string, Error> failures;  ///< by endpoint
  std::map<std::string, std::string> system_names;
  mutable std::vector<std::string> connected;  ///< endpoints, in order
  mutable std::vector<Destination> destinations;
  mutable std::vector<SocketOptions> options;
  mutable std::vector<std::string> datagrams;  ///< peers, or "any"
  mutable std::vector<std::shared_ptr<DatagramScript>> scripts;

  Task<Result<std::unique_ptr<Stream>>> connect(IoContext&, Destination to, SocketOptions with) const override {
    std::string endpoint = to.endpoint.to_string();
    connected.push_back(endpoint);
    destinations.push_back(std::move(to));
    options.push_back(std::move(with));
    if (auto found = failures.find(endpoint); found != failures.end()) co_return fail(found->second);
    auto [near, far] = make_memory_pipe();
    far_ends_.push_back(std::move(far));
    co_return std::move(near);
  }
  Task<Result<std::unique_ptr<Datagram>>> open_datagram(IoContext&, std::optional<SocketAddress> peer,
                                                        SocketOptions with) const override {
    datagrams.push_back(peer ? peer->to_string() : "any");
    options.push_back(std::move(with));
    scripts.push_back(std::make_shared<DatagramScript>());
    co_return std::make_unique<ScriptedDatagram>(scripts.back());
  }
  Task<Result<IpAddress>> resolve(IoContext&, std::string host) const override {
    if (host.empty()) co_return IpAddress::v4({127, 0, 0, 1});
    if (auto ip = IpAddress::parse(host)) co_return *ip;
    if (auto found = system_names.find(host); found != system_names.end())
      co_return IpAddress::parse(found->second).value();
    co_return fail(Cause::host_unreachable, "lookup " + host + ": no such host");
  }

 private:
  mutable std::vector<std::unique_ptr<Stream>> far_ends_;
};

class FakeProxy final : public Connector, public Dialer {
 public:
  explicit FakeProxy(Behaviour behaviour) : behaviour(behaviour) {}

  Behaviour behaviour;
  bool says_admitted = true;
  Duration limit = Duration::zero();       ///< time_limit()
  mutable int dials = 0;                   ///< for which there was a raw connection
  mutable std::vector<std::string> asked;  ///< targets
  mutable int datagram_paths = 0;

  Duration time_limit() const override { return limit; }

  Task<Result<std::unique_ptr<Stream>>> dial(IoContext&, RawConnection& raw) const override {
    auto stream = co_await raw.open();
    if (!stream) co_return stream;
    ++dials;
    if (behaviour == Behaviour::hangs_in_dial) {
      Outcome outcome = co_await sleep_for(std::chrono::hours(1));
      co_return fail(stop_error(outcome));
    }
    if (behaviour == Behaviour::does_not_listen) co_return fail(Cause::refused, "dial: connection refused");
    co_return stream;
  }

  Task<Result<std::unique_ptr<Stream>>> connect(IoContext&, Underlay& underlay, Endpoint target) const override {
    auto stream = co_await underlay.open_stream();
    if (!stream) co_return stream;
    if (auto let_in = co_await enter(underlay); !let_in) co_return fail(let_in.error());
    asked.push_back(target.to_string());
    if (behaviour == Behaviour::cannot_reach_target)
      co_return fail(Cause::refused, "fake: connection refused (reply 05)");
    if (behaviour == Behaviour::dies_on_target) co_return fail(Cause::eof, "fake: reply: EOF");
    if (behaviour == Behaviour::hangs_on_target) {
      Outcome outcome = co_await sleep_for(std::chrono::hours(1));
      co_return fail(stop_error(outcome).in("fake"));
    }
    co_return stream;
  }

  Task<Result<std::unique_ptr<Datagram>>> open_datagram(IoContext&, Underlay& underlay) const override {
    auto stream = co_await underlay.open_stream();
    if (!stream) co_return fail(std::move(stream.error()));
    if (auto let_in = co_await enter(underlay); !let_in) co_return fail(let_in.error());
    if (behaviour == Behaviour::has_no_udp) co_return fail(Cause::command, "fake: command not supported (reply 07)");
    ++datagram_paths;
    co_return co_await underlay.open_datagram(SocketAddress(IpAddress::v4({9, 9, 9, 9}), 999));
  }

 private:
  Task<Result<>> enter(Underlay& underlay) const {
    if (behaviour == Behaviour::refuses_credentials) co_return fail(Cause::auth, "fake: wrong password");
    if (behaviour == Behaviour::hangs_in_handshake) {
      Outcome outcome = co_await sleep_for(std::chrono::hours(1));
      co_return fail(stop_error(outcome).in("fake"));
    }
    if (says_admitted) underlay.admitted();
    co_return Result<>();
  }
};

/// "node-N" at 10.0.HOP.N:1080 with a FakeProxy as connector and dialer.
inline NodeOptions fake_node(std::size_t hop, std::size_t number, std::shared_ptr<const FakeProxy> proxy) {
  NodeOptions node;
  node.name = "node-" + std::to_string(number);
  node.address = {"10.0." + std::to_string(hop) + "." + std::to_string(number), 1080};
  node.connector = proxy;
  node.dialer = std::move(proxy);
  return node;
}

/// "hop-N" with a node for each proxy.
inline HopOptions fake_hop(std::size_t number, const std::vector<std::shared_ptr<FakeProxy>>& proxies) {
  HopOptions hop;
  hop.name = "hop-" + std::to_string(number);
  hop.selector.strategy = Strategy::fifo;
  for (std::size_t i = 0; i < proxies.size(); ++i) hop.nodes.push_back(fake_node(number, i, proxies[i]));
  return hop;
}

inline std::shared_ptr<const Chain> chain_of(std::vector<HopOptions> hops, std::string name = "chain-0") {
  std::vector<std::shared_ptr<const Hop>> made;
  for (HopOptions& hop : hops) made.push_back(std::make_shared<const Hop>(std::move(hop)));
  return std::make_shared<const Chain>(std::move(name), std::move(made));
}

inline std::shared_ptr<FakeProxy> proxy_that(Behaviour behaviour) {
  return std::make_shared<FakeProxy>(behaviour);
}

}  // namespace gost::testing
