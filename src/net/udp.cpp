#include "net/udp.hpp"

#include <linux/udp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

namespace gost {

namespace {

/// The kernel refuses longer trains, and counts this many datagrams at most in one.
constexpr std::size_t kMaxTrainBytes = 65507;
constexpr std::size_t kMaxTrain = 64;
constexpr std::size_t kMaxMessages = 64;
constexpr std::size_t kMaxParts = 256;
/// The kernel caps it; a burst must find room while the loop is busy elsewhere.
constexpr int kSocketBuffer = 1 << 20;
/// How often a receive or a send meets errors of earlier datagrams before it goes on another time.
constexpr int kPatience = 4;

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

std::size_t size_of(const OutgoingDatagram& datagram) {
  return datagram.head.size() + datagram.payload.size();
}

/// A socket for datagrams, not bound. Errors are the system's.
Result<Fd> make_socket(int family, bool both_families, const UdpOptions& options) {
  Fd socket(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return fail(Error::system(errno, "socket"));
  if (family == AF_INET6) set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, both_families ? 0 : 1);
  if (options.reuse_port) set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  set_option(socket.get(), SOL_SOCKET, SO_RCVBUF, kSocketBuffer);
  set_option(socket.get(), SOL_SOCKET, SO_SNDBUF, kSocketBuffer);
  if (options.socket.batching)
    set_option(socket.get(), IPPROTO_UDP, UDP_GRO, 1);  // an old kernel delivers one by one
  if (options.keep_local) {
    bool v6 = family == AF_INET6;
    set_option(socket.get(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
  }
  if (options.socket.mark != 0 || !options.socket.interface.empty()) {
    if (auto applied = apply_socket_options(socket.get(), family, options.socket); !applied)
      return fail(applied.error());
  }
  return socket;
}

SocketAddress local_address(int fd) {
  sockaddr_storage native{};
  socklen_t length = sizeof native;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&native), &length);
  return SocketAddress::from_native(native);
}

/// An IPv4 address as a socket of IPv6 writes it.
std::array<std::uint8_t, 16> mapped(const IpAddress& v4) {
  std::array<std::uint8_t, 16> bytes{};
  bytes[10] = bytes[11] = 0xff;
  std::ranges::copy(v4.bytes(), bytes.begin() + 12);
  return bytes;
}

/// Writes the address as a socket of IPv6 or of IPv4 wants it. 0: that socket cannot send there.
socklen_t native_for(const SocketAddress& peer, bool v6, sockaddr_storage& native) {
  if (!v6 && !peer.ip().is_v4()) return 0;
  if (!v6 || !peer.ip().is_v4()) return peer.to_native(native);
  return SocketAddress(IpAddress::v6(mapped(peer.ip())), peer.port()).to_native(native);
}

struct alignas(cmsghdr) Control {
  std::array<std::uint8_t, CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in6_pktinfo))> bytes;
};

template <class T>
T content_of(cmsghdr* control) {
  T content;
  std::memcpy(&content, CMSG_DATA(control), sizeof content);
  return content;
}

/// What the kernel tells about a message besides its bytes.
struct Told {
  std::size_t segment = 0;  ///< the size of the datagrams in a train; 0 for a single datagram
  IpAddress local{};        ///< the address that it came to
};

IpAddress local_of(const in6_pktinfo& info) {
  std::array<std::uint8_t, 16> bytes;
  std::ranges::copy(info.ipi6_addr.s6_addr, bytes.begin());
  IpAddress ip = IpAddress::v6(bytes);
  return ip.is_link_local() ? IpAddress::v6(bytes, info.ipi6_ifindex) : ip.unmapped();
}

IpAddress local_of(const in_pktinfo& info) {
  std::array<std::uint8_t, 4> bytes;
  std::memcpy(bytes.data(), &info.ipi_addr, bytes.size());
  return IpAddress::v4(bytes);
}

/// Nobody can send from an address of many.
bool is_of_one(const IpAddress& ip) {
  const std::uint8_t first = ip.bytes()[0];
  return ip.is_v4() ? first < 224 : first != 0xff;
}

Told told_of(msghdr& message) {
  Told told;
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
      told.segment = static_cast<std::size_t>(std::max(content_of<int>(control), 0));
    } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      told.local = local_of(content_of<in6_pktinfo>(control));
    } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      told.local = local_of(content_of<in_pktinfo>(control));
    }
  }
  if (!is_of_one(told.local)) told.local = {};
  return told;
}

