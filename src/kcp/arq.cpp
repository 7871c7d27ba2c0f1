#include "kcp/arq.hpp"

#include "core/duration.hpp"

#include <algorithm>

namespace gost::kcp {

namespace {
/// As many acknowledgements as fit into a packet do not wait for more.
constexpr std::size_t kManyAcknowledgements = 48;
constexpr Millis kFirstProbe = 500;
constexpr Millis kLastProbe = 120'000;
/// So many answers of a peer that does not know the session are believed.
constexpr int kDenials = 3;

std::optional<Millis> earlier(std::optional<Millis> one, std::optional<Millis> other) {
  if (!one || !other) return one ? one : other;
  return distance(*one, *other) <= 0 ? one : other;
}

bool is_due(std::optional<Millis> when, Millis now) {
  return when && distance(now, *when) >= 0;
}
}  // namespace

Arq::Arq(ShardPool& pool, std::uint32_t conversation, const ArqOptions& options)
    : conversation_(conversation), options_(options), sending_(pool, options), receiving_(pool, options) {}

bool Arq::input(Bytes packet, Millis now, Origin origin) {
  std::optional<Millis> echo;
  bool acknowledged = false;
  bool well_formed = true;
  while (well_formed && !packet.empty()) {
    auto segment = take_segment(packet);
    well_formed = segment && segment->conversation == conversation_;
    if (!well_formed) break;
    if (origin == Origin::network) sending_.set_peer_window(segment->window);
    const bool is_answer = segment->command == Command::ack || segment->command == Command::tell;
    if (is_answer && sending_.contradicts(segment->number, segment->una)) {
      doubt(*segment);
    } else if (segment->command == Command::ack) {
      if (sending_.acknowledge(segment->number, segment->timestamp)) denials_ = 0;
      if (sending_.sent_recently(segment->number)) echo = segment->timestamp;
    }
    if (sending_.acknowledge_before(segment->una)) acknowledged = true;
    if (segment->command == Command::push) take_data(*segment, now);
    if (segment->command == Command::ask) {
      tell_ = true;
      flush_by(now);
    }
  }
  if (origin == Origin::network && echo && distance(now, *echo) >= 0) sending_.sample_rtt(now - *echo);
  if (acknowledged) {
    denials_ = 0;
    sending_.packet_acknowledged();
  }
  // Whoever is asked about its window shows by any packet that it is there.
  if (acknowledged || echo || (probe_at_ && origin == Origin::network)) heard(now);
  if (sending_.peer_window() > 0) {
    probe_at_.reset();
    probe_wait_ = 0;
  }
  const bool must_ask = sending_.peer_window() == 0 && sending_.has_unsent() && !probe_at_;
  if (sending_.can_send() || sending_.has_lost() || must_ask) flush_by(now);
  if (!sending_.has_overtaken()) {
    early_at_.reset();
  } else if (!early_at_) {
    early_at_ = now + options_.interval / 2;
  }
  return well_formed;
}

/// `denial` is the answer of a peer that does not know the session, but perhaps to a copy that somebody made of our
/// packet. If the peer is alive, it acknowledges something before we have sent again and waited so often.
void Arq::doubt(const Segment& denial) {
  if (denial.timestamp != sending_.last_sent(denial.number)) return;
  if (denials_ > 0 && distance(denial.timestamp, denied_) < static_cast<std::int32_t>(rtt().timeout())) return;
  denied_ = denial.timestamp;
  if (++denials_ == kDenials && !failure_)
    failure_ = Error{Cause::reset, "kcp: the peer has forgotten the session, as after a restart"};
}

void Arq::take_data(const Segment& segment, Millis now) {
  auto arrival = receiving_.take(segment.number, segment.timestamp, segment.data);
  if (arrival == ReceiveSide::Arrival::outside) return;
  // Its sender waits for the news that there is a gap, and that there is none any more.
  const bool gap = arrival == ReceiveSide::Arrival::duplicate ? gap_ : arrival == ReceiveSide::Arrival::ahead;
  const bool urgent =
      options_.ack_no_delay || gap != gap_ || receiving_.acknowledgements().size() >= kManyAcknowledgements;
  gap_ = gap;
  flush_by(urgent ? now : now + options_.interval / 2);
}

void Arq::flush_by(Millis when) {
  flush_at_ = earlier(flush_at_, when);
}

void Arq::heard(Millis now) {
  waiting_since_ = sending_.in_flight() ? std::optional(now) : std::nullopt;
}

std::size_t Arq::write(Bytes from, Millis now) {
  const std::size_t taken = sending_.write(from);
  if (taken > 0 && (sending_.can_send() || sending_.peer_window() == 0)) flush_by(now);
  return taken;
}

std::size_t Arq::read(MutableBytes into, Millis now) {
  bool opened = false;
  const std::size_t taken = receiving_.read(into, opened);
  if (opened) {
    tell_ = true;
    flush_by(now);
  }
  return taken;
}

bool Arq::flush(Millis now, SegmentSink& sink, bool may_time_out) {
  check_peer(now);
  probe(now);
  if (!flush_acknowledgements(sink) || !flush_probes(sink)) return false;
  const SendSide::Flush flush{.now = now,
                              .may_time_out = may_time_out,
                              .early = is_due(early_at_, now),
                              .window = receiving_.window(),
                              .expected = receiving_.expected(),
                              .conversation = conversation_};
  const bool all = sending_.flush(flush, sink);
  if (sending_.in_flight() && !waiting_since_) waiting_since_ = now;
  if (!all) return false;
  flush_at_.reset();
  if (flush.early) early_at_.reset();
  if (sending_.has_overtaken() && !early_at_) early_at_ = now + std::max(options_.interval / 2, Millis{1});
  return true;
}

bool Arq::flush_acknowledgements(SegmentSink& sink) {
  const auto list = receiving_.acknowledgements();
  for (std::size_t i = 0; i < list.size(); ++i) {
    // What `una` says already need not be said, but for the last one, which carries it and the time.
    if (distance(list[i].number, receiving_.expected()) < 0 && i + 1 < list.size()) continue;
    if (put(Command::ack, list[i].number, list[i].timestamp, sink)) continue;
    receiving_.acknowledged(i);
    return false;
  }
  receiving_.acknowledged(list.size());
  return true;
}

bool Arq::flush_probes(SegmentSink& sink) {
  if (ask_ && !put(Command::ask, 0, 0, sink)) return false;
  ask_ = false;
  if (tell_ && !put(Command::tell, 0, 0, sink)) return false;
  tell_ = false;
  return true;
}

bool Arq::put(Command command, std::uint32_t number, Millis timestamp, SegmentSink& sink) {
  MutableBytes room = sink.room(kSegmentHeader);
  if (room.empty()) return false;
  encode_header({.conversation = conversation_,
                 .command = command,
                 .fragment = 0,
                 .window = receiving_.window(),
                 .timestamp = timestamp,
                 .number = number,
                 .una = receiving_.expected(),
                 .data = {}},
                room);
  return true;
}

/// Asks a peer whose window is shut whether it still is.
void Arq::probe(Millis now) {
  if (sending_.peer_window() > 0 || !sending_.has_unsent()) {
    probe_at_.reset();
  } else if (!probe_at_) {
    probe_wait_ = kFirstProbe;
    probe_at_ = now + probe_wait_;
  } else if (is_due(probe_at_, now)) {
    ask_ = true;
    probe_wait_ = std::min(probe_wait_ + probe_wait_ / 2, kLastProbe);
    probe_at_ = now + probe_wait_;
    if (!waiting_since_) waiting_since_ = now;
  }
}

void Arq::check_peer(Millis now) {
  if (failure_ || options_.dead_after == 0 || !waiting_since_) return;
  if (now - *waiting_since_ < options_.dead_after) return;
  failure_ = Error{Cause::timeout,
                   "kcp: no acknowledgement for " + to_string(std::chrono::milliseconds(options_.dead_after))};
}

std::optional<Millis> Arq::next_timeout() const {
  auto next = earlier(flush_at_, sending_.earliest_timeout());
  next = earlier(next, early_at_);
  next = earlier(next, probe_at_);
  if (waiting_since_ && options_.dead_after > 0) next = earlier(next, *waiting_since_ + options_.dead_after);
  return next;
}

}  // namespace gost::kcp
