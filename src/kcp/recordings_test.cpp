// Recorded sessions of GOST over KCP: every packet is deciphered and enciphered again, its error correction computed
// again, losses of its groups restored, and the stream that it carries taken out of snappy's chunks.
#include "kcp/fec_decoder.hpp"
#include "kcp/fec_encoder.hpp"
#include "kcp/little_endian.hpp"
#include "kcp/packet_crypt.hpp"
#include "kcp/snappy_stream.hpp"
#include "net/memory_pipe.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace gost::kcp {
namespace {

using Json = nlohmann::json;
using Packet = std::vector<std::uint8_t>;

const std::filesystem::path kFolder = std::filesystem::path(GOST_SOURCE_DIR) / "src/kcp/testing/vectors";

/// One direction of a recorded session, opened.
struct Direction {
  std::vector<Packet> packets;
  std::vector<std::string> smux;  ///< the frames, as the recorder describes them
};

struct Recording {
  explicit Recording(const std::filesystem::path& path) : json(Json::parse(std::ifstream(path))) {
    crypt = std::move(PacketCrypt::make(json["kcp"]["crypt"].get<std::string>(),
                                        derive_pass(json["kcp"]["key"].get<std::string>()).value())
                          .value());
    for (const Json& event : json["events"])
      if (event["dir"] != "note") add(event);
  }

  void add(const Json& event) {
    Packet packet = *from_hex(event["hex"].get<std::string>());
    const Packet sealed = packet;
    auto content = open(*crypt, packet);
    ASSERT_TRUE(content) << event;
    if (event.contains("plain")) EXPECT_EQ(to_hex(packet), event["plain"].get<std::string>());
    Direction& direction = event["dir"] == "c2s" ? client : server;
    direction.packets.emplace_back(content->begin(), content->end());
    check_kind(direction.packets.back(), event);
    for (const Json& frame : event.value("smux", Json::array())) direction.smux.push_back(frame);
    crypt->encrypt(packet);
    EXPECT_EQ(packet, sealed);
  }

  static void check_kind(Bytes packet, const Json& event) {
    PacketKind kind = packet_kind(packet);
    if (!event.contains("fec")) {
      EXPECT_EQ(kind, PacketKind::segments);
      return;
    }
    const Json& fec = event["fec"];
    EXPECT_EQ(kind, fec["type"] == "data" ? PacketKind::data : PacketKind::parity);
    EXPECT_EQ(fec_sequence(packet), fec["seq"].get<std::uint32_t>());
  }

  Json json;
  std::unique_ptr<PacketCrypt> crypt;
  Direction client;
  Direction server;
};

class EachRecording : public testing::TestWithParam<std::filesystem::path> {
 protected:
  EachRecording() : recording_(GetParam()) {}

  bool snappy() const {
    return recording_.json["client_cmd"].get<std::string>().find("nocomp=true") == std::string::npos;
  }