void add_train(DatagramBatch& batch, const SocketAddress& peer, Bytes bytes, const Told& told) {
  const std::size_t segment = told.segment == 0 ? bytes.size() : told.segment;
  do {
    const std::size_t size = std::min(segment, bytes.size());
    batch.add({.peer = peer, .name = {}, .payload = bytes.first(size), .local = told.local});
    bytes = bytes.subspan(size);
  } while (!bytes.empty());
}

/// Control messages of one message to send.
class ControlWriter {
 public:
  ControlWriter(msghdr& message, Control& control) : message_(message), control_(control) {}

  template <class T>
  void add(int level, int type, const T& content) {
    const std::size_t before = message_.msg_controllen;
    auto* header = reinterpret_cast<cmsghdr*>(control_.bytes.data() + before);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof content);
    std::memcpy(CMSG_DATA(header), &content, sizeof content);
    message_.msg_control = &control_;
    message_.msg_controllen = before + CMSG_SPACE(sizeof content);
  }

  /// The address that the message leaves from.
  void add_local(const IpAddress& local, bool v6_socket) {
    if (!v6_socket) {
      in_pktinfo info{};
      std::memcpy(&info.ipi_spec_dst, local.bytes().data(), sizeof info.ipi_spec_dst);
      return add(IPPROTO_IP, IP_PKTINFO, info);
    }
    in6_pktinfo info{};
    if (local.is_v4()) {
      std::ranges::copy(mapped(local), info.ipi6_addr.s6_addr);
    } else {
      std::ranges::copy(local.bytes(), info.ipi6_addr.s6_addr);
    }
    info.ipi6_ifindex = local.zone();
    add(IPPROTO_IPV6, IPV6_PKTINFO, info);
  }

 private:
  msghdr& message_;
  Control& control_;
};

}  // namespace

UdpSocket::UdpSocket(Fd socket, int family, const UdpOptions& options, std::optional<SocketAddress> peer)
    : socket_(std::move(socket)),
      peer_(peer),
      v6_(family == AF_INET6),
      batching_(options.socket.batching),
      keep_local_(options.keep_local),
      largest_segment_(options.socket.batching ? std::numeric_limits<std::size_t>::max() : 0) {}

Result<std::unique_ptr<UdpSocket>> UdpSocket::adopt(Loop& loop, Fd socket, const UdpOptions& options,
                                                    std::optional<SocketAddress> peer) {
  int family = AF_INET;
  socklen_t length = sizeof family;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &family, &length);
  std::unique_ptr<UdpSocket> adopted(new UdpSocket(std::move(socket), family, options, peer));
  // Nobody waits until a UDP socket can be written to, and each datagram that has left would be an event.
  if (auto started = adopted->watch_.start(loop, adopted->socket_.get(), IoWatch::Kind::datagrams); !started)
    return fail(started.error());
  return adopted;
}

Result<Fd> UdpSocket::bind_descriptor(const SocketAddress& local, bool both_families, const UdpOptions& options) {
  auto failed = [&local](const Error& error) { return fail(error.in("listen udp " + local.to_string())); };
  auto socket = make_socket(local.family(), both_families, options);
  if (!socket && both_families && errno == EAFNOSUPPORT)  // a kernel without IPv6
    return bind_descriptor(SocketAddress(IpAddress(), local.port()), false, options);
  if (!socket) return failed(socket.error());
  sockaddr_storage native;
  socklen_t length = local.to_native(native);
  if (::bind(socket->get(), reinterpret_cast<sockaddr*>(&native), length) < 0)
    return failed(Error::system(errno, "bind"));
  return std::move(*socket);
}

Result<std::unique_ptr<UdpSocket>> UdpSocket::bind(Loop& loop, const SocketAddress& local, bool both_families,
                                                   const UdpOptions& options) {
  auto socket = bind_descriptor(local, both_families, options);
  if (!socket) return fail(socket.error());
  return adopt(loop, std::move(*socket), options);
}

Result<std::unique_ptr<UdpSocket>> UdpSocket::open(Loop& loop, const UdpOptions& options) {
  // What cannot be had for both families (no IPv6, `interface` with an IPv4 address) may do for IPv4.
  int family = AF_INET6;
  auto socket = make_socket(AF_INET6, true, options);
  if (!socket) {
    family = AF_INET;
    socket = make_socket(AF_INET, false, options);
  }
  if (!socket) return fail(socket.error().in("listen udp"));
  if (local_address(socket->get()).port() == 0) {  // `interface` may have bound it
    SocketAddress any(family == AF_INET6 ? IpAddress::v6({}) : IpAddress(), 0);
    sockaddr_storage native;
    socklen_t length = any.to_native(native);
    if (::bind(socket->get(), reinterpret_cast<sockaddr*>(&native), length) < 0)
      return fail(Error::system(errno, "listen udp: bind"));
  }
  auto adopted = adopt(loop, std::move(*socket), options);
  if (!adopted) return fail(adopted.error().in("listen udp"));
  return adopted;
}

