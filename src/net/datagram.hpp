// Datagram: an end from which datagrams go to many peers and to which they come, bound to one loop. The sibling of
// Stream; both the kernel's UDP sockets and the UDP relays of proxies are of this kind.
#pragma once

#include "core/address.hpp"
#include "core/bytes.hpp"
#include "core/error.hpp"
#include "net/datagram_batch.hpp"
#include "net/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace gost {

/// A datagram to send. `head` and `payload` leave as one datagram and are not copied together before.
struct OutgoingDatagram {
  SocketAddress peer;
  /// Where a name is meant: the far end looks it up (only if `takes_names()`), and of `peer` only the port counts.
  std::string_view name;
  Bytes head;
  Bytes payload;
  /// The own address that it is to leave from (only with UdpOptions::keep_local); unspecified: the system's choice.
  IpAddress local{};
};

/// What became of datagrams that were to be sent; they are in the order of the call.
struct SendOutcome {
  std::size_t sent = 0;
  std::size_t bytes = 0;    ///< payload of those that were sent
  std::size_t dropped = 0;  ///< no room, too long, unreachable: each harms only itself
  int error = 0;  ///< errno of the last one dropped for a reason other than missing room, now or (ICMP) earlier

  void add_sent(const OutgoingDatagram& datagram) {
    ++sent;
    bytes += datagram.payload.size();
  }
  /// For a call that was made in parts.
  SendOutcome& operator+=(const SendOutcome& part) {
    sent += part.sent;
    bytes += part.bytes;
    dropped += part.dropped;
    if (part.error != 0) error = part.error;
    return *this;
  }
};

struct DatagramTuning {
  int buffer = 0;  ///< bytes of room in each direction; 0: as it is
  int dscp = 0;    ///< class of service, 1 to 63; 0: as it is
};

/// Owned by unique_ptr; closed by destroying it, when no coroutine waits on it any more. One reader and one writer at
/// a time may wait.
class Datagram {
 public:
  virtual ~Datagram() = default;

  /// Receives what is there, up to a batch, without waiting. The datagrams stay in `batch` until its next use, which
  /// is by any receive on this loop: use them up before the next co_await. Status::eof where the path has ended (a
  /// tunnel whose stream has); errors of a single destination are no errors of the path.
  virtual IoResult try_receive(DatagramBatch& batch) = 0;
  /// Sends without waiting. What cannot be sent now is dropped and counted, except where the path is a stream: there
  /// everything that was begun is kept, and `pending()` is true until `try_flush()` has written it.
  virtual SendOutcome try_send(std::span<const OutgoingDatagram> datagrams) = 0;
  /// Bytes wait for the path to be writable; nothing more is taken meanwhile.
  virtual bool pending() const { return false; }
  /// Writes what is pending. would_block: try again when writable. An error or eof ends the path.
  virtual IoResult try_flush() { return IoResult::moved(0); }

  /// Datagrams that came and could not be delivered so far: malformed, too long, fragments without their rest.
  virtual std::uint64_t discarded() const { return 0; }

  /// What is known of datagrams that were sent before and did not arrive (ICMP): an errno, told once, or 0. It
  /// becomes known when something is received, or looked for.
  virtual int take_error() { return 0; }

  /// Whether the far end looks names up. Where it does not, only addresses may be sent to.
  virtual bool takes_names() const { return false; }

  /// As for Stream.
  virtual bool ready(Interest interest) const = 0;
  virtual Wait*& waiting(Interest interest) = 0;

  /// The own address as the far side knows it (of a proxy: where its relay listens, or zero).
  virtual SocketAddress local() const = 0;
  /// The far end, where there is only one; else unspecified.
  virtual SocketAddress remote() const { return {}; }
  /// How the kernel is asked to treat what passes here. An end that is no socket of the kernel takes no notice.
  virtual void tune(const DatagramTuning& /*tuning*/) {}
  /// The layers, outermost last: "udp", "tcp,socks5".
  virtual std::string layers() const = 0;
  virtual Error error(int number) const { return Error::system(number); }

  /// Waits, holding nothing, until a try is worth it.
  auto until(Interest interest) { return UntilReady<Datagram>(*this, interest); }
};

}  // namespace gost
