#include "service/build.hpp"

#include "observe/log_capture.hpp"
#include "service/registry.hpp"
#include "tls/testing/pair.hpp"

#include <gtest/gtest.h>

#include <filesystem>

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

/// In a directory of its own, with nothing in the environment that names another.
class BuildTls : public ::testing::Test {
 protected:
  BuildTls() { std::filesystem::current_path(directory_.path()); }
  ~BuildTls() override { std::filesystem::current_path(before_); }

  Built build_of(std::vector<config::Service> services) {
    config::Config config;
    config.services = std::move(services);
    config.tls = top_;
    problems_.clear();
    return build(config, problems_, Logger(lines_, Level::info));
  }

  std::filesystem::path before_ = std::filesystem::current_path();
  tls::testing::TemporaryDirectory directory_;
  tls::testing::Authority authority_{directory_};
  std::optional<config::Tls> top_;
  config::Problems problems_;
  std::shared_ptr<LogCapture> lines_ = std::make_shared<LogCapture>();
};

TEST_F(BuildTls, ThePairInTheWorkingDirectoryIsReadAgainWhenItChanges) {
  auto install = [this](const std::string& name) {
    auto files = authority_.self_signed(name);
    std::filesystem::rename(files.key, "key.pem");
    std::filesystem::rename(files.cert, "cert.pem");
    return files.fingerprint;
  };
  install("one");
  Built built = build_of({service_of("socks5", "tls")});
  ASSERT_EQ(built.files.size(), 1U);
  EXPECT_EQ(built.files[0].name, "./cert.pem");
  EXPECT_EQ(built.files[0].file->reload(), false);
  install("two");
  EXPECT_EQ(built.files[0].file->reload(), true);
}

TEST_F(BuildTls, EachCertificateIsToldOnceForThoseThatNegotiate) {
  auto files = authority_.sign("proxy.example");
  top_.emplace();
  top_->cert_file = files.cert;
  top_->key_file = files.key;
  auto plain = service_of("socks5", "tcp");
  plain.handler->metadata.set("notls", config::Value(true));
  build_of({plain, service_of("socks5", "tcp"), service_of("auto", "tcp")});
  auto said = lines_->take();
  ASSERT_EQ(said.size(), 1U);
  EXPECT_TRUE(said[0].contains(files.fingerprint.to_string())) << said[0];
  build_of({service_of("socks5", "tls"), service_of("socks5", "tls")});
  EXPECT_EQ(lines_->take().size(), 2U) << "one for each that encrypts by itself";
}

TEST_F(BuildTls, AHandlerWhoseClientsShowCertificatesServesNoSocks4) {
  auto files = authority_.sign("proxy.example");
  auto service = service_of("auto", "tcp");
  config::Tls& settings = service.handler->tls.emplace();
  settings.cert_file = files.cert;
  settings.key_file = files.key;
  settings.ca_file = authority_.file();
  build_of({service});
  ASSERT_EQ(problems_.size(), 1U);
  EXPECT_EQ(problems_[0].message,
            "handler 'auto' serves SOCKS4 too, whose clients can show no certificate (tls.caFile); use handler "
            "'socks5'");
  service.handler->type = "socks5";
  build_of({service});
  EXPECT_TRUE(problems_.empty());
  top_ = settings;
  service.handler->tls.reset();
  service.handler->type = "auto";
  build_of({service});
  EXPECT_TRUE(problems_.empty()) << "the top-level section says how to do TLS, and not that it has to be done";
}

TEST(Build, AProxyHeaderThatWouldBeMissingIsRefused) {
  auto service = forward_of("tcp", "tcp");
  service.handler->metadata.set("proxyProtocol", config::Value(std::string("1")));
  EXPECT_EQ(problems_of(service).size(), 1U);
}

}  // namespace
}  // namespace gost
