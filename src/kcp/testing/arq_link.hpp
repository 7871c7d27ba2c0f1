// For tests: two Arq machines with a network between them that loses, delays, reorders and duplicates packets, on a
// clock that jumps.
#pragma once

#include "kcp/arq.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <vector>

namespace gost::kcp::testing {

struct Impairment {
  double loss = 0;
  double duplication = 0;
  Millis delay = 10;  ///< one way
  Millis jitter = 0;  ///< up to so much more, which reorders
};

/// Packets of up to `mtu` bytes.
class PacketSink final : public SegmentSink {
 public:
  PacketSink(std::size_t mtu, std::size_t most) : mtu_(mtu), most_(most) {}

  MutableBytes room(std::size_t size) override {
    if (packets.empty() || packets.back().size() + size > mtu_) {
      if (packets.size() == most_) return {};
      packets.emplace_back();
      packets.back().reserve(mtu_);
    }
    auto& packet = packets.back();
    packet.resize(packet.size() + size);
    return MutableBytes(packet).last(size);
  }

  std::vector<std::vector<std::uint8_t>> packets;

 private:
  std::size_t mtu_;
  std::size_t most_;
};

class ArqLink {
 public:
  static constexpr std::uint32_t kConversation = 7;

  struct End {
    End(ShardPool& pool, const ArqOptions& options) : arq(pool, kConversation, options), mtu(options.mss + 24) {}
    Arq arq;
    std::size_t mtu;
    std::uint64_t written = 0;
    std::uint64_t read = 0;
    bool intact = true;  ///< every byte read so far was the one written there
    std::size_t packets_sent = 0;
  };

  ArqLink(const ArqOptions& a, const ArqOptions& b, const Impairment& impairment, std::uint32_t seed,
          Millis start = 0)
      : ends{End(pool_, a), End(pool_, b)}, impairment_(impairment), random_(seed), now(start) {}

  /// Writes as many of `bytes` as there is room for.
  std::size_t write(std::size_t from, std::size_t bytes) {
    End& end = ends[from];
    std::vector<std::uint8_t> data(bytes);
    for (std::size_t i = 0; i < bytes; ++i) data[i] = byte_at(from, end.written + i);
    const std::size_t taken = end.arq.write(data, now);
    end.written += taken;
    return taken;
  }
  std::size_t read(std::size_t at, std::size_t most) {
    End& end = ends[at];
    std::vector<std::uint8_t> data(most);
    const std::size_t got = end.arq.read(data, now);
    for (std::size_t i = 0; i < got; ++i) end.intact = end.intact && data[i] == byte_at(1 - at, end.read + i);
    end.read += got;
    return got;
  }
  /// Lets a machine send what is due.
  void flush(std::size_t which, std::size_t most_packets = 1000) {
    End& end = ends[which];
    auto due = end.arq.next_timeout();
    if (!due || distance(now, *due) < 0) return;
    PacketSink sink(end.mtu, most_packets);
    end.arq.flush(now, sink);
    for (auto& packet : sink.packets) {
      if (watch) watch(which, packet);
      post(1 - which, std::move(packet));
    }
    end.packets_sent += sink.packets.size();
  }
  /// Gives the machines the packets that have arrived.
  void deliver() {
    while (!on_way_.empty() && distance(now, on_way_.begin()->first.first) >= 0) {
      auto [to, packet] = std::move(on_way_.begin()->second);
      on_way_.erase(on_way_.begin());
      ends[to].arq.input(packet, now);
    }
  }
  /// The next moment at which anything happens; false if nothing ever will.
  bool advance() {
    std::optional<Millis> next;
    auto consider = [&next](Millis when) {
      if (!next || distance(when, *next) < 0) next = when;
    };
    for (End& end : ends)
      if (auto due = end.arq.next_timeout()) consider(*due);
    if (!on_way_.empty()) consider(on_way_.begin()->first.first);
    if (!next) return false;
    if (distance(*next, now) > 0) now = *next;
    return true;
  }
  void step(std::size_t most_packets = 1000) {
    deliver();
    flush(0, most_packets);
    flush(1, most_packets);
  }
  /// One packet for an end, as it is.
  void post(std::size_t to, std::vector<std::uint8_t> packet) {
    if (chance(impairment_.loss)) return;
    const int copies = chance(impairment_.duplication) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      const Millis extra = impairment_.jitter > 0 ? static_cast<Millis>(random_() % (impairment_.jitter + 1)) : 0;
      on_way_.emplace(std::pair(now + impairment_.delay + extra, number_++), std::pair(to, packet));
    }
  }
  void set_impairment(const Impairment& impairment) { impairment_ = impairment; }
  std::size_t on_way() const { return on_way_.size(); }

  static std::uint8_t byte_at(std::size_t writer, std::uint64_t at) {
    return static_cast<std::uint8_t>(at * 31 + at / 251 + (writer == 0 ? 100U : 0U));
  }

 private:
  struct Earlier {
    bool operator()(const std::pair<Millis, std::uint64_t>& one,
                    const std::pair<Millis, std::uint64_t>& other) const {
      const auto difference = distance(one.first, other.first);
      return difference != 0 ? difference < 0 : one.second < other.second;
    }
  };
  bool chance(double probability) {
    return probability > 0 && static_cast<double>(random_() % 1'000'000) < probability * 1'000'000;
  }

  ShardPool pool_;

 public:
  std::array<End, 2> ends;

 private:
  Impairment impairment_;
  std::mt19937 random_;
  std::uint64_t number_ = 0;
  std::map<std::pair<Millis, std::uint64_t>, std::pair<std::size_t, std::vector<std::uint8_t>>, Earlier> on_way_;

 public:
  Millis now;
  std::function<void(std::size_t from, Bytes packet)> watch;  ///< is shown what leaves, before chance has a say
};

}  // namespace gost::kcp::testing