Result<std::unique_ptr<UdpSocket>> UdpSocket::connect(Loop& loop, SocketAddress peer, const UdpOptions& options) {
  if (peer.ip().is_unspecified()) peer = SocketAddress(IpAddress::v4({127, 0, 0, 1}), peer.port());
  auto failed = [&peer](const Error& error) { return fail(error.in("dial udp " + peer.to_string())); };
  auto socket = make_socket(peer.family(), false, options);
  if (!socket) return failed(socket.error());
  sockaddr_storage native;
  socklen_t length = peer.to_native(native);
  if (::connect(socket->get(), reinterpret_cast<sockaddr*>(&native), length) < 0)
    return failed(Error::system(errno, "connect"));
  auto adopted = adopt(loop, std::move(*socket), options, peer);
  if (!adopted) return failed(adopted.error());
  return adopted;
}

SocketAddress UdpSocket::local() const {
  return local_address(socket_.get());
}

void UdpSocket::tune(const DatagramTuning& tuning) {
  if (tuning.buffer > 0) {
    set_option(socket_.get(), SOL_SOCKET, SO_RCVBUF, tuning.buffer);
    set_option(socket_.get(), SOL_SOCKET, SO_SNDBUF, tuning.buffer);
  }
  if (tuning.dscp > 0) {
    // A socket of IPv6 has both: its IPv4 packets take the second.
    if (v6_) set_option(socket_.get(), IPPROTO_IPV6, IPV6_TCLASS, tuning.dscp << 2);
    set_option(socket_.get(), IPPROTO_IP, IP_TOS, tuning.dscp << 2);
  }
}

IoResult UdpSocket::try_receive(DatagramBatch& batch) {
  std::array<mmsghdr, DatagramBatch::kMessages> messages;
  std::array<iovec, DatagramBatch::kMessages> parts;
  std::array<sockaddr_storage, DatagramBatch::kMessages> peers;
  std::array<Control, DatagramBatch::kMessages> controls;
  const std::size_t wanted = batching_ ? messages.size() : 1;
  MutableBytes memory = batch.memory();
  for (std::size_t i = 0; i < wanted; ++i) {
    parts[i] = {memory.data() + i * DatagramBatch::kMessageSize, DatagramBatch::kMessageSize};
    messages[i] = {};
    messages[i].msg_hdr = {.msg_name = &peers[i],
                           .msg_namelen = sizeof peers[i],
                           .msg_iov = &parts[i],
                           .msg_iovlen = 1,
                           .msg_control = &controls[i],
                           .msg_controllen = sizeof controls[i]};
  }
  batch.clear();
  int got = -1;
  // An error here is an ICMP message about something sent before: the path goes on.
  for (int patience = kPatience; got < 0; --patience) {
    got = ::recvmmsg(socket_.get(), messages.data(), static_cast<unsigned>(wanted), MSG_DONTWAIT, nullptr);
    if (got < 0 && errno == EAGAIN) {
      watch_.not_readable();
      return IoResult::would_block();
    }
    if (got < 0) earlier_error_ = errno;
    if (got < 0 && patience == 0) return IoResult::moved(0);
  }
  auto count = static_cast<std::size_t>(got);
  if (count < wanted) watch_.not_readable();
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if ((messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
      ++discarded_;
      continue;
    }
    SocketAddress peer = SocketAddress::from_native(peers[i]);
    Bytes payload = memory.subspan(i * DatagramBatch::kMessageSize, messages[i].msg_len);
    add_train(batch, peer, payload, told_of(messages[i].msg_hdr));
    bytes += payload.size();
  }
  return IoResult::moved(bytes);
}

/// Messages under construction: each is one datagram or a train of them to one peer.
struct UdpSocket::Messages {
  std::array<mmsghdr, kMaxMessages> headers;
  std::array<sockaddr_storage, kMaxMessages> peers;
  std::array<Control, kMaxMessages> controls;
  std::array<std::size_t, kMaxMessages> datagrams;  ///< in each message
  std::array<iovec, kMaxParts> parts;
  std::size_t count = 0;
  std::size_t parts_used = 0;

  bool has_room() const { return count < kMaxMessages && parts_used + 2 <= kMaxParts; }

  void add_part(Bytes bytes) {
    // sendmsg(2) only reads it.
    if (!bytes.empty()) parts[parts_used++] = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  }

