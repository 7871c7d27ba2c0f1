// Fragments: the reassembly queue of one UDP association (RFC 1928 §7). A machine without I/O; time is an argument.
#pragma once

#include "core/bytes.hpp"
#include "core/duration.hpp"
#include "socks5/udp_codec.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gost::socks5 {

class Fragments {
 public:
  /// Since its first fragment; then an unfinished datagram is given up.
  static constexpr Duration kTimeout = std::chrono::seconds(5);
  /// The longest payload that UDP carries.
  static constexpr std::size_t kMaxDatagram = 65507;

  /// A datagram put together again; it owns its bytes.
  struct Whole {
    SocketAddress peer;  ///< with a name only its port counts
    std::string name;
    std::vector<std::uint8_t> payload;
  };

  /// Datagrams longer than `max_datagram` bytes are given up.
  explicit Fragments(std::size_t max_datagram = kMaxDatagram) : max_datagram_(max_datagram) {}

  /// Takes a fragment (`header.fragment` is not 0: whole datagrams pass by the queue). Yields the datagram that it
  /// completes. Position 1 begins a datagram; a position that is not the next one, another address, or too many bytes
  /// give up what was there.
  std::optional<Whole> input(const UdpHeader& header, Bytes payload, TimePoint now);

  /// When the unfinished datagram, if there is one, has to be given up: call expire() then, or at the next input.
  std::optional<TimePoint> next_timeout() const;
  /// Gives up what is too old at `now`, and its memory.
  void expire(TimePoint now);

  /// Fragments so far that became part of no datagram.
  std::uint64_t dropped() const { return dropped_; }

 private:
  bool continues(const UdpHeader& header, Bytes payload) const;
  void give_up();

  std::size_t max_datagram_;
  std::uint64_t dropped_ = 0;
  std::uint8_t held_ = 0;  ///< fragments in `partial_`; the next position is one more
  TimePoint expires_{};
  Whole partial_;
};

}  // namespace gost::socks5
