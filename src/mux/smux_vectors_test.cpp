// The smux part of recorded sessions of GOST: our machines, driven to do what GOST did, say the same bytes.
#include "mux/smux_machine.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <tuple>

namespace gost {
namespace {

using namespace std::chrono_literals;

struct Event {
  int connection = 0;
  bool to_server = false;
  std::string hex;
};

/// The text of a field in an event's line: `"name": "text"` or `"name": number`.
std::string field(const std::string& line, const std::string& name) {
  auto at = line.find('"' + name + "\": ");
  if (at == std::string::npos) return "";
  at += name.size() + 4;
  bool quoted = line[at] == '"';
  if (quoted) ++at;
  return line.substr(at, line.find_first_of(quoted ? "\"" : ",}", at) - at);
}

struct Recording {
  std::string client;
  std::string server;
  std::vector<Event> events;
};

Recording load(const std::filesystem::path& path) {
  Recording recording;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (auto command = field(line, "client_cmd"); !command.empty()) recording.client = command;
    if (auto command = field(line, "server_cmd"); !command.empty()) recording.server = command;
    std::string hex = field(line, "hex");
    // Other legs are what is behind the proxy; 05 begins what SOCKS says before MBIND turns to smux.
    if (hex.empty() || !field(line, "leg").empty() || hex.starts_with("05")) continue;
    std::string connection = field(line, "conn");
    recording.events.push_back({connection.empty() ? 1 : std::stoi(connection), field(line, "dir") == "c2s", hex});
  }
  return recording;
}

/// One end of one connection.
struct End {
  explicit End(const SmuxOptions& options, MuxSide side) : machine(options, side, TimePoint()) {}

  SmuxMachine machine;
  std::map<std::uint32_t, std::unique_ptr<MuxMachineStream>> streams;
  std::map<std::uint32_t, std::size_t> read;
  int nops = 0;

  void take(Bytes bytes) {
    ASSERT_TRUE(machine.input(bytes));
    for (auto& stream : machine.take_accepted()) {
      std::uint32_t id = stream->id();
      streams[id] = std::move(stream);
    }
  }

  void read_to(std::uint32_t id, std::size_t total) {
    std::vector<std::uint8_t> bytes(total - read[id]);
    EXPECT_EQ(streams.at(id)->read(bytes, TimePoint()).bytes, bytes.size());
    read[id] = total;
  }

  /// Does what made GOST send the frames in `bytes`; what that makes us send.
  std::vector<std::uint8_t> repeat(Bytes bytes) {
    std::vector<std::uint8_t> said;
    auto say = [&](Bytes more) { said.insert(said.end(), more.begin(), more.end()); };
    while (!bytes.empty()) {
      auto header = std::get<SmuxHeader>(decode_smux_header(bytes, machine.version()));
      Bytes payload = bytes.subspan(kSmuxHeaderSize, header.length);
      bytes = bytes.subspan(kSmuxHeaderSize + header.length);
      switch (header.command) {
      case SmuxCommand::syn: {
        auto stream = machine.open().value();
        EXPECT_EQ(stream->id(), header.stream);
        streams[header.stream] = std::move(stream);
        break;
      }
      case SmuxCommand::fin: streams.erase(header.stream); break;
      case SmuxCommand::psh: {
        MuxMachineStream& stream = *streams.at(header.stream);
        EXPECT_GE(stream.sendable(), payload.size());
        say(stream.header(header.length).view());
        say(payload);
        stream.sent(payload.size());
        break;
      }
      case SmuxCommand::nop:
        // The last one of a session whose peer is silent comes with its end.
        std::ignore = machine.expire(TimePoint(++nops * machine.options().keepalive_interval));
        break;
      case SmuxCommand::upd:
        read_to(header.stream, std::get<SmuxUpdate>(decode_smux_update(payload)).consumed);
        break;
      }
      std::array<std::uint8_t, 64> control;
      say(Bytes(control).first(machine.take_control(control)));
    }
    return said;
  }
};

void replay(const std::filesystem::path& path) {
  SCOPED_TRACE(path.filename().string());
  Recording recording = load(path);
  // The smux client is who opens streams: the dialer of mtcp, the server of MBIND.
  bool mbind = path.filename().string().starts_with("mbind");
  auto options_of = [&](const std::string& command) {
    SmuxOptions options{.version = mbind ? 1 : 2};
    if (command.find("mux.version=1") != std::string::npos) options.version = 1;
    if (command.find("mux.version=2") != std::string::npos) options.version = 2;
    if (command.find("mux.maxStreamBuffer=4096") != std::string::npos) options.max_stream_buffer = 4096;
    return options;
  };
  // A scripted end says nothing about itself.
  bool golden_client = recording.client.starts_with("gost");
  bool golden_server = recording.server.starts_with("gost");
  SmuxOptions client_options = options_of(golden_client ? recording.client : recording.server);
  SmuxOptions server_options = options_of(golden_server ? recording.server : recording.client);
  std::map<int, std::pair<std::unique_ptr<End>, std::unique_ptr<End>>> connections;
  for (const Event& event : recording.events) {
    auto& [client, server] = connections[event.connection];
    if (!client) {
      client = std::make_unique<End>(client_options, mbind ? MuxSide::server : MuxSide::client);
      server = std::make_unique<End>(server_options, mbind ? MuxSide::client : MuxSide::server);
    }
    auto bytes = from_hex(event.hex).value();
    End& from = event.to_server ? *client : *server;
    End& to = event.to_server ? *server : *client;
    if (event.to_server ? golden_client : golden_server) EXPECT_EQ(to_hex(from.repeat(bytes)), event.hex);
    if (event.to_server ? golden_server : golden_client) to.take(bytes);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(SmuxVectors, OurMachinesSayWhatGostSaid) {
  // What is not smux, or not the version of the other end, is in the next test.
  const std::set<std::string> elsewhere{"mbind-client-bad-version",      "mbind-server-bad-smux-cmd",
                                        "mbind-server-bad-smux-version", "mtcp-server-raw-plain-socks",
                                        "mtcp-server-raw-wrong-version", "mtcp-server-raw-v1"};
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(GOST_SOURCE_DIR "/src/mux/testing/vectors")) {
    std::string name = entry.path().stem().string();
    if (!name.starts_with("mbind-") && !name.starts_with("mtcp-")) continue;
    if (elsewhere.contains(name)) continue;
    replay(entry.path());
    ++count;
  }
  EXPECT_GT(count, 30);
}

TEST(SmuxVectors, WhatIsNoSmuxOfOurVersionEndsTheSession) {
  for (const char* name :
       {"mbind-server-bad-smux-cmd", "mbind-server-bad-smux-version", "mtcp-server-raw-wrong-version"}) {
    Recording recording = load(GOST_SOURCE_DIR "/src/mux/testing/vectors/" + std::string(name) + ".json");
    ASSERT_FALSE(recording.events.empty()) << name;
    SmuxMachine machine({.version = std::string_view(name).starts_with("mbind") ? 1 : 2}, MuxSide::server, {});
    Result<> outcome;
    for (const Event& event : recording.events) {
      if (event.to_server && outcome) outcome = machine.input(from_hex(event.hex).value());
    }
    EXPECT_FALSE(outcome) << name;
  }
  SmuxMachine machine({}, MuxSide::server, {});
  EXPECT_FALSE(machine.input(from_hex("0501000501000170").value())) << "a SOCKS greeting without smux";
}

}  // namespace
}  // namespace gost
