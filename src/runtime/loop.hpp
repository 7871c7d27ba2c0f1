// Loop: one thread's event loop. Edge-triggered epoll, a queue of coroutines that may go on, timers, and functions
// posted from other threads.
#pragma once

#include "core/duration.hpp"
#include "runtime/post_queue.hpp"
#include "runtime/scheduling.hpp"
#include "runtime/scope.hpp"
#include "runtime/task.hpp"
#include "runtime/timer.hpp"

#include <atomic>
#include <functional>

struct epoll_event;

namespace gost {

/// A descriptor in a loop's epoll set. Remembers edges: `readable()` stays true until a read said that there is no
/// more. Does not own the descriptor.
class IoWatch {
 public:
  enum class Kind : std::uint8_t {
    stream,     ///< both directions and the peer's half-close
    acceptor,   ///< a listening socket that several loops watch; a connection wakes one of them
    datagrams,  ///< only readability, of a UDP socket: what comes counts for the thread's Scheduling
    input,      ///< only readability (signalfd, eventfd, a listening socket of one loop)
  };

  IoWatch() = default;
  IoWatch(const IoWatch&) = delete;
  IoWatch& operator=(const IoWatch&) = delete;

  /// Puts `fd` into the loop's epoll set: the only epoll_ctl of a stream's life (closing it takes it out).
  Result<> start(Loop& loop, int fd, Kind kind = Kind::stream);
  /// Takes the descriptor out of the set without closing it (a listening socket that others still watch).
  void stop();

  int fd() const { return fd_; }
  Loop& loop() const { return *loop_; }
  bool readable() const { return readable_; }
  bool writable() const { return writable_; }
  /// The peer has shut down its side or the socket failed: a short read does not mean that nothing follows.
  bool hung_up() const { return hung_up_; }
  void not_readable() { readable_ = false; }
  void not_writable() { writable_ = false; }

  Wait*& reader() { return reader_; }
  Wait*& writer() { return writer_; }

 private:
  friend class Loop;
  void on_events(std::uint32_t events);

  Loop* loop_ = nullptr;
  int fd_ = -1;
  // Until an edge says otherwise a new descriptor is worth a try.
  bool readable_ = true;
  bool writable_ = true;
  bool hung_up_ = false;
  bool datagrams_ = false;
  Wait* reader_ = nullptr;
  Wait* writer_ = nullptr;
};

/// Which way a wait on a descriptor or a stream looks.
enum class Interest : std::uint8_t { read, write };

/// The Outcome of waiting until `watch` is worth a try again: `co_await until_ready(watch, Interest::read)`.
class [[nodiscard]] until_ready {
 public:
  until_ready(IoWatch& watch, Interest interest) : watch_(watch), interest_(interest) {}
  bool await_ready() const { return interest_ == Interest::read ? watch_.readable() : watch_.writable(); }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    return wait_.begin(coroutine.promise().scope(), coroutine,
                       interest_ == Interest::read ? &watch_.reader() : &watch_.writer());
  }
  Outcome await_resume() const { return wait_.outcome(); }

 private:
  IoWatch& watch_;
  Interest interest_;
  Wait wait_;
};

class Loop {
 public:
  enum class Time : std::uint8_t {
    real,
    simulated,  ///< when nothing can go on, the clock jumps to the next timer: for tests
  };

  explicit Loop(Time time = Time::real);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// The time of this turn of the loop.
  TimePoint now() const { return now_; }
  /// The root of this loop's tree of work; stopping it stops everything on the loop.
  Scope& root() { return root_; }

  /// Runs until quit().
  void run();
  /// Makes run() return after the current turn. Any thread.
  void quit();
  /// Runs `task` under the root scope until it has ended, and returns its result.
  template <class T>
  T run(Task<T> task);

  /// Calls `function` on the loop's thread, in the order of posting. Any thread.
  void post(std::move_only_function<void()> function);

  void enqueue(Wait& wait);
  void arm(Timer& timer, TimePoint when) { timers_.arm(timer, when); }
  void arm(Timer& timer, Duration from_now) { timers_.arm(timer, now_ + from_now); }
  void disarm(Timer& timer) { timers_.disarm(timer); }

 private:
  friend class IoWatch;
  void turn();
  void run_ready();
  void run_posted();
  void poll();
  int poll_timeout() const;

  int epoll_ = -1;
  int wake_ = -1;  // eventfd
  Time time_;
  TimePoint now_;
  Scope root_;
  TimerHeap timers_;
  Scheduling scheduling_;
  Wait* ready_head_ = nullptr;
  Wait* ready_tail_ = nullptr;
  PostQueue posted_;
  std::atomic<bool> asleep_{false};
  bool quit_ = false;
};

/// Lets everybody else on the loop have a turn: `co_await yield();`
class [[nodiscard]] yield {
 public:
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    if (!wait_.begin(coroutine.promise().scope(), coroutine, &place_)) return false;
    wait_.complete();
    return true;
  }
  Outcome await_resume() const { return wait_.outcome(); }

 private:
  Wait wait_;
  Wait* place_ = nullptr;
};

/// `co_await sleep_for(1s)`: Outcome::ready when the time has passed.
class [[nodiscard]] sleep_for : private Timer {
 public:
  explicit sleep_for(Duration duration)
      : Timer([](Timer& timer) {
          auto& self = static_cast<sleep_for&>(timer);
          if (self.place_ != nullptr) self.place_->complete();
        }),
        duration_(duration) {}
  bool await_ready() const { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    Scope& scope = coroutine.promise().scope();
    if (!wait_.begin(scope, coroutine, &place_)) return false;
    loop_ = &scope.loop();
    loop_->arm(*this, duration_);
    return true;
  }
  Outcome await_resume() {
    if (loop_ != nullptr) loop_->disarm(*this);
    return wait_.outcome();
  }

 private:
  Duration duration_;
  Loop* loop_ = nullptr;
  Wait wait_;
  Wait* place_ = nullptr;
};

/// Runs `task` with at most `limit` of time: when it is over, every wait in the task ends with Outcome::timeout. An
/// outer deadline or stop reaches the task as well, so an inner deadline never extends an outer one. A limit <= 0
/// means none.
template <class T>
class [[nodiscard]] with_deadline : private Timer {
 public:
  with_deadline(Duration limit, Task<T> task)
      : Timer([](Timer& timer) { static_cast<with_deadline&>(timer).scope_->stop(Outcome::timeout); }),
        limit_(limit),
        task_(std::move(task)) {}
  bool await_ready() const { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> parent) {
    scope_.emplace(parent.promise().scope());
    if (limit_ > Duration::zero()) scope_->loop().arm(*this, limit_);
    task_.handle().promise().start_under(*scope_, parent);
    return task_.handle();
  }
  T await_resume() {
    scope_->loop().disarm(*this);
    return task_.handle().promise().take();
  }

 private:
  Duration limit_;
  std::optional<Scope> scope_;
  Task<T> task_;
};

template <class T>
T Loop::run(Task<T> task) {
  struct Owner final : TaskOwner {
    Loop& loop;
    explicit Owner(Loop& owner_loop) : loop(owner_loop) {}
    void finished(std::coroutine_handle<>) override { loop.quit_ = true; }
  };
  Owner owner(*this);
  task.handle().promise().start_spawned(root_, owner);
  task.handle().resume();
  run();
  return task.handle().promise().take();
}

}  // namespace gost
