// OpenedPacket: a datagram of KCP that its key has opened.
#pragma once

#include "kcp/fec.hpp"
#include "kcp/segment.hpp"
#include "net/datagram_batch.hpp"

#include <optional>

namespace gost::kcp {

struct OpenedPacket {
  /// `opened` is what kcp::open() returned.
  explicit OpenedPacket(Bytes opened) : bytes(opened), kind(packet_kind(opened)) {
    if (kind != PacketKind::data && kind != PacketKind::segments) return;
    Bytes segments = packet_segments(opened, kind);
    first = take_segment(segments);
  }
  /// It has neither parity nor a segment.
  bool malformed() const { return kind != PacketKind::parity && !first; }

  Bytes bytes;
  PacketKind kind;
  std::optional<Segment> first;  ///< of its segments
};

/// A datagram is opened where it was received: its memory is the batch's, which nobody else needs any more.
inline MutableBytes in_place(const ReceivedDatagram& datagram) {
  return {const_cast<std::uint8_t*>(datagram.payload.data()), datagram.payload.size()};
}

}  // namespace gost::kcp
