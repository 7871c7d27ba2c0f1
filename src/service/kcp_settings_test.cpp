#include "service/kcp_settings.hpp"

#include "config/value.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace gost {
namespace {

using namespace std::chrono_literals;

config::Metadata metadata_of(const std::string& yaml) {
  config::Metadata metadata;
  auto value = config::parse_yaml(yaml, "gost.yaml");
  if (!value) ADD_FAILURE() << value.error().text;
  if (value && value->map() != nullptr)
    for (const config::Member& member : *value->map()) metadata.set(member.key, member.value);
  return metadata;
}

KcpSettings settings(const std::string& yaml, KcpSide side = KcpSide::dialer) {
  auto made = kcp_settings(metadata_of(yaml), side);
  if (!made) ADD_FAILURE() << made.error().text;
  return made.value_or(KcpSettings{});
}

std::string refusal(const std::string& yaml) {
  auto made = kcp_settings(metadata_of(yaml), KcpSide::listener);
  return made ? "" : made.error().text;
}

/// A file that is gone at the end of the test.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() / ("gost-kcp-" + std::to_string(::getpid()) + ".json")) {
    std::ofstream(path_) << text;
  }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;
  ~ConfigFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(KcpSettings, WithoutOptionsItTalksToAGostWithoutOptions) {
  KcpSettings made = settings("");
  EXPECT_EQ(made.options.keys, std::vector<std::string>{""});
  EXPECT_EQ(made.options.crypt, "aes");
  EXPECT_FALSE(made.options.nocomp);
  EXPECT_EQ(made.mux.version, 1);
  EXPECT_EQ(made.options.mode, "fast");
  EXPECT_EQ(made.options.mtu, 1350);
  EXPECT_EQ(made.options.sndwnd, 1024);
  EXPECT_EQ(made.mux.max_receive_buffer, 4'194'304);
  EXPECT_EQ(made.mux.max_stream_buffer, 2'097'152);
  EXPECT_EQ(made.mux.keepalive_interval, 10s);
  EXPECT_EQ(made.mux.keepalive_timeout, 30s);
  ASSERT_EQ(made.warnings.size(), 1U);
  EXPECT_EQ(made.warnings[0],
            "without kcp.key this link is not secret: its key is known to everybody; set kcp.key at both ends");
}

TEST(KcpSettings, AListenerWithoutAKeyAcceptsBothThatArePublic) {
  std::vector<std::string> both{"", "it's a secrect"};
  EXPECT_EQ(settings("", KcpSide::listener).options.keys, both);
  EXPECT_EQ(settings("kcp.key: ''", KcpSide::listener).options.keys, both);
  EXPECT_EQ(settings("kcp.key: mine", KcpSide::listener).options.keys, std::vector<std::string>{"mine"});
  EXPECT_TRUE(settings("kcp.key: mine").warnings.empty());
  KcpSettings documented = settings("kcp.key: it's a secrect", KcpSide::listener);
  EXPECT_EQ(documented.options.keys, std::vector<std::string>{"it's a secrect"});
  EXPECT_TRUE(documented.options.key_is_public);
  ASSERT_EQ(documented.warnings.size(), 1U);
  EXPECT_EQ(documented.warnings[0],
            "this link is not secret: its kcp.key is that of GOST's documentation, which is known to everybody; set "
            "another one at both ends");
}