  /// Takes the first of `datagrams_left`, and with it those that can travel in one train. Returns how many.
  std::size_t add(std::span<const OutgoingDatagram> datagrams_left, bool connected, std::size_t largest_segment) {
    auto same_way = [connected, &first = datagrams_left.front()](const OutgoingDatagram& next) {
      return connected || (next.peer == first.peer && next.local == first.local);
    };
    const OutgoingDatagram& first = datagrams_left.front();
    const std::size_t segment = size_of(first);
    const std::size_t first_part = parts_used;
    std::size_t taken = 0;
    std::size_t bytes = 0;
    bool may_go_on = true;
    while (may_go_on && taken < datagrams_left.size() && parts_used + 2 <= kMaxParts) {
      const OutgoingDatagram& next = datagrams_left[taken];
      const std::size_t size = size_of(next);
      bool fits = taken == 0 || (size > 0 && size <= segment && bytes + size <= kMaxTrainBytes && same_way(next));
      if (!fits) break;
      add_part(next.head);
      add_part(next.payload);
      bytes += size;
      ++taken;
      // Only the last one of a train may be shorter.
      may_go_on = size == segment && segment > 0 && segment <= largest_segment && taken < kMaxTrain;
    }
    finish(first_part, taken, segment);
    return taken;
  }

 private:
  void finish(std::size_t first_part, std::size_t taken, std::size_t segment) {
    msghdr& header = headers[count].msg_hdr;
    headers[count] = {};
    header.msg_iov = &parts[first_part];
    header.msg_iovlen = parts_used - first_part;
    if (taken > 1)
      ControlWriter(header, controls[count]).add(IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(segment));
    datagrams[count] = taken;
    ++count;
  }
};

UdpSocket::Refusal UdpSocket::judge(int error, std::size_t segments, std::size_t segment_size) {
  switch (error) {
  case EAGAIN:
  case ENOBUFS: return Refusal::drop_all;
  case ECONNREFUSED: return Refusal::retry;  // of an earlier datagram
  case EINVAL:
  case EIO:
  case EMSGSIZE:
  case EOPNOTSUPP:
    if (segments < 2) return Refusal::drop_one;
    largest_segment_ = std::min(largest_segment_, segment_size - 1);
    return Refusal::retry;
  default: return Refusal::drop_one;
  }
}

SendOutcome UdpSocket::try_send(std::span<const OutgoingDatagram> datagrams) {
  SendOutcome outcome;
  outcome.error = std::exchange(earlier_error_, 0);
  Messages messages;
  int patience = kPatience;
  while (!datagrams.empty()) {
    if (!peer_ && datagrams.front().peer.port() == 0) {
      // The kernel's EINVAL for it is also what it says of a train that is too large.
      ++outcome.dropped;
      outcome.error = EINVAL;
      datagrams = datagrams.subspan(1);
      continue;
    }
    messages.count = messages.parts_used = 0;
    const std::size_t most = batching_ ? kMaxMessages : 1;
    for (auto left = datagrams; !left.empty() && messages.has_room() && messages.count < most;) {
      std::size_t index = messages.count;
      const SocketAddress& peer = left.front().peer;
      const IpAddress& local = left.front().local;
      if (!peer_ && peer.port() == 0) break;
      left = left.subspan(messages.add(left, peer_.has_value(), largest_segment_));
      if (peer_) continue;
      messages.headers[index].msg_hdr.msg_namelen = native_for(peer, v6_, messages.peers[index]);
      messages.headers[index].msg_hdr.msg_name = &messages.peers[index];
      if (keep_local_ && !local.is_unspecified())
        ControlWriter(messages.headers[index].msg_hdr, messages.controls[index]).add_local(local, v6_);
    }
    int taken =
        ::sendmmsg(socket_.get(), messages.headers.data(), static_cast<unsigned>(messages.count), MSG_NOSIGNAL);
    for (int i = 0; i < taken; ++i) {
      std::size_t sent = messages.datagrams[static_cast<std::size_t>(i)];
      for (const OutgoingDatagram& datagram : datagrams.first(sent)) outcome.add_sent(datagram);
      datagrams = datagrams.subspan(sent);
    }
    if (taken > 0) continue;
    const int error = errno;
    const std::size_t refused = messages.datagrams[0];
    Refusal refusal = judge(error, refused, size_of(datagrams.front()));
    if (error == ECONNREFUSED) outcome.error = error;
    if (refusal == Refusal::retry && (error != ECONNREFUSED || patience-- > 0)) continue;
    const std::size_t dropped = refusal == Refusal::drop_all ? datagrams.size() : refused;
    if (refusal != Refusal::drop_all) outcome.error = error;
    outcome.dropped += dropped;
    datagrams = datagrams.subspan(dropped);
  }
  return outcome;
}

}  // namespace gost
