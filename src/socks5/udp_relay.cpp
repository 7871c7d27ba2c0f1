#include "socks5/udp_relay.hpp"

#include "net/outgoing_list.hpp"
#include "runtime/turn.hpp"

#include <array>

namespace gost::socks5 {

namespace {

constexpr Duration kDecisionKept = std::chrono::seconds(1);

/// What comes on a control connection means nothing (RFC 1928 §7).
[[gnu::noinline]] IoResult read_and_discard(Stream& control) {
  std::array<std::uint8_t, 4096> buffer;
  return control.try_read(buffer);
}

}  // namespace

UdpRelay::UdpRelay(Scope& parent, Session& session, const Router& router, Datagram& client, Datagram& outbound,
                   Stream* control, Drops& drops, const UdpRelayOptions& options)
    : DatagramRelay(parent, client, outbound, session.io.datagrams, options.idle_timeout),
      session_(session),
      router_(router),
      client_(client),
      outbound_(outbound),
      control_(control),
      drops_(drops),
      filter_sources_(options.filter_sources),
      destinations_(session, router, outbound, group(), drops) {}

Task<std::optional<Error>> UdpRelay::run() {
  if (control_ != nullptr) group().spawn(watch_control());
  auto error = co_await DatagramRelay::run();
  if (error && error->cause == Cause::timeout) error->text += " (option udp.idleTimeout)";
  DatagramCounters& counted = session_.datagrams;
  counted.dropped += client_.discarded() + outbound_.discarded();
  session_.record.set_datagrams(
      {.input = counted.from_client, .output = counted.to_client, .dropped = counted.dropped});
  co_return error;
}

Task<> UdpRelay::watch_control() {
  Turn turn;
  while (ready(co_await control_->until(Interest::read))) {
    IoResult got = read_and_discard(*control_);
    if (got.status == IoResult::Status::eof) co_return end(std::nullopt);
    if (got.status == IoResult::Status::error) co_return end(control_->error(got.error).in("control connection"));
    if (turn.used_up(got.bytes) && !ready(co_await yield())) co_return;
  }
}

[[gnu::noinline]] void UdpRelay::pass_forth(std::span<const ReceivedDatagram> datagrams) {
  OutgoingList out;
  for (const ReceivedDatagram& datagram : datagrams) {
    ++session_.datagrams.from_client;
    session_.bytes.from_a += datagram.payload.size();
    if (!drops_.admits(datagram.payload.size())) continue;
    auto to = destinations_.route({datagram.peer, datagram.name}, datagram.payload);
    if (!to) continue;
    if (out.full()) {
      send_forth(out.view());
      out.clear();
    }
    out.add({.peer = to->peer, .name = to->name, .payload = datagram.payload});
  }
  if (!out.empty()) send_forth(out.view());
  if (!datagrams.empty()) touch();
}

void UdpRelay::send_forth(std::span<const OutgoingDatagram> datagrams) {
  SendOutcome outcome = outbound_.try_send(datagrams);
  session_.datagrams.dropped += outcome.dropped;
  note_send_error(outbound_, outcome.error);
}

[[gnu::noinline]] void UdpRelay::pass_back(std::span<const ReceivedDatagram> datagrams) {
  OutgoingList out;
  for (const ReceivedDatagram& datagram : datagrams) {
    if (!drops_.admits(datagram.payload.size())) continue;
    if (filter_sources_ && source_forbidden(datagram)) {
      drops_.count(Drops::Kind::forbidden, [&] {
        return "bypass: dropped a datagram from " + DatagramAddress{datagram.peer, datagram.name}.to_string();
      });
      continue;
    }
    if (out.full()) {
      send_back(out.view());
      out.clear();
    }
    out.add({.peer = datagram.peer, .name = datagram.name, .payload = datagram.payload});
  }
  if (!out.empty()) send_back(out.view());
}

void UdpRelay::send_back(std::span<const OutgoingDatagram> datagrams) {
  SendOutcome outcome = client_.try_send(datagrams);
  session_.datagrams.to_client += outcome.sent;
  session_.datagrams.dropped += outcome.dropped;
  session_.bytes.from_b += outcome.bytes;
  note_send_error(client_, outcome.error);
  if (outcome.sent > 0) touch();
}

bool UdpRelay::source_forbidden(const ReceivedDatagram& datagram) {
  TimePoint now = session_.io.loop.now();
  if (now < last_source_until_ && datagram.peer == last_source_ && datagram.name == last_source_name_)
    return last_source_forbidden_;
  last_source_ = datagram.peer;
  last_source_name_.assign(datagram.name);
  last_source_until_ = now + kDecisionKept;
  std::string host = datagram.name.empty() ? datagram.peer.ip().to_string() : last_source_name_;
  last_source_forbidden_ = router_.forbids(Network::udp, host, datagram.peer.port());
  return last_source_forbidden_;
}

void UdpRelay::note_send_error(const Datagram& end, int error) {
  if (error == 0 || error == noted_error_) return;
  noted_error_ = error;
  session_.record.note(Level::debug, end.error(error).in("a datagram cannot be sent").text);
}

}  // namespace gost::socks5
