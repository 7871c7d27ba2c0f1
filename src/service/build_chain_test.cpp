#include "service/build_chain.hpp"

#include "config/sources.hpp"
#include "service/build.hpp"
#include "service/registry.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gost {
namespace {

using namespace std::chrono_literals;

/// The configuration in `yaml`.
config::Config config_of(const std::string& yaml) {
  config::Surroundings surroundings{[](const std::string&) { return std::nullopt; }, [&] { return yaml; }, {}};
  config::Flags flags;
  flags.sources = {"-"};
  auto loaded = config::load(flags, surroundings);
  EXPECT_TRUE(loaded) << loaded.error().text;
  return loaded ? loaded->config : config::Config();
}

/// What check() and build() say of a configuration, each on a line of its own.
std::string problems_of(const config::Config& config) {
  config::Problems problems = config::check(config, availability());
  if (!config::has_errors(problems)) build(config, problems);
  std::string text;
  for (const config::Problem& problem : problems) text += problem.message + "\n";
  return text;
}

std::string problems_of_line(std::vector<std::string> services, std::vector<std::string> nodes) {
  config::Flags flags;
  flags.services = std::move(services);
  flags.nodes = std::move(nodes);
  config::Surroundings surroundings{
      [](const std::string&) { return std::nullopt; }, [] { return fail(Cause::other, "no stdin"); }, {}};
  auto loaded = config::load(flags, surroundings);
  return loaded ? problems_of(loaded->config) : loaded.error().text;
}

constexpr auto kService = "services: [{name: s, addr: '127.0.0.1:0', handler: {type: socks5, chain: c}}]\n";

TEST(BuildChain, CommandLinesBuild) {
  EXPECT_EQ(problems_of_line({"socks5://127.0.0.1:0"}, {"socks5://user:pass@127.0.0.1:1080?relay=udp&timeout=5s"}),
            "");
  EXPECT_EQ(
      problems_of_line({"socks5://127.0.0.1:0?retries=2&hash=host&interface=lo&so_mark=7"},
                       {"socks4://id@127.0.0.1:1080", "socks5://a:1,b:2?strategy=fifo&maxFails=3&failTimeout=5s",
                        "forward://10.0.0.1:80", "socks4a://c:3?disable4a=true"}),
      "");
  EXPECT_EQ(problems_of_line(
                {"socks5://127.0.0.1:0?bypass=~.local,10.0.0.0/8&hosts=a:1.2.3.4&resolver=1.1.1.1,tcp://[::1]"},
                {"socks5://127.0.0.1:1080?bypass=*.lan&hosts=b:1.2.3.4&resolver=9.9.9.9"}),
            "");
  EXPECT_EQ(problems_of_line({"socks5://127.0.0.1:0"}, {"virtual://:0"}), "");
}

TEST(BuildChain, WhatThisBuildLacksIsRefused) {
  EXPECT_EQ(problems_of_line({"socks5://127.0.0.1:0"}, {"socks5+quic://127.0.0.1:1080"}),
            "dialer 'quic' is not available in this build\n");
  EXPECT_EQ(problems_of_line({"socks5://127.0.0.1:0"}, {"http://127.0.0.1:1080"}),
            "connector 'http' is not available in this build\n");
  EXPECT_EQ(problems_of_line({"socks5://127.0.0.1:0?resolver=tls://1.1.1.1:853"}, {}),
            "resolver 'resolver-0': DNS over TLS is not available in this build\n");
  EXPECT_EQ(problems_of_line({"socks5://127.0.0.1:0?resolver=https://1.1.1.1/dns-query"}, {}),
            "resolver 'resolver-0': DNS over HTTPS is not available in this build\n");
}

TEST(BuildChain, ANodeThatIsToBeVerifiedAndHasNoTlsIsRefused) {
  const std::string print(64, 'a');
  auto problems = [](const std::string& node) { return problems_of_line({"socks5://127.0.0.1:0"}, {node}); };
  const std::string begin = "node 'node-0' is to be verified (secure, ca or tls.fingerprint), but ";
  EXPECT_EQ(problems("socks4://127.0.0.1:1?secure=true"),
            begin + "connector 'socks4' over dialer 'tcp' has no TLS; use 'tls'\n");
  EXPECT_EQ(problems("forward+mtcp://127.0.0.1:1?ca=/ca.pem"),
            begin + "connector 'forward' over dialer 'mtcp' has no TLS; use 'mtls'\n");
  EXPECT_EQ(problems("socks4+kcp://127.0.0.1:1?tls.fingerprint=" + print),
            begin + "connector 'socks4' over dialer 'kcp' has no TLS; remove them\n");
  EXPECT_EQ(problems("socks5+ws://127.0.0.1:1?notls=true&secure=true"),
            begin + "notls=true switches off its TLS; use 'wss'\n");
  EXPECT_EQ(
      problems("socks4://127.0.0.1:1?cert=/c.pem&key=/k.pem"),
      "the certificate of node 'node-0' is ignored: connector 'socks4' over dialer 'tcp' has no TLS; use 'tls'\n");
  for (auto good :
       {"socks5://127.0.0.1:1?secure=true", "socks5+mtcp://127.0.0.1:1?secure=true", "forward://127.0.0.1:1",
        "socks4+tls://127.0.0.1:1?secure=true", "socks5+wss://127.0.0.1:1?secure=true&notls=true"})
    EXPECT_EQ(problems(good), "") << good;
}

TEST(BuildChain, SettingsOfTheConnectorThatItDoesNotUseDoNotVerify) {
  auto problems = [](const std::string& node) {
    return problems_of(config_of(std::string(kService) +
                                 "chains: [{name: c, hops: [{name: h, nodes: [{name: n, addr: "
                                 "'127.0.0.1:1', " +
                                 node + "}]}]}]\n"));
  };
  const std::string notls = "connector: {type: socks5, metadata: {notls: true}, tls: {secure: true}}, ";
  EXPECT_EQ(problems(notls + "dialer: {type: tls}"),
            "node 'n' is to be verified (secure, ca or tls.fingerprint), but they are not where its TLS is; put them "
            "into 'tls' of the dialer\n");
  EXPECT_EQ(problems(notls + "dialer: {type: tls, tls: {secure: true}}"), "");
  EXPECT_EQ(problems("connector: {type: socks5, tls: {secure: true}}, dialer: {type: tls}"), "");
}

TEST(BuildChain, TlsOptionsOfAServiceThatDoesNotUseThemAreSaidSo) {
  const std::pair<std::string, std::string> listeners[] = {
      {"tcp", "use 'tls'"},  {"mtcp", "use 'mtls'"}, {"ws", "use 'wss'"},
      {"mws", "use 'mwss'"}, {"kcp", "remove them"},
  };
  for (const auto& [type, remedy] : listeners)
    EXPECT_EQ(problems_of_line({"socks5+" + type + "://127.0.0.1:0?ca=/ca.pem"}, {}),
              "TLS certificate options are configured but the \"" + type +
                  "\" listener does not use TLS and will ignore them; " + remedy + "\n");
  EXPECT_EQ(
      problems_of(config_of("services: [{name: s, addr: '127.0.0.1:0', handler: {type: socks4, tls: "
                            "{certFile: c.pem}}}]\n")),
      "TLS options are configured but the \"socks4\" handler does not negotiate TLS and will ignore them; remove "
      "them, or put them into 'tls' of the listener\n");
}

TEST(BuildChain, MistakesInRulesAreRefused) {
  EXPECT_EQ(problems_of_line({"socks5://127.0.0.1:0?bypass=10.0.0.0/99"}, {}),
            "bypass 'bypass-0': matcher '10.0.0.0/99': is not a CIDR block such as '10.0.0.0/8'\n");
  EXPECT_EQ(problems_of_line({"socks5://127.0.0.1:0?hosts=a:1.2.3"}, {}),
            "hosts 'hosts-0': '1.2.3' is not an IP address\n");
  EXPECT_NE(problems_of_line({"socks5://127.0.0.1:0"}, {"socks5+udp://127.0.0.1:1080"})
                .find("node 'node-0': dialer 'udp' carries datagrams only"),
            std::string::npos);
}

TEST(BuildChain, FiltersThatNeedALookIntoTheTrafficAreRefused) {
  auto problems = [](const std::string& filter) {
    return problems_of(config_of(
        "services: [{name: s, addr: '127.0.0.1:0', handler: {type: socks5, chain: c}, listener: {type: tcp}}]\n"
        "chains: [{name: c, hops: [{name: h, nodes: [{name: n, addr: '127.0.0.1:1', connector: {type: socks5}, " +
        filter + "}]}]}]\n"));
  };
  EXPECT_EQ(problems("filter: {host: '*.corp.example'}"), "");
  EXPECT_EQ(problems("filter: {protocol: http}"), "'filter.protocol' of node 'n' is not available in this build\n");
  EXPECT_EQ(problems("matcher: {rule: 'Host(`a`)'}"), "'matcher' of node 'n' is not available in this build\n");
}

TEST(BuildChain, AnUnknownChainIsNeverDirect) {
  auto config = config_of(kService);
  EXPECT_EQ(problems_of(config), "chain 'c' is not defined.\n");
  config::Problems problems;
  build(config, problems);
  EXPECT_TRUE(config::has_errors(problems));
}

TEST(BuildChain, AnEmptyHopIsRefused) {
  std::string empty = std::string(kService) + "chains: [{name: c, hops: [{name: h}]}]\nhops: [{name: h}]\n";
  EXPECT_NE(problems_of(config_of(empty)).find("hop 'h' has no nodes"), std::string::npos);
  config::Problems problems;
  build(config_of(empty), problems);
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems[0].message, "hop 'h' has no nodes");
}

