#include "socks5/associate_client.hpp"

#include "socks5/udp_codec.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace gost::socks5 {

namespace {

constexpr std::size_t kMaxName = 255;

/// Datagrams with their headers on the way into a path, a run at a time; lives on the stack of one try_send.
class HeadedRun {
 public:
  HeadedRun(Datagram& path, const SocketAddress& relay) : path_(path), relay_(relay) {}

  /// `header` goes in front of what `datagram` has as its head already.
  void add(const OutgoingDatagram& datagram, Bytes header) {
    std::size_t size = header.size() + datagram.head.size();
    if (count_ == run_.size() || size > room_.size() - used_) flush();
    if (size > room_.size()) return drop(EMSGSIZE);
    MutableBytes head = MutableBytes(room_).subspan(used_, size);
    std::ranges::copy(header, head.begin());
    std::ranges::copy(datagram.head, head.begin() + static_cast<std::ptrdiff_t>(header.size()));
    used_ += size;
    run_[count_++] = {relay_, {}, head, datagram.payload};
  }
  void drop(int error) {
    ++outcome_.dropped;
    outcome_.error = error;
  }
  SendOutcome finish() {
    flush();
    return outcome_;
  }

 private:
  void flush() {
    if (count_ == 0) return;
    outcome_ += path_.try_send(std::span(run_).first(count_));
    count_ = used_ = 0;
  }

  Datagram& path_;
  const SocketAddress& relay_;
  SendOutcome outcome_;
  std::array<OutgoingDatagram, 32> run_;
  std::size_t count_ = 0;
  std::array<std::uint8_t, 8 * kMaxUdpHeader> room_;
  std::size_t used_ = 0;
};

Task<Result<IpAddress>> look_up_any(IoContext& io, const NameLookup& lookup, std::string host) {
  if (auto literal = IpAddress::parse(host)) co_return literal->unmapped();
  auto four = co_await look_up(io, lookup, host, Family::v4);
  if (four || four.error().cause == Cause::canceled || four.error().cause == Cause::timeout) co_return four;
  auto six = co_await look_up(io, lookup, host, Family::v6);
  if (six) co_return six;
  co_return four;
}

}  // namespace

Task<Result<SocketAddress>> locate_relay(IoContext& io, Underlay& underlay, const Stream& control, Endpoint bound,
                                         const NameLookup& lookup) {
  if (bound.port == 0) co_return fail(Cause::protocol, "the proxy names no port for its relay");
  auto bound_ip = IpAddress::parse(bound.host);
  std::string host = std::move(bound.host);
  if (host.empty() || (bound_ip && bound_ip->is_unspecified())) {
    host = underlay.proxy().host;
    auto proxy_ip = IpAddress::parse(host);
    bool known = proxy_ip && !proxy_ip->is_unspecified();
    SocketAddress remote = control.remote();
    if (!known && underlay.direct() && !remote.ip().is_unspecified())
      co_return SocketAddress(remote.ip().unmapped(), bound.port);
    // A proxy without a host is on the machine of the one before it.
    if (host.empty()) host = "127.0.0.1";
  }
  auto ip = co_await look_up_any(io, lookup, std::move(host));
  if (!ip) co_return fail(ip.error().in("the address of the proxy's relay"));
  co_return SocketAddress(*ip, bound.port);
}

AssociatedDatagram::AssociatedDatagram(Loop& loop, std::unique_ptr<Stream> control, std::unique_ptr<Datagram> path,
                                       SocketAddress relay, std::size_t buffer_size)
    : path_(std::move(path)),
      relay_(relay),
      buffer_size_(buffer_size),
      fragments_(std::min(buffer_size, Fragments::kMaxDatagram)),
      watch_(std::make_unique<ControlWatch>(loop, std::move(control), *path_)) {}

AssociatedDatagram::~AssociatedDatagram() {
  ControlWatch::retire(std::move(watch_));
}

IoResult AssociatedDatagram::try_receive(DatagramBatch& batch) {
  reassembled_.clear();
  if (watch_->ended()) {
    batch.clear();
    return IoResult::eof();
  }
  TimePoint now = watch_->loop().now();
  fragments_.expire(now);
  IoResult io = path_->try_receive(batch);
  if (io.status == IoResult::Status::ok)
    batch.transform([&](ReceivedDatagram& datagram) { return unwrap(datagram, now); });
  return io;
}

bool AssociatedDatagram::unwrap(ReceivedDatagram& datagram, TimePoint now) {
  auto header = decode_udp_header(datagram.payload);
  if (!header || !came_from_relay(datagram)) {
    ++discarded_;
    return false;
  }
  Bytes payload = datagram.payload.subspan(header->size);
  if (header->fragment != 0) {
    auto whole = fragments_.input(*header, payload, now);
    if (!whole) return false;
    const auto& kept = reassembled_.emplace_back(std::move(*whole));
    datagram = {kept.peer, kept.name, kept.payload};
    return true;
  }
  if (payload.size() > buffer_size_) {
    ++discarded_;
    return false;
  }
  datagram = {header->address.peer, header->address.name, payload};
  return true;
}

bool AssociatedDatagram::came_from_relay(const ReceivedDatagram& datagram) const {
  // A zone is only known to whoever received: it tells nothing about who sent.
  return datagram.name.empty() && datagram.peer.port() == relay_.port() &&
         std::ranges::equal(datagram.peer.ip().unmapped().bytes(), relay_.ip().bytes());
}

SendOutcome AssociatedDatagram::try_send(std::span<const OutgoingDatagram> datagrams) {
  if (watch_->ended()) return {.dropped = datagrams.size(), .error = EPIPE};
  HeadedRun run(*path_, relay_);
  // Datagrams to one peer come in runs: their header is made once.
  UdpHeaderBuffer header;
  const OutgoingDatagram* previous = nullptr;
  for (const OutgoingDatagram& datagram : datagrams) {
    if (datagram.name.size() > kMaxName) {
      run.drop(ENAMETOOLONG);
      continue;
    }
    bool same = previous != nullptr && previous->peer == datagram.peer && previous->name == datagram.name;
    if (!same) header = encode_udp_header({datagram.peer, datagram.name});
    previous = &datagram;
    if (header.size() + datagram.head.size() + datagram.payload.size() > buffer_size_) {
      run.drop(EMSGSIZE);
    } else {
      run.add(datagram, header.view());
    }
  }
  return run.finish();
}

}  // namespace gost::socks5
