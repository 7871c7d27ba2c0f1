#include "net/datagram_relay.hpp"

#include "net/outgoing_list.hpp"
#include "runtime/turn.hpp"

#include <utility>

namespace gost {

DatagramRelay::DatagramRelay(Scope& parent, Datagram& a, Datagram& b, DatagramBatch& batch, Duration idle_timeout)
    : Timer([](Timer& timer) { static_cast<DatagramRelay&>(timer).on_timer(); }),
      a_(a),
      b_(b),
      batch_(batch),
      idle_timeout_(idle_timeout),
      group_(parent),
      loop_(parent.loop()),
      last_passed_(loop_.now()) {}

Task<std::optional<Error>> DatagramRelay::run() {
  touch();
  if (idle_timeout_ > Duration::zero()) loop_.arm(*this, idle_timeout_);
  group_.spawn(forth());
  group_.spawn(back());
  co_await group_.join();
  loop_.disarm(*this);
  co_return std::move(error_);
}

Task<> DatagramRelay::forth() {
  Turn turn;
  while (ready(co_await a_.until(Interest::read))) {
    IoResult got = a_.try_receive(batch_);
    if (got.status == IoResult::Status::eof) co_return end(std::nullopt);
    if (got.status == IoResult::Status::error) co_return end(a_.error(got.error).in("read from the client"));
    if (got.status == IoResult::Status::ok) pass_forth(batch_.items());
    if (b_.pending() && !co_await flush(b_)) co_return;
    if (turn.used_up(got.bytes) && !ready(co_await yield())) co_return;
  }
}

Task<> DatagramRelay::back() {
  Turn turn;
  while (ready(co_await b_.until(Interest::read))) {
    IoResult got = b_.try_receive(batch_);
    if (got.status == IoResult::Status::eof) co_return end(Error{Cause::eof, "the way to the targets has ended"});
    if (got.status == IoResult::Status::error) co_return end(b_.error(got.error).in("read from the targets"));
    if (got.status == IoResult::Status::ok) pass_back(batch_.items());
    if (int error = b_.take_error(); error != 0) not_arrived(error);
    if (a_.pending() && !co_await flush(a_)) co_return;
    if (turn.used_up(got.bytes) && !ready(co_await yield())) co_return;
  }
}

/// Writes what waits in `to`; false if that is over.
GOST_OWN_FRAME Task<bool> DatagramRelay::flush(Datagram& to) {
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

bool DatagramRelay::ready(Outcome outcome) {
  if (outcome != Outcome::ready) end(stop_error(outcome));
  return outcome == Outcome::ready;
}

void DatagramRelay::end(std::optional<Error> error) {
  if (!ended_) error_ = std::move(error);
  ended_ = true;
  group_.stop();
}

void DatagramRelay::on_timer() {
  TimePoint due = last_passed_ + idle_timeout_;
  if (loop_.now() < due) {
    loop_.arm(*this, due);
  } else {
    end(Error{Cause::timeout, "no datagram for " + to_string(idle_timeout_)});
  }
}

namespace {

/// Passes on as it is what comes.
class PlainDatagramRelay final : public DatagramRelay {
 public:
  PlainDatagramRelay(Scope& parent, Datagram& a, Datagram& b, DatagramBatch& batch,
                     const DatagramRelayOptions& options, const DatagramRelayCounters& counters)
      : DatagramRelay(parent, a, b, batch, options.idle_timeout),
        a_(a),
        b_(b),
        options_(options),
        counters_(counters) {}

 private:
  void not_arrived(int error) override { tell(b_, error); }
  [[gnu::noinline]] void pass_forth(std::span<const ReceivedDatagram> datagrams) override {
    for (const ReceivedDatagram& datagram : datagrams) counters_.bytes_from_a += datagram.payload.size();
    counters_.datagrams_from_a += datagrams.size();
    pass(datagrams, b_, options_.forth);
  }

  [[gnu::noinline]] void pass_back(std::span<const ReceivedDatagram> datagrams) override {
    SendOutcome outcome = pass(datagrams, a_, options_.back);
    counters_.datagrams_to_a += outcome.sent;
    counters_.bytes_to_a += outcome.bytes;
  }

  SendOutcome pass(std::span<const ReceivedDatagram> datagrams, Datagram& to, const DatagramDirection& direction) {
    OutgoingList out;
    SendOutcome outcome;
    for (const ReceivedDatagram& datagram : datagrams) {
      if (datagram.payload.size() > direction.longest) {
        ++outcome.dropped;
        continue;
      }
      if (out.full()) {
        outcome += to.try_send(out.view());
        out.clear();
      }
      out.add(direction.to
                  ? OutgoingDatagram{.peer = *direction.to, .name = {}, .head = {}, .payload = datagram.payload}
                  : OutgoingDatagram{
                        .peer = datagram.peer, .name = datagram.name, .head = {}, .payload = datagram.payload});
    }
    if (!out.empty()) outcome += to.try_send(out.view());
    counters_.dropped += outcome.dropped;
    if (outcome.sent > 0) touch();
    tell(to, outcome.error);
    return outcome;
  }

  void tell(const Datagram& to, int error) {
    if (error == 0 || error == told_error_ || !options_.not_sent) return;
    told_error_ = error;
    if (Error told = to.error(error); !options_.not_sent(told)) end(std::move(told));
  }

  Datagram& a_;
  Datagram& b_;
  const DatagramRelayOptions& options_;
  const DatagramRelayCounters& counters_;
  int told_error_ = 0;
};

}  // namespace

Task<std::optional<Error>> relay_datagrams(Datagram& a, Datagram& b, DatagramBatch& batch,
                                           DatagramRelayOptions options, DatagramRelayCounters counters) {
  PlainDatagramRelay relay(co_await this_scope(), a, b, batch, options, counters);
  co_return co_await relay.run();
}

}  // namespace gost
