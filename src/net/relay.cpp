#include "net/relay.hpp"

#include "runtime/task_group.hpp"
#include "runtime/turn.hpp"

#include <fcntl.h>

#include <cerrno>

namespace gost {

namespace {

/// Two full buffers in a row make a direction hot enough for splice.
constexpr int kFullReadsToSplice = 2;
/// A flow that has spliced this much gets the large pipe.
constexpr std::uint64_t kBytesToGrow = std::uint64_t{512} * 1024;
/// So many small moves in a row, and copying is cheaper again.
constexpr std::size_t kSmallMove = std::size_t{16} * 1024;
constexpr int kSmallMovesToCopy = 8;

/// How often a broken tunnel looks whether its last bytes have arrived.
constexpr Duration kDeliveryCheck = std::chrono::milliseconds(10);

class Relay : private Timer {
 public:
  Relay(Scope& parent, Stream& a, Stream& b, RelayPools pools, const RelayOptions& options, RelayCounters& counters)
      : Timer([](Timer& timer) { static_cast<Relay&>(timer).on_timer(); }),
        group_(parent),
        loop_(parent.loop()),
        pools_(pools),
        options_(options),
        forth_{a, b, counters.from_a},
        back_{b, a, counters.from_b} {}

  Task<std::optional<Error>> run() {
    touch();
    watch_idle(options_.idle_timeout);
    group_.spawn(pump(forth_));
    group_.spawn(pump(back_));
    co_await group_.join();
    loop_.disarm(*this);
    co_return std::move(error_);
  }

 private:
  struct Direction {
    Stream& from;
    Stream& to;
    std::uint64_t& bytes;
    std::uint64_t spliced = 0;  ///< since the direction became hot
    int small_moves = 0;        ///< in a row, while it is hot
  };
  /// How a direction goes on when its source is readable again.
  enum class Next : std::uint8_t {
    copy,
    copy_now,  ///< there is something that cannot be spliced
    splice,
    discard,  ///< nobody takes it any more
    end
  };

  Task<> pump(Direction& direction) {
    Next next = Next::copy;
    while (next != Next::end && ready(co_await direction.from.until(Interest::read))) {
      switch (next) {
      case Next::splice: next = co_await splice_through(direction); break;
      case Next::discard: next = co_await discard(direction); break;
      default: next = co_await copy(direction, next == Next::copy_now); break;
      }
    }
  }

  /// Copies until the source is dry, hot, or at its end.
  GOST_OWN_FRAME Task<Next> copy(Direction& direction, bool something_there) {
    BufferPool::Buffer buffer = pools_.buffers.borrow();
    int full_reads = 0;
    Turn turn;
    for (;;) {
      IoResult in = direction.from.try_read(buffer.bytes());
      // The kernel says once that it cannot go on, and nothing for ever after.
      if (in.status == IoResult::Status::would_block && something_there)
        co_return co_await pass_on_failure(direction, EINVAL);
      something_there = false;
      if (in.status == IoResult::Status::would_block) co_return Next::copy;
      if (in.status == IoResult::Status::eof) co_return co_await pass_on_end(direction);
      if (in.status == IoResult::Status::error) co_return co_await pass_on_failure(direction, in.error);
      for (Bytes rest = buffer.bytes().first(in.bytes); !rest.empty();) {
        IoResult out = direction.to.try_write(rest);
        if (out.status == IoResult::Status::ok) {
          rest = rest.subspan(out.bytes);
          count(direction, out.bytes);
        } else if (out.status == IoResult::Status::would_block) {
          if (!ready(co_await direction.to.until(Interest::write))) co_return Next::end;
        } else {
          co_return sink_failed(direction, out.error);
        }
      }
      full_reads = in.bytes == buffer.bytes().size() ? full_reads + 1 : 0;
      if (full_reads >= kFullReadsToSplice && may_splice(direction)) {
        direction.spliced = 0;
        direction.small_moves = 0;
        co_return Next::splice;
      }
      if (!direction.from.ready(Interest::read)) co_return Next::copy;
      if (turn.used_up(in.bytes) && !ready(co_await yield())) co_return Next::end;
    }
  }

  /// Reads what is there for nobody.
  GOST_OWN_FRAME Task<Next> discard(Direction& direction) {
    BufferPool::Buffer buffer = pools_.buffers.borrow();
    Turn turn;
    for (;;) {
      IoResult in = direction.from.try_read(buffer.bytes());
      if (in.status == IoResult::Status::would_block) co_return Next::discard;
      if (in.status != IoResult::Status::ok) co_return Next::end;
      if (turn.used_up(in.bytes) && !ready(co_await yield())) co_return Next::end;
    }
  }

  bool may_splice(Direction& direction) const {
    return options_.splice && direction.from.kernel(Interest::read) != nullptr &&
           direction.to.kernel(Interest::write) != nullptr;
  }