TEST(KcpSettings, EveryOptionHasItsEffect) {
  KcpSettings made = settings(R"(
KCP.Key: k
kcp.crypt: salsa20
kcp.mode: fast3
kcp.mtu: 1200
kcp.sndwnd: 128
kcp.rcvwnd: 512
kcp.datashard: 0
kcp.parityshard: 0
kcp.dscp: 46
kcp.nocomp: true
kcp.acknodelay: true
kcp.sockbuf: 1000000
kcp.smuxver: 2
kcp.smuxbuf: 2000000
kcp.streambuf: 500000
kcp.keepalive: 20
kcp.peerTimeout: 1m
kcp.maxSessions: 7
kcp.maxSessionsPerHost: 3
backlog: 9
)");
  const kcp::Options& options = made.options;
  EXPECT_EQ(options.keys[0], "k");
  EXPECT_EQ(options.crypt, "salsa20");
  EXPECT_EQ(options.pace(), kcp::pace_of("fast3"));
  EXPECT_EQ(options.mtu, 1200);
  EXPECT_EQ(options.sndwnd, 128);
  EXPECT_EQ(options.rcvwnd, 512);
  EXPECT_FALSE(options.fec());
  EXPECT_EQ(options.dscp, 46);
  EXPECT_TRUE(options.nocomp);
  EXPECT_TRUE(options.acknodelay);
  EXPECT_EQ(options.sockbuf, 1'000'000);
  EXPECT_EQ(made.mux.version, 2);
  EXPECT_EQ(made.mux.max_receive_buffer, 2'000'000);
  EXPECT_EQ(made.mux.max_stream_buffer, 500'000);
  EXPECT_EQ(made.mux.keepalive_interval, 20s);
  EXPECT_EQ(made.mux.keepalive_timeout, 30s);
  EXPECT_EQ(options.peer_timeout, 1min);
  EXPECT_EQ(options.max_sessions, 7);
  EXPECT_EQ(options.max_sessions_per_host, 3);
  EXPECT_TRUE(made.warnings.empty());
}

TEST(KcpSettings, BuffersFollowTheSocketsBuffer) {
  KcpSettings made = settings("kcp.sockbuf: 100000");
  EXPECT_EQ(made.options.smuxbuf, 100'000);
  EXPECT_EQ(made.options.streambuf, 50'000);
}

TEST(KcpSettings, ThePaceByHandNeedsNoMode) {
  kcp::Options options = settings("{kcp.key: k, kcp.nodelay: 1, kcp.interval: 5, kcp.resend: 3, kcp.nc: 1}").options;
  EXPECT_EQ(options.mode, "manual");
  EXPECT_EQ(options.pace(), (kcp::Pace{.nodelay = true, .interval = 10, .resend = 3, .no_congestion = true}));
  EXPECT_EQ(settings("{kcp.key: k, kcp.mode: normal, kcp.interval: 5}").options.pace(), kcp::pace_of("normal"));
  KcpSettings odd = settings("{kcp.key: k, kcp.mode: fast4}");
  EXPECT_EQ(odd.options.pace().interval, 50);
  ASSERT_EQ(odd.warnings.size(), 1U);
  EXPECT_EQ(odd.warnings[0], "kcp.mode 'fast4' is none of normal, fast, fast2, fast3, manual, and taken as manual");
}

TEST(KcpSettings, CiphersThatMeanAnotherAreToldOf) {
  EXPECT_EQ(settings("{kcp.key: k, kcp.crypt: 'null'}").warnings[0],
            "kcp.crypt=null means AES-256, as with GOST; what encrypts nothing is called none");
  EXPECT_EQ(settings("{kcp.key: k, kcp.crypt: aes-256}").warnings[0],
            "kcp.crypt 'aes-256' is no cipher's name and means AES-256, as with GOST");
  EXPECT_EQ(settings("{kcp.key: k, kcp.crypt: none}").warnings[0], "kcp.crypt=none: packets are not encrypted");
}

TEST(KcpSettings, NobodyIsSilentForLongerThanPeersWait) {
  for (std::string_view good : {"1", "24", "25"}) {
    KcpSettings made = settings("{kcp.key: k, kcp.keepalive: " + std::string(good) + "}");
    EXPECT_TRUE(made.warnings.empty()) << good;
    EXPECT_EQ(made.mux.keepalive_interval, std::chrono::seconds(std::stoi(std::string(good))));
  }
  KcpSettings made = settings("{kcp.key: k, kcp.keepalive: 60}");
  EXPECT_EQ(made.mux.keepalive_interval, 25s);
  EXPECT_EQ(made.mux.keepalive_timeout, 30s);
  ASSERT_EQ(made.warnings.size(), 1U);
  EXPECT_EQ(made.warnings[0], "kcp.keepalive is 1m0s, but peers end a session after 30s of silence; 25s is used");
}

TEST(KcpSettings, TheObjectCountsBehindTheOptionsAndBeforeTheFile) {
  ConfigFile file(R"({"key": "of the file", "crypt": "tea", "mtu": 1000, "datashard": 5})");
  std::string yaml = "kcp.configFile: " + file.path() + "\nkcp.mtu: 900\n";
  KcpSettings made = settings(yaml);
  EXPECT_EQ(made.options.keys[0], "of the file");
  EXPECT_EQ(made.options.crypt, "tea");
  EXPECT_EQ(made.options.mtu, 900);
  EXPECT_EQ(made.options.datashard, 5);
  EXPECT_EQ(made.options.parityshard, 3);
  made = settings(yaml + "kcp.config: {Key: of the object, mtu: 800, sndwnd: 0}");
  EXPECT_EQ(made.options.keys[0], "of the object");
  EXPECT_EQ(made.options.crypt, "aes");
  EXPECT_EQ(made.options.mtu, 900);
  EXPECT_EQ(made.options.sndwnd, 1024);
}

TEST(KcpSettings, ReadsAFileOfKcptun) {
  ConfigFile file(R"({
  "smuxver": 2, "listen": ":29900", "target": "127.0.0.1:12948", "key": "test", "crypt": "aes-128", "mode": "fast3",
  "mtu": 1400, "sndwnd": 2048, "rcvwnd": 1024, "datashard": 30, "parityshard": 15, "dscp": 46, "nocomp": true,
  "acknodelay": false, "nodelay": 0, "interval": 40, "resend": 0, "nc": 0, "sockbuf": 16777217, "keepalive": 10,
  "pprof": false, "whatever": 1
})");
  KcpSettings made = settings("c: " + file.path());
  EXPECT_EQ(made.options.keys[0], "test");
  EXPECT_EQ(made.options.pace(), kcp::pace_of("fast3"));
  EXPECT_EQ(made.options.datashard, 30);
  EXPECT_TRUE(made.options.nocomp);
  EXPECT_EQ(made.options.smuxver, 2);
  ASSERT_EQ(made.warnings.size(), 4U);
  EXPECT_EQ(made.warnings[0], file.path() + ":2:17: 'listen' has no effect here");
  EXPECT_TRUE(made.warnings[3].ends_with(": unknown option 'whatever' of kcp"));
}

TEST(KcpSettings, WhatCannotBeUsedIsRefusedWithItsPlace) {
  EXPECT_EQ(
      refusal("kcp.tcp: true"),
      "kcp.tcp (KCP in forged TCP segments) is not available; leave it out at both ends, or use a transport over "
      "TCP such as mtls where UDP does not pass");
  EXPECT_EQ(refusal("kcp.tcp: false"), "");
  EXPECT_EQ(refusal("kcp.mtu: 9000"), "kcp.mtu is 9000, but must be from 128 to 1500");
  EXPECT_EQ(refusal("kcp.peerTimeout: 0.1ms"), "kcp.peerTimeout is 100µs, but must be from 1s to 24h0m0s");
  EXPECT_EQ(refusal("kcp.peerTimeout: 600h"), "kcp.peerTimeout is 600h0m0s, but must be from 1s to 24h0m0s");
  EXPECT_EQ(refusal("kcp.mtu: large"), "gost.yaml:1:10: kcp.mtu: the text \"large\" is not a whole number");
  EXPECT_EQ(refusal("kcp.config: [1]"), "gost.yaml:1:13: kcp.config: a list is no map of options");
  EXPECT_EQ(refusal("kcp.config: {mtu: [1]}"), "gost.yaml:1:19: kcp.mtu: a list is not a whole number");
  EXPECT_TRUE(refusal("c: /nowhere/kcp.json").find("/nowhere/kcp.json") != std::string::npos);
  ConfigFile list("[]");
  EXPECT_EQ(refusal("c: " + list.path()), list.path() + ":1:1: a JSON object was expected, not a list");
  ConfigFile broken("{\"key\": }");
  EXPECT_TRUE(refusal("c: " + broken.path()).starts_with(broken.path() + ":1:"));
}

}  // namespace
}  // namespace gost
