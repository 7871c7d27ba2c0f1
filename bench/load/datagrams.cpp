#include "load/datagrams.hpp"

#include <algorithm>
#include <cstring>

namespace gost::load {

ReceivedDatagrams::ReceivedDatagrams(unsigned count, std::size_t room)
    : room_(room), buffer_(count * room), pieces_(count), sources_(count), messages_(count) {
  for (unsigned i = 0; i < count; ++i) {
    pieces_[i] = {.iov_base = buffer_.data() + i * room, .iov_len = room};
    messages_[i].msg_hdr.msg_iov = &pieces_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
    messages_[i].msg_hdr.msg_name = &sources_[i];
  }
}

unsigned ReceivedDatagrams::receive(int fd, int flags) {
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    pieces_[i].iov_len = room_;
    messages_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
  }
  const int count =
      recvmmsg(fd, messages_.data(), static_cast<unsigned>(messages_.size()), MSG_DONTWAIT | flags, nullptr);
  return static_cast<unsigned>(std::max(count, 0));
}

Bytes ReceivedDatagrams::bytes(unsigned i) const {
  return {buffer_.data() + i * room_, std::min(length(i), room_)};
}

void ReceivedDatagrams::send_back(int fd, unsigned count) {
  for (unsigned i = 0; i < count; ++i) pieces_[i].iov_len = bytes(i).size();
  for (unsigned done = 0; done < count;) {
    const int sent = sendmmsg(fd, messages_.data() + done, count - done, MSG_DONTWAIT);
    // The one that is refused is left out, so that it holds nobody up.
    done += static_cast<unsigned>(std::max(sent, 1));
  }
}

OutgoingDatagrams::OutgoingDatagrams(unsigned count, std::uint32_t payload_size)
    : padding_(payload_size - sizeof(std::uint64_t), 'x'), fronts_(count), pieces_(count), messages_(count) {
  for (unsigned i = 0; i < count; ++i) {
    pieces_[i][0].iov_base = fronts_[i].data();
    pieces_[i][1] = {.iov_base = padding_.data(), .iov_len = padding_.size()};
    messages_[i].msg_hdr.msg_iov = pieces_[i].data();
    messages_[i].msg_hdr.msg_iovlen = pieces_[i].size();
  }
}

void OutgoingDatagrams::add(Bytes header, std::uint64_t number) {
  auto& front = fronts_[used_];
  std::ranges::copy(header, front.begin());
  std::memcpy(front.data() + header.size(), &number, sizeof number);
  pieces_[used_][0].iov_len = header.size() + sizeof number;
  ++used_;
}

unsigned OutgoingDatagrams::send_all(int fd) {
  const auto wanted = used_;
  used_ = 0;
  const int sent = sendmmsg(fd, messages_.data(), wanted, MSG_DONTWAIT);
  return static_cast<unsigned>(std::max(sent, 0));
}

std::uint64_t number_of(Bytes payload) {
  std::uint64_t number = 0;
  std::memcpy(&number, payload.data(), sizeof number);
  return number;
}

}  // namespace gost::load
