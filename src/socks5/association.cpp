#include "socks5/association.hpp"

#include "net/outgoing_list.hpp"

#include <array>
#include <cerrno>

namespace gost::socks5 {

namespace {

/// So many sources in one batch have their headers side by side; the next one begins another send.
constexpr std::size_t kHeaders = 16;

/// Datagrams to the client with their headers, between try_send() of the association and that of its socket.
class Wrapped {
 public:
  explicit Wrapped(const SocketAddress& client) : client_(client) {}

  bool full() const { return list_.full() || headers_used_ == kHeaders; }
  std::span<const OutgoingDatagram> view() { return list_.view(); }

  /// False if the header cannot be written.
  bool add(const OutgoingDatagram& datagram) {
    DatagramAddress source{datagram.peer, datagram.name};
    // A run of one source shares a header, so that the kernel can be given the run as a whole.
    if (headers_used_ == 0 || !datagram.head.empty() || !shareable_ || source != source_) {
      UdpHeaderBuffer& header = headers_[headers_used_];
      header = encode_udp_header(source);
      header.bytes(datagram.head);
      if (!header.ok()) return false;
      ++headers_used_;
      source_ = source;
      shareable_ = datagram.head.empty();
    }
    list_.add({.peer = client_, .head = headers_[headers_used_ - 1].view(), .payload = datagram.payload});
    return true;
  }

 private:
  SocketAddress client_;
  DatagramAddress source_;
  bool shareable_ = false;
  std::size_t headers_used_ = 0;
  std::array<UdpHeaderBuffer, kHeaders> headers_;
  OutgoingList list_;
};

}  // namespace

ClientPin pin_for(const SocketAddress& control_remote, const Endpoint& requested) {
  ClientPin pin{.ip = control_remote.ip()};
  auto named = IpAddress::parse(requested.host);
  if (named && !named->is_unspecified() && named->unmapped() == pin.ip) pin.port = requested.port;
  return pin;
}

Association::Association(std::unique_ptr<Datagram> socket, const ClientPin& pin, Session& session, Drops& drops)
    : Timer([](Timer& timer) { static_cast<Association&>(timer).on_timer(); }),
      socket_(std::move(socket)),
      pin_(pin),
      session_(session),
      drops_(drops) {}

Association::~Association() {
  session_.io.loop.disarm(*this);
}

IoResult Association::try_receive(DatagramBatch& batch) {
  wholes_.clear();
  IoResult got = socket_->try_receive(batch);
  if (got.status == IoResult::Status::ok)
    batch.transform([this](ReceivedDatagram& datagram) { return unwrap(datagram); });
  return got;
}

bool Association::is_client(const SocketAddress& sender) const {
  if (pin_.port != 0) return sender.port() == pin_.port && sender.ip() == pin_.ip;
  return sender.ip() == pin_.ip || pin_.ip.is_unspecified();
}

bool Association::unwrap(ReceivedDatagram& datagram) {
  if (!is_client(datagram.peer)) {
    drops_.count(Drops::Kind::stranger, [&] {
      return "dropped a datagram of " + datagram.peer.to_string() + ", which is not this association's client";
    });
    return false;
  }
  if (!drops_.admits(datagram.payload.size())) return false;
  auto header = decode_udp_header(datagram.payload);
  if (!header) {
    drops_.count(Drops::Kind::malformed,
                 [] { return std::string("dropped a datagram without a proper SOCKS header"); });
    return false;
  }
  pin_ = {.ip = datagram.peer.ip(), .port = datagram.peer.port()};
  datagram.payload = datagram.payload.subspan(header->size);
  if (header->fragment != 0) return put_together(*header, datagram);
  datagram.peer = header->address.peer;
  datagram.name = header->address.name;
  return true;
}

bool Association::put_together(const UdpHeader& header, ReceivedDatagram& datagram) {
  auto whole = fragments_.input(header, datagram.payload, session_.io.loop.now());
  count_fragments();
  if (auto timeout = fragments_.next_timeout()) {
    session_.io.loop.arm(*this, *timeout);
  } else {
    session_.io.loop.disarm(*this);
  }
  if (!whole) return false;
  wholes_.push_back(std::move(*whole));
  const Fragments::Whole& kept = wholes_.back();
  datagram.peer = kept.peer;
  datagram.name = kept.name;
  datagram.payload = kept.payload;
  return true;
}

void Association::count_fragments() {
  session_.datagrams.dropped += fragments_.dropped() - fragments_counted_;
  fragments_counted_ = fragments_.dropped();
}

void Association::on_timer() {
  fragments_.expire(session_.io.loop.now());
  count_fragments();
}

SendOutcome Association::try_send(std::span<const OutgoingDatagram> datagrams) {
  SendOutcome outcome;
  if (pin_.port == 0) {
    outcome.dropped = datagrams.size();
    return outcome;
  }
  while (!datagrams.empty()) {
    Wrapped wrapped(SocketAddress(pin_.ip, pin_.port));
    for (; !datagrams.empty() && !wrapped.full(); datagrams = datagrams.subspan(1)) {
      if (wrapped.add(datagrams.front())) continue;
      ++outcome.dropped;
      outcome.error = EMSGSIZE;
    }
    outcome += socket_->try_send(wrapped.view());
  }
  return outcome;
}

}  // namespace gost::socks5
