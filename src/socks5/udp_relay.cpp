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
                   Stream* control, SizeLimit& limit, const UdpRelayOptions& options)
    : session_(session),
      router_(router),
      client_(client),
      outbound_(outbound),
      control_(control),
      limit_(limit),
      options_(options),
      group_(parent),
      destinations_(session, router, outbound, group_),
      last_passed_(session.io.loop.now()) {}

Task<std::optional<Error>> UdpRelay::run() {
  group_.spawn(up());
  group_.spawn(down());
  if (control_ != nullptr) group_.spawn(watch_control());
  if (options_.idle_timeout > Duration::zero()) group_.spawn(watch_idle());
  co_await group_.join();
  DatagramCounters& counted = session_.datagrams;
  counted.dropped += client_.discarded() + outbound_.discarded();
  session_.record.set_datagrams(
      {.input = counted.from_client, .output = counted.to_client, .dropped = counted.dropped});
  co_return std::move(error_);
}

Task<> UdpRelay::up() {
  Turn turn;
  while (ready(co_await client_.until(Interest::read))) {
    IoResult got = client_.try_receive(session_.io.datagrams);
    if (got.status == IoResult::Status::eof) co_return end(std::nullopt);
    if (got.status == IoResult::Status::error) co_return end(client_.error(got.error).in("read from the client"));
    if (got.status == IoResult::Status::ok) pass_up(session_.io.datagrams.items());
    if (outbound_.pending() && !co_await flush(outbound_)) co_return;
    if (turn.used_up(got.bytes) && !ready(co_await yield())) co_return;
  }
}

Task<> UdpRelay::down() {
  Turn turn;
  while (ready(co_await outbound_.until(Interest::read))) {
    IoResult got = outbound_.try_receive(session_.io.datagrams);
    if (got.status == IoResult::Status::eof) co_return end(Error{Cause::eof, "the way to the targets has ended"});
    if (got.status == IoResult::Status::error) co_return end(outbound_.error(got.error).in("read from the targets"));
    if (got.status == IoResult::Status::ok) pass_down(session_.io.datagrams.items());
    if (client_.pending() && !co_await flush(client_)) co_return;
    if (turn.used_up(got.bytes) && !ready(co_await yield())) co_return;
  }
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

Task<> UdpRelay::watch_idle() {
  for (;;) {
    Duration left = last_passed_ + options_.idle_timeout - session_.io.loop.now();
    if (left <= Duration::zero())
      co_return end(
          Error{Cause::timeout, "no datagram for " + to_string(options_.idle_timeout) + " (option udp.idleTimeout)"});
    if (!ready(co_await sleep_for(left))) co_return;
  }
}

Task<bool> UdpRelay::flush(Datagram& to) {
  while (to.pending()) {
    IoResult moved = to.try_flush();
    if (moved.status == IoResult::Status::would_block) {
      if (!ready(co_await to.until(Interest::write))) co_return false;
    } else if (moved.status != IoResult::Status::ok) {
      bool broken = moved.status == IoResult::Status::error;
      end(broken ? to.error(moved.error).in("write") : Error{Cause::eof, "write: the connection has ended"});
      co_return false;
    }
  }
  co_return true;
}

bool UdpRelay::ready(Outcome outcome) {
  if (outcome != Outcome::ready) end(stop_error(outcome));
  return outcome == Outcome::ready;
}

void UdpRelay::end(std::optional<Error> error) {
  if (!ended_) error_ = std::move(error);
  ended_ = true;
  group_.stop();
}

[[gnu::noinline]] void UdpRelay::pass_up(std::span<const ReceivedDatagram> datagrams) {
  OutgoingList out;
  for (const ReceivedDatagram& datagram : datagrams) {
    ++session_.datagrams.from_client;
    session_.bytes.from_a += datagram.payload.size();
    if (!limit_.admits(datagram.payload.size())) continue;
    auto to = destinations_.route({datagram.peer, datagram.name}, datagram.payload);
    if (!to) continue;
    if (out.full()) {
      send_up(out.view());
      out.clear();
    }
    out.add({.peer = to->peer, .name = to->name, .payload = datagram.payload});
  }
  if (!out.empty()) send_up(out.view());
  if (!datagrams.empty()) touch();
}

void UdpRelay::send_up(std::span<const OutgoingDatagram> datagrams) {
  SendOutcome outcome = outbound_.try_send(datagrams);
  session_.datagrams.dropped += outcome.dropped;
  note_send_error(outbound_, outcome.error);
}

[[gnu::noinline]] void UdpRelay::pass_down(std::span<const ReceivedDatagram> datagrams) {
  OutgoingList out;
  for (const ReceivedDatagram& datagram : datagrams) {
    if (!limit_.admits(datagram.payload.size())) continue;
    if (options_.filter_sources && source_forbidden(datagram)) {
      ++session_.datagrams.dropped;
      continue;
    }
    if (out.full()) {
      send_down(out.view());
      out.clear();
    }
    out.add({.peer = datagram.peer, .name = datagram.name, .payload = datagram.payload});
  }
  if (!out.empty()) send_down(out.view());
}

void UdpRelay::send_down(std::span<const OutgoingDatagram> datagrams) {
  SendOutcome outcome = client_.try_send(datagrams);
  session_.datagrams.to_client += outcome.sent;
  session_.datagrams.dropped += outcome.dropped;
  for (const OutgoingDatagram& datagram : datagrams.first(outcome.sent))
    session_.bytes.from_b += datagram.payload.size();
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