TEST(BuildChain, SharedHopsGroupsAndFilesBuild) {
  EXPECT_EQ(problems_of(config_of(R"(
services:
  - name: s
    addr: 127.0.0.1:0
    interface: lo
    sockopts: {mark: 3}
    bypasses: [one, two]
    handler:
      type: socks5
      chainGroup:
        chains: [c, d]
        selector: {strategy: hash, maxFails: 2, failTimeout: 3s}
chains:
  - name: c
    hops: [{name: shared}]
  - name: d
    hops:
      - name: own
        nodes:
          - {name: n, addr: '10.0.0.1:1080', connector: {type: socks5}, dialer: {type: tcp}, metadata: {weight: 3, backup: true}}
      - {name: shared}
  - name: plain
    hops: [{name: p, nodes: [{name: n, addr: '10.0.0.2:1080', connector: {type: socks5}}]}]
hops:
  - name: shared
    resolver: r
    metadata: {interface: auto, so_mark: 9}
    nodes:
      - {name: n, addr: 'proxy.example:1080', connector: {type: socks4}, resolver: r2}
bypasses:
  - {name: one, matchers: [.example.org]}
  - {name: two, whitelist: true, network: udp, matchers: ['*']}
resolvers:
  - {name: r, nameservers: [{addr: 1.1.1.1, prefer: ipv6, ttl: 5s, timeout: 1s, async: true, clientIP: 10.0.0.1}]}
  - {name: r2, nameservers: [{addr: 'tcp://1.1.1.1', only: ipv4, chain: plain}]}
  - {name: unused, nameservers: [{addr: 1.1.1.1, chain: plain}]}
)")),
            "");
}

TEST(BuildChain, AResolverThatIsAskedThroughItselfIsRefused) {
  std::string text = problems_of(config_of(std::string(kService) + R"(
chains: [{name: c, hops: [{name: h, resolver: r, nodes: [{name: n, addr: 'a:1', connector: {type: socks5}}]}]}]
resolvers: [{name: r, nameservers: [{addr: 1.1.1.1, chain: c}]}]
)"));
  EXPECT_NE(text.find("chain 'c' is needed to make itself: a resolver of it is asked through it"), std::string::npos)
      << text;
}

TEST(BuildChain, OnlyTheLastHopIsReachedByDatagrams) {
  std::string text = problems_of(config_of(std::string(kService) + R"(
chains:
  - name: c
    hops:
      - {name: h, nodes: [{name: n, addr: 'a:1', connector: {type: forward}, dialer: {type: udp}}]}
      - {name: i, nodes: [{name: n, addr: 'a:1', connector: {type: socks5}}]}
)"));
  EXPECT_EQ(text, "chain 'c': only its last hop can have dialer 'udp'\n");
}

class BuiltObjects : public ::testing::Test {
 protected:
  void load(const std::string& yaml) { config = config_of(yaml); }

  config::Config config;
  config::Problems problems;
  Built built;
  BuildContext context{config, problems, built, {}};
  PolicyBuilder policies{context};
  TlsBuilder tls{context};
  ChainBuilder chains{context, policies, tls};
};

TEST_F(BuiltObjects, AHopPassesItsSettingsToItsNodes) {
  load(R"(
chains:
  - name: c
    hops:
      - name: h
        selector: {strategy: fifo, maxFails: 4, failTimeout: 7s}
        metadata: {interface: eth0, so_mark: 5}
        nodes:
          - {name: a, addr: '10.0.0.1:1', connector: {type: forward}, metadata: {weight: 2, maxFails: 9, failTimeout: 1m}}
          - {name: b, addr: '10.0.0.2:2', connector: {type: forward}, metadata: {interface: auto, so_mark: 6, backup: true}}
)");
  auto group = chains.chains_of({}, "c", std::nullopt);
  ASSERT_TRUE(group);
  const Chain* chain = group->choose({}, {}, TimePoint());
  const auto& nodes = chain->hops[0]->nodes();
  EXPECT_EQ(nodes[0].options.outbound.socket.interface, "eth0");
  EXPECT_EQ(nodes[0].options.outbound.socket.mark, 5U);
  EXPECT_EQ(nodes[0].candidate.options().weight, 2);
  EXPECT_EQ(nodes[0].candidate.options().max_fails, 9);
  EXPECT_EQ(nodes[0].candidate.options().fail_timeout, 1min);
  EXPECT_TRUE(nodes[1].options.outbound.interface_auto);
  EXPECT_EQ(nodes[1].options.outbound.socket.interface, "");
  EXPECT_EQ(nodes[1].options.outbound.socket.mark, 6U);
  EXPECT_TRUE(nodes[1].candidate.options().backup);
}

TEST_F(BuiltObjects, ChainsAreSharedWithTheirMarks) {
  load("chains: [{name: c, hops: [{name: h, nodes: [{name: n, addr: 'a:1', connector: {type: forward}}]}]}]\n");
  auto one = chains.chains_of({}, "c", std::nullopt);
  auto two = chains.chains_of({}, "c", std::nullopt);
  EXPECT_EQ(one->choose({}, {}, TimePoint()), two->choose({}, {}, TimePoint()));
}

TEST_F(BuiltObjects, TargetsComeFromNodesOrFromAHop) {
  load(R"(
services:
  - name: s
    forwarder:
      selector: {strategy: fifo}
      nodes:
        - {name: t0, addr: ':80'}
        - {name: t1, addr: '10.0.0.2:81', metadata: {backup: true}}
  - name: t
    forwarder: {hop: h}
  - name: none
hops: [{name: h, nodes: [{name: n, addr: '10.0.0.3:82'}]}]
)");
  auto targets = chains.targets_of(config.services[0]);
  ASSERT_EQ(targets->size(), 2U);
  EXPECT_EQ(targets->choose({}, {})->address, (Endpoint{"", 80}));
  targets->failed(*targets->choose({}, {}));
  EXPECT_EQ(targets->choose({}, {})->name, "t1");
  EXPECT_EQ(chains.targets_of(config.services[1])->choose({}, {})->address, (Endpoint{"10.0.0.3", 82}));
  EXPECT_EQ(chains.targets_of(config.services[2]), nullptr);
  EXPECT_TRUE(problems.empty());
}

TEST_F(BuiltObjects, AliasesOfHostsCount) {
  load("hosts: [{name: h, mappings: [{ip: 1.2.3.4, hostname: a, aliases: [b, .c]}]}]\n");
  auto hosts = policies.hosts_of({}, "h");
  ASSERT_TRUE(hosts);
  for (auto name : {"a", "B", "x.c"}) EXPECT_EQ(hosts->lookup(name).size(), 1U) << name;
}

TEST_F(BuiltObjects, FilesAreWatched) {
  std::string pattern = (std::filesystem::temp_directory_path() / "gost-build-XXXXXX").string();
  std::filesystem::path folder = ::mkdtemp(pattern.data());
  std::ofstream(folder / "list") << ".example.org\n";
  std::ofstream(folder / "hosts") << "1.2.3.4 a\n";
  load("bypasses: [{name: b, reload: 10s, file: {path: " + (folder / "list").string() + "}}]\n" +
       "hosts: [{name: h, file: {path: " + (folder / "hosts").string() + "}}]\n");
  policies.make_all();
  ASSERT_EQ(built.files.size(), 2U);
  EXPECT_EQ(built.files[0].kind, "bypass");
  EXPECT_EQ(built.files[0].period, 10s);
  EXPECT_EQ(built.files[1].name, "h");
  EXPECT_FALSE(built.files[1].file->reload().value());
  EXPECT_TRUE(policies.bypass_of({}, "b", {})->contains(Network::tcp, "www.example.org", 1));
  std::filesystem::remove_all(folder);
}

TEST_F(BuiltObjects, AMissingFileIsAnError) {
  load("bypasses: [{name: b, file: {path: /nowhere/list}}]\n");
  policies.make_all();
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].message, "bypass 'b': bypass file /nowhere/list: no such file or directory");
}

TEST(SelectorOf, HasGostsDefaults) {
  SelectorOptions options = selector_of(std::nullopt);
  EXPECT_EQ(options.strategy, Strategy::round);
  EXPECT_EQ(options.max_fails, 1);
  EXPECT_EQ(options.fail_timeout, 10s);
  config::Selector selector;
  selector.strategy = "nonsense";
  selector.max_fails = -1;
  EXPECT_EQ(selector_of(selector).strategy, Strategy::round);
  EXPECT_EQ(selector_of(selector).max_fails, 1);
}

}  // namespace
}  // namespace gost
