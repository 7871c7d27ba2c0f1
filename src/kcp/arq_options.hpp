// What a session's ARQ machine is told (wire.md §12.6).
#pragma once

#include "kcp/sequence.hpp"

#include <cstddef>
#include <cstdint>

namespace gost::kcp {

struct ArqOptions {
  std::size_t mss = 1348;               ///< bytes of data in a segment
  std::uint32_t send_window = 1024;     ///< segments on their way at most
  std::uint32_t receive_window = 1024;  ///< segments that may wait for our reader
  Millis interval = 30;                 ///< what is not urgent waits for others so long at most
  bool no_delay = false;     ///< retransmission timeouts from 30 ms rather than 100 ms on, and growing slower
  std::uint32_t resend = 2;  ///< a segment is lost when so many later ones have arrived; 0: never for that
  bool congestion_control = false;
  bool ack_no_delay = false;       ///< acknowledge every packet at once
  Millis dead_after = 30'000;      ///< without any acknowledgement of what was sent the peer is gone; 0: never
  std::uint32_t first_number = 0;  ///< of our first segment; both ends begin with 0 on the wire
  std::uint32_t first_expected = 0;
};

}  // namespace gost::kcp