  /// Moves bytes through a pipe until the source is dry, no longer hot, or at its end.
  GOST_OWN_FRAME Task<Next> splice_through(Direction& direction) {
    IoWatch& source = *direction.from.kernel(Interest::read);
    IoWatch& sink = *direction.to.kernel(Interest::write);
    auto ends = pools_.pipes.borrow();
    if (!ends) co_return Next::copy;
    PipePool::Pipe pipe(pools_.pipes, std::move(*ends));
    Turn turn;
    for (;;) {
      if (direction.spliced >= kBytesToGrow) pipe.grow();
      ssize_t in = ::splice(source.fd(), nullptr, pipe.write_end(), nullptr, pipe.capacity(),
                            SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (in == 0) co_return co_await pass_on_end(direction);
      if (in < 0 && errno == EAGAIN) {
        source.not_readable();
        co_return Next::splice;
      }
      if (in < 0 && errno == EINVAL) co_return Next::copy_now;
      if (in < 0) co_return co_await pass_on_failure(direction, errno);
      pipe.held = static_cast<std::size_t>(in);
      while (pipe.held > 0) {
        ssize_t out =
            ::splice(pipe.read_end(), nullptr, sink.fd(), nullptr, pipe.held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (out > 0) {
          pipe.held -= static_cast<std::size_t>(out);
          count(direction, static_cast<std::size_t>(out));
        } else if (out < 0 && errno == EAGAIN) {
          sink.not_writable();
          if (!ready(co_await direction.to.until(Interest::write))) co_return Next::end;
        } else {
          co_return sink_failed(direction, out < 0 ? errno : EPIPE);
        }
      }
      auto bytes = static_cast<std::size_t>(in);
      direction.spliced += bytes;
      direction.small_moves = bytes < kSmallMove ? direction.small_moves + 1 : 0;
      if (direction.small_moves == kSmallMovesToCopy) co_return Next::copy;
      if (turn.used_up(bytes) && !ready(co_await yield())) co_return Next::end;
    }
  }

  /// The source has ended: the sink is told, the other direction goes on.
  GOST_OWN_FRAME Task<Next> pass_on_end(Direction& direction) {
    // The second end needs no announcement on a socket: the owner closes it next, and that says the same.
    if (++ends_ == 2 && direction.to.kernel(Interest::write) != nullptr) co_return Next::end;
    for (;;) {
      IoResult result = direction.to.try_shutdown();
      if (result.status == IoResult::Status::would_block) {
        if (!ready(co_await direction.to.until(Interest::write))) co_return Next::end;
        continue;
      }
      if (result.status != IoResult::Status::ok) {
        // A stream that cannot half-close, or is gone, ends the tunnel as a whole.
        end_in_order();
        co_return Next::end;
      }
      break;
    }
    if (direction.from.closed()) {
      // What the sink still sends has no place to go; what it has been sent must arrive before it is closed.
      if (co_await delivered(direction.to)) end_in_order();
      co_return Next::end;
    }
    one_way_from_now_on();
    co_return Next::end;
  }

  /// The source is broken, so nothing can be sent to it either: the tunnel ends. A reset goes on as a reset, behind
  /// all that came before it.
  GOST_OWN_FRAME Task<Next> pass_on_failure(Direction& direction, int number) {
    note(direction.from.error(number).in("read"));
    if (system_cause(number) == Cause::reset) {
      if (!co_await delivered(direction.to)) co_return Next::end;
      if (direction.to.undelivered() == 0) direction.to.abort();
    }
    group_.stop();
    co_return Next::end;
  }

  /// Waits until all that was written to `sink` has arrived, or nothing of it does for the grace. False if the relay
  /// was stopped meanwhile.
  GOST_OWN_FRAME Task<bool> delivered(Stream& sink) {
    std::size_t left = sink.undelivered();
    for (Duration waited{}; left > 0 && waited < options_.half_close_grace; waited += kDeliveryCheck) {
      if (!ready(co_await sleep_for(kDeliveryCheck))) co_return false;
      std::size_t now_left = sink.undelivered();
      if (now_left < left) {
        waited = Duration::zero();
        touch();
      }
      left = now_left;
    }
    co_return true;
  }

  /// The sink takes no more. What it has sent before may still be on its way to the source. A source that is no
  /// socket may share one with others (a stream of a session): what it still sends must not keep them waiting.
  Next sink_failed(Direction& direction, int number) {
    if (!direction.to.closed()) note(direction.to.error(number).in("write"));
    one_way_from_now_on();
    return direction.from.kernel(Interest::read) == nullptr ? Next::discard : Next::end;
  }

  void end_in_order() {
    ended_ = true;
    group_.stop();
  }

  void note(Error error) {
    if (!error_) error_ = std::move(error);
  }

  /// One direction is over; the other one must keep moving.
  void one_way_from_now_on() {
    touch();
    watch_idle(options_.half_close_grace);
  }

  /// False if the relay was stopped while it waited.
  bool ready(Outcome outcome) {
    if (outcome == Outcome::ready) return true;
    if (!error_ && !ended_) error_ = stop_error(outcome);
    return false;
  }

  void count(Direction& direction, std::size_t bytes) {
    direction.bytes += bytes;
    touch();
  }
  void touch() { last_byte_ = loop_.now(); }

  /// Ends the tunnel when nothing moves for `limit`; a second call shortens the limit only.
  void watch_idle(Duration limit) {
    if (limit <= Duration::zero() || (idle_limit_ > Duration::zero() && limit >= idle_limit_)) return;
    idle_limit_ = limit;
    loop_.arm(*this, last_byte_ + limit);
  }
  void on_timer() {
    if (loop_.now() - last_byte_ >= idle_limit_) {
      group_.stop(Outcome::timeout);
    } else {
      loop_.arm(*this, last_byte_ + idle_limit_);
    }
  }

  TaskGroup group_;
  Loop& loop_;
  RelayPools pools_;
  const RelayOptions& options_;
  Direction forth_;
  Direction back_;
  TimePoint last_byte_{};
  Duration idle_limit_ = Duration::zero();
  std::optional<Error> error_;
  bool ended_ = false;  ///< stopped on purpose, not by an error
  int ends_ = 0;        ///< directions whose source has ended
};

}  // namespace

Task<std::optional<Error>> relay(Stream& a, Stream& b, RelayPools pools, const RelayOptions& options,
                                 RelayCounters& counters) {
  Relay both(co_await this_scope(), a, b, pools, options, counters);
  co_return co_await both.run();
}

}  // namespace gost
