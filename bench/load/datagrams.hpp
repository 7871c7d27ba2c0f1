// Batches of datagrams: one system call for many.
#pragma once

#include "core/bytes.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace gost::load {

/// What one recvmmsg took from a socket.
class ReceivedDatagrams {
 public:
  /// Room for `count` datagrams, of which `room` bytes are kept.
  ReceivedDatagrams(unsigned count, std::size_t room);
  ReceivedDatagrams(const ReceivedDatagrams&) = delete;
  ReceivedDatagrams& operator=(const ReceivedDatagrams&) = delete;

  /// How many have arrived; 0 if none have, or the socket has an error (errno says which).
  unsigned receive(int fd, int flags = 0);
  /// The length that recvmmsg reported for the i-th: with MSG_TRUNC its true one.
  std::size_t length(unsigned i) const { return messages_[i].msg_len; }
  Bytes bytes(unsigned i) const;

  /// Sends the first `count` back to where they came from. What the socket does not take is lost, as datagrams are.
  void send_back(int fd, unsigned count);

 private:
  std::size_t room_;
  std::vector<std::uint8_t> buffer_;
  std::vector<iovec> pieces_;
  std::vector<sockaddr_in> sources_;
  std::vector<mmsghdr> messages_;
};

/// Datagrams of one size for a connected socket: a header, a number, and padding.
class OutgoingDatagrams {
 public:
  OutgoingDatagrams(unsigned count, std::uint32_t payload_size);
  OutgoingDatagrams(const OutgoingDatagrams&) = delete;
  OutgoingDatagrams& operator=(const OutgoingDatagrams&) = delete;

  /// Adds one of `header` (at most 10 bytes) and a payload that begins with `number`. There must be room.
  void add(Bytes header, std::uint64_t number);
  bool full() const { return used_ == messages_.size(); }

  /// Sends all that were added and forgets them. Returns how many the socket took; errno says why not more.
  unsigned send_all(int fd);

 private:
  static constexpr std::size_t longest_header = 10;
  using Front = std::array<std::uint8_t, longest_header + sizeof(std::uint64_t)>;

  std::vector<std::uint8_t> padding_;
  std::vector<Front> fronts_;
  std::vector<std::array<iovec, 2>> pieces_;
  std::vector<mmsghdr> messages_;
  unsigned used_ = 0;
};

/// The number at the beginning of a payload of at least eight bytes.
std::uint64_t number_of(Bytes payload);

}  // namespace gost::load
