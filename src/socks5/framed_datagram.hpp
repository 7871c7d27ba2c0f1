// Datagrams on a SOCKS5 stream: UDP-TUN (wire.md §8.2), the same at both ends and in both modes.
#pragma once

#include "net/datagram.hpp"
#include "net/stream.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gost::socks5 {

struct FramedDatagramOptions {
  std::size_t max_payload = 65535;  ///< longer datagrams are dropped and counted, whichever way they go
  bool send_empty = false;          ///< GOST loses its place at an empty frame: only for a peer that is one of us
};

/// Owns the stream. A malformed frame ends the path (Status::error, EPROTO). Datagrams that cannot be sent have as
/// errno EMSGSIZE (too long), EOPNOTSUPP (empty, and the peer may be GOST) or ENAMETOOLONG. Frames are encoded behind
/// each other and written as one; what the stream does not take at once is kept (`pending()`), never more than one
/// batch. Idle it holds no buffer.
class FramedDatagram final : public Datagram {
 public:
  /// `local` is what the server's reply said, or where the server's socket is bound.
  FramedDatagram(std::unique_ptr<Stream> stream, SocketAddress local, const FramedDatagramOptions& options);

  IoResult try_receive(DatagramBatch& batch) override;
  SendOutcome try_send(std::span<const OutgoingDatagram> datagrams) override;
  bool pending() const override { return !unsent_.empty(); }
  IoResult try_flush() override;
  bool takes_names() const override { return true; }
  bool ready(Interest interest) const override;
  Wait*& waiting(Interest interest) override { return stream_->waiting(interest); }
  SocketAddress local() const override { return local_; }
  std::string layers() const override { return stream_->layers() + ",socks5"; }
  Error error(int number) const override;
  std::uint64_t discarded() const override { return oversized_; }

  /// Datagrams from the stream that were longer than `max_payload`.
  std::uint64_t oversized() const { return oversized_; }

 private:
  /// Decodes the frames at the front of `bytes` and keeps what is left. False if not even one was whole.
  bool take_frames(Bytes bytes, DatagramBatch& batch);
  /// Why `datagram` cannot be sent (an errno), or 0.
  int unfit(const OutgoingDatagram& datagram) const;
  /// Writes whole frames, and keeps what the stream does not take.
  SendOutcome write(Bytes bytes, const SendOutcome& content);
  void forget_unsent();

  std::unique_ptr<Stream> stream_;
  SocketAddress local_;
  FramedDatagramOptions options_;
  std::vector<std::uint8_t> partial_;  ///< the beginning of a frame whose rest has not come yet
  std::size_t missing_ = 0;            ///< at least so many bytes are missing of it
  std::vector<std::uint8_t> unsent_;
  std::size_t written_ = 0;  ///< of `unsent_`
  std::uint64_t oversized_ = 0;
  bool broken_ = false;  ///< after a malformed frame: nobody knows where the next one begins
};

}  // namespace gost::socks5
