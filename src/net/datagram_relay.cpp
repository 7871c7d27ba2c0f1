#include "net/datagram_relay.hpp"

#include "net/outgoing_list.hpp"
#include "runtime/task_group.hpp"
#include "runtime/turn.hpp"

namespace gost {

namespace {

class DatagramRelay : private Timer {
 public:
  DatagramRelay(Scope& parent, Datagram& a, Datagram& b, DatagramBatch& batch, const DatagramRelayOptions& options,
                const DatagramRelayCounters& counters)
      : Timer([](Timer& timer) { static_cast<DatagramRelay&>(timer).on_timer(); }),
        a_(a),
        b_(b),
        batch_(batch),
        options_(options),
        counters_(counters),
        group_(parent),
        loop_(parent.loop()) {}

  Task<std::optional<Error>> run() {
    last_passed_ = loop_.now();
    if (options_.idle_timeout > Duration::zero()) loop_.arm(*this, options_.idle_timeout);
    group_.spawn(forth());
    group_.spawn(back());
    co_await group_.join();
    loop_.disarm(*this);
    co_return std::move(error_);
  }

 private:
  Task<> forth() {
    Turn turn;
    while (ready(co_await a_.until(Interest::read))) {
      IoResult got = a_.try_receive(batch_);
      if (got.status == IoResult::Status::eof) co_return end(std::nullopt);
      if (got.status == IoResult::Status::error) co_return end(a_.error(got.error).in("read from the client"));
      if (got.status == IoResult::Status::ok) pass_forth();
      if (b_.pending() && !co_await flush(b_)) co_return;
      if (turn.used_up(got.bytes) && !ready(co_await yield())) co_return;
    }
  }

  Task<> back() {
    Turn turn;
    while (ready(co_await b_.until(Interest::read))) {
      IoResult got = b_.try_receive(batch_);
      if (got.status == IoResult::Status::eof) co_return end(Error{Cause::eof, "the way to the target has ended"});
      if (got.status == IoResult::Status::error) co_return end(b_.error(got.error).in("read from the target"));
      if (got.status == IoResult::Status::ok) pass_back();
      if (a_.pending() && !co_await flush(a_)) co_return;
      if (turn.used_up(got.bytes) && !ready(co_await yield())) co_return;
    }
  }

  /// Writes what waits in `to`; false if that is over.
  GOST_OWN_FRAME Task<bool> flush(Datagram& to) {
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

  [[gnu::noinline]] void pass_forth() {
    for (const ReceivedDatagram& datagram : batch_.items()) counters_.bytes_from_a += datagram.payload.size();
    counters_.datagrams_from_a += batch_.items().size();
    pass(b_, options_.forth, [](std::span<const OutgoingDatagram>) {});
  }

  [[gnu::noinline]] void pass_back() {
    pass(a_, options_.back, [this](std::span<const OutgoingDatagram> sent) {
      counters_.datagrams_to_a += sent.size();
      for (const OutgoingDatagram& datagram : sent) counters_.bytes_to_a += datagram.payload.size();
    });
  }

  /// Sends what is in the batch; `sent` is told of what left.
  template <class Sent>
  void pass(Datagram& to, const DatagramDirection& direction, Sent sent) {
    OutgoingList out;
    for (const ReceivedDatagram& datagram : batch_.items()) {
      if (datagram.payload.size() > direction.longest) {
        ++counters_.dropped;
        continue;
      }
      if (out.full()) send(to, out, sent);
      out.add(direction.to
                  ? OutgoingDatagram{.peer = *direction.to, .name = {}, .head = {}, .payload = datagram.payload}
                  : OutgoingDatagram{
                        .peer = datagram.peer, .name = datagram.name, .head = {}, .payload = datagram.payload});
    }
    if (!out.empty()) send(to, out, sent);
  }

  template <class Sent>
  void send(Datagram& to, OutgoingList& out, Sent& sent) {
    SendOutcome outcome = to.try_send(out.view());
    counters_.dropped += outcome.dropped;
    if (outcome.sent > 0) last_passed_ = loop_.now();
    sent(out.view().first(outcome.sent));
    out.clear();
  }

  /// False if the relay was stopped while it waited.
  bool ready(Outcome outcome) {
    if (outcome != Outcome::ready) end(stop_error(outcome));
    return outcome == Outcome::ready;
  }

  void end(std::optional<Error> error) {
    if (!ended_) error_ = std::move(error);
    ended_ = true;
    group_.stop();
  }

  void on_timer() {
    TimePoint due = last_passed_ + options_.idle_timeout;
    if (loop_.now() < due) {
      loop_.arm(*this, due);
    } else {
      end(Error{Cause::timeout, "no datagram for " + to_string(options_.idle_timeout)});
    }
  }

  Datagram& a_;
  Datagram& b_;
  DatagramBatch& batch_;
  const DatagramRelayOptions& options_;
  const DatagramRelayCounters& counters_;
  TaskGroup group_;
  Loop& loop_;
  TimePoint last_passed_{};
  bool ended_ = false;
  std::optional<Error> error_;
};

}  // namespace

Task<std::optional<Error>> relay_datagrams(Datagram& a, Datagram& b, DatagramBatch& batch,
                                           DatagramRelayOptions options, DatagramRelayCounters counters) {
  DatagramRelay relay(co_await this_scope(), a, b, batch, options, counters);
  co_return co_await relay.run();
}

}  // namespace gost
