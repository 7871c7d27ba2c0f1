#include "service/build.hpp"

#include "service/registry.hpp"

#include <gtest/gtest.h>

namespace gost {
namespace {

config::Service service_of(std::string handler, std::string listener) {
  config::Service service;
  service.name = "service-0";
  service.addr = "127.0.0.1:0";
  service.handler.emplace().type = std::move(handler);
  service.listener.emplace().type = std::move(listener);
  return service;
}

config::Problems problems_of(config::Service service) {
  config::Config config;
  config.services.push_back(std::move(service));
  config::Problems problems;
  Built built = build(config, problems);
  EXPECT_EQ(built.services.size(), problems.empty() ? 1U : built.services.size());
  return problems;
}

TEST(Build, EveryAvailableNameAndItsAliasesCanBeBuilt) {
  for (auto handler : {"auto", "socks4", "socks4a", "socks5", "socks", ""})
    EXPECT_TRUE(problems_of(service_of(handler, "tcp")).empty()) << handler;
  EXPECT_TRUE(availability().handlers.contains("socks5"));
  EXPECT_TRUE(availability().listeners.contains("tcp"));
}

TEST(Build, WhatTheBuildLacksIsNamed) {
  auto problems = problems_of(service_of("socks5", "quic"));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].message, "listener 'quic' is not available in this build");
  EXPECT_EQ(problems_of(service_of("relay", "tcp")).at(0).message, "handler 'relay' is not available in this build");
}

TEST(Build, OptionsThatWouldSendTrafficAnotherWayAreRefused) {
  for (auto option : {"proxyProtocol", "netns"}) {
    auto service = service_of("socks5", "tcp");
    service.metadata.set(option, config::Value(std::string("1")));
    EXPECT_EQ(problems_of(service).at(0).message,
              std::string("option '") + option + "' is not available in this build");
  }
}

TEST(Build, OptionsThatChangeNothingYetAreSaidSo) {
  auto service = service_of("socks5", "tcp");
  service.handler->metadata.set("tor", config::Value(true));
  service.handler->metadata.set("comp", config::Value(false));
  auto problems = problems_of(service);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].severity, config::Severity::warning);
  EXPECT_EQ(problems[0].message, "option 'tor' has no effect in this build");
}

TEST(Build, AnOptionThatDoesNotParseIsRefused) {
  auto service = service_of("socks5", "tcp");
  service.handler->metadata.set("readTimeout", config::Value(std::string("soon")));
  EXPECT_EQ(problems_of(service).size(), 1U);
}

TEST(Build, AHandlerThatNamesAnUnknownAutherIsNotOpenToAll) {
  auto service = service_of("socks5", "tcp");
  service.handler->auther = "nobody";
  EXPECT_EQ(problems_of(service).size(), 1U);
}

config::Service forward_of(std::string handler, std::string listener) {
  auto service = service_of(std::move(handler), std::move(listener));
  config::ForwardNode& node = service.forwarder.emplace().nodes.emplace_back();
  node.name = "target-0";
  node.addr = "192.0.2.1:53";
  return service;
}

TEST(Build, ForwardsServeStreamsAndDatagrams) {
  for (auto handler : {"tcp", "udp", "forward"})
    for (auto listener : {"tcp", "udp"}) EXPECT_TRUE(problems_of(forward_of(handler, listener)).empty()) << handler;
}

TEST(Build, AForwardWithoutATargetIsRefused) {
  for (auto handler : {"tcp", "udp", "forward"}) {
    auto problems = problems_of(service_of(handler, "udp"));
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].message, std::string("handler '") + handler +
                                       "' has no target. Write it behind the address, as in "
                                       "udp://:5353/192.0.2.1:53, or in a file as forwarder.nodes");
  }
}

TEST(Build, AHandlerOfConnectionsIsRefusedWhereThereAreDatagrams) {
  for (auto handler : {"socks4", "socks5", "auto"}) {
    auto problems = problems_of(service_of(handler, "udp"));
    ASSERT_EQ(problems.size(), 1U) << handler;
    EXPECT_EQ(problems[0].message, std::string("handler '") + handler +
                                       "' speaks on connections and cannot serve listener 'udp', which has "
                                       "datagrams; 'udp' and 'forward' can");
  }
}

TEST(Build, OptionsOfAForwardThatDoNotParseAreRefused) {
  for (auto option : {"ttl", "backlog", "keepalive", "readBufferSize", "recvQueueSize", "maxSessions"}) {
    auto service = forward_of("udp", "udp");
    service.listener->metadata.set(option, config::Value(std::string("some")));
    EXPECT_EQ(problems_of(service).size(), 1U) << option;
  }
  auto service = forward_of("udp", "udp");
  service.handler->metadata.set("idleTimeout", config::Value(std::string("soon")));
  EXPECT_EQ(problems_of(service).size(), 1U);
}

TEST(Build, AProxyHeaderThatWouldBeMissingIsRefused) {
  auto service = forward_of("tcp", "tcp");
  service.handler->metadata.set("proxyProtocol", config::Value(std::string("1")));
  EXPECT_EQ(problems_of(service).size(), 1U);
}

}  // namespace
}  // namespace gost