  Recording recording_;
};

/// Calls `check` with the data packets and the parity packets of each complete group.
template <class Check>
void for_each_group(const std::vector<Packet>& packets, Check check) {
  std::map<std::uint32_t, Packet> by_number;
  for (const Packet& packet : packets)
    if (packet_kind(packet) != PacketKind::segments) by_number[fec_sequence(packet)] = packet;
  for (auto at = by_number.begin(); at != by_number.end(); ++at) {
    if (at->first % 13 != 0) continue;
    std::vector<Packet> group;
    for (auto next = at; next != by_number.end() && next->first == at->first + group.size() && group.size() < 13;
         ++next)
      group.push_back(next->second);
    if (group.size() == 13) check(group);
  }
}

TEST_P(EachRecording, HasTheParityThatWeCompute) {
  auto code = std::make_shared<const ReedSolomon>(ReedSolomon::make(10, 3).value());
  for (const Direction* direction : {&recording_.client, &recording_.server}) {
    for_each_group(direction->packets, [&](const std::vector<Packet>& group) {
      FecEncoder encoder(code, kMaxPacket, 0);
      encoder.set_next(fec_sequence(group[0]));
      for (std::size_t i = 0; i < 10; ++i) {
        Packet packet = group[i];
        std::fill_n(packet.begin(), kFecHeader, std::uint8_t{0});
        auto parity = encoder.add(packet);
        EXPECT_EQ(packet, group[i]);
        ASSERT_EQ(parity.size(), i == 9 ? 3U : 0U);
        for (std::size_t k = 0; k < parity.size(); ++k) EXPECT_EQ(to_hex(parity[k]), to_hex(group[10 + k]));
      }
    });
  }
}

TEST_P(EachRecording, RestoresWhatGetsLost) {
  auto code = std::make_shared<const ReedSolomon>(ReedSolomon::make(10, 3).value());
  ShardPool pool;
  for (const Direction* direction : {&recording_.client, &recording_.server}) {
    for_each_group(direction->packets, [&](const std::vector<Packet>& group) {
      FecDecoder decoder(code, pool);
      std::set<std::string> restored;
      for (std::size_t i = 0; i < group.size(); ++i) {
        if (i == 1 || i == 6 || i == 9) continue;
        for (Bytes segments : decoder.decode(group[i], {})) restored.insert(to_hex(segments));
      }
      std::set<std::string> lost;
      for (std::size_t i : {1U, 6U, 9U}) lost.insert(to_hex(Bytes(group[i]).subspan(kFecHeader)));
      EXPECT_EQ(restored, lost);
    });
  }
}

/// The bytes that the PUSH segments of a direction carry, in order.
Packet stream_of(const std::vector<Packet>& packets) {
  std::map<std::uint32_t, Packet> pieces;
  for (const Packet& packet : packets) {
    PacketKind kind = packet_kind(packet);
    if (kind == PacketKind::parity) continue;
    Bytes left = packet_segments(packet, kind);
    while (left.size() >= 24) {
      std::size_t size = load_le<std::uint32_t>(left.data() + 20);
      Bytes data = left.subspan(24, size);
      if (left[4] == 0x51) pieces[load_le<std::uint32_t>(left.data() + 12)] = Packet(data.begin(), data.end());
      left = left.subspan(24 + size);
    }
  }
  Packet stream;
  for (const auto& [number, piece] : pieces) stream.insert(stream.end(), piece.begin(), piece.end());
  return stream;
}

/// What comes out of a SnappyStream.
Packet decompressed(const Packet& stream) {
  BufferPool buffers;
  auto [near, far] = make_memory_pipe({.capacity = stream.size() + 1, .read_at_most = 100});
  SnappyStream snappy(buffers, std::move(near));
  far->try_write(stream);
  Packet plain;
  Packet some(1000);
  for (;;) {
    IoResult io = snappy.try_read(some);
    if (io.status == IoResult::Status::error) ADD_FAILURE() << snappy.error(io.error).text;
    if (io.status != IoResult::Status::ok) return plain;
    plain.insert(plain.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(io.bytes));
  }
}

TEST_P(EachRecording, CarriesTheFramesThatTheRecorderSaw) {
  // In one recording the recorder describes the frames within frames, too; in another it stopped where a packet of
  // the stream was lost.
  bool described = GetParam().stem() != "kcp-mbind" && GetParam().stem() != "kcp-loss";
  for (const Direction* direction : {&recording_.client, &recording_.server}) {
    Packet stream = stream_of(direction->packets);
    if (snappy() && !stream.empty()) stream = decompressed(stream);
    std::size_t frames = 0;
    Bytes left = stream;
    for (; left.size() >= 8; ++frames) {
      std::size_t size = 8U + load_le<std::uint16_t>(left.data() + 2);
      ASSERT_LE(size, left.size());
      ASSERT_LE(left[1], 4U);
      left = left.subspan(size);
    }
    EXPECT_EQ(left.size(), 0U);
    if (described) EXPECT_EQ(frames, direction->smux.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Kcp, EachRecording, testing::ValuesIn([] {
                           std::set<std::filesystem::path> paths;
                           for (const auto& entry : std::filesystem::directory_iterator(kFolder))
                             paths.insert(entry.path());
                           return std::vector(paths.begin(), paths.end());
                         }()),
                         [](const auto& test) {
                           std::string name = test.param.stem();
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace gost::kcp
