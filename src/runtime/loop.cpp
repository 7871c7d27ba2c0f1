#include "runtime/loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace gost {

namespace {

constexpr int kEventsPerPoll = 256;

TimePoint real_now() {
  return std::chrono::steady_clock::now();
}

/// A process that cannot get an epoll descriptor at start cannot do anything.
int checked(int result, const char* what) {
  if (result < 0) {
    std::perror(what);
    std::abort();
  }
  return result;
}

std::uint32_t events_of(IoWatch::Kind kind) {
  switch (kind) {
  case IoWatch::Kind::stream: return EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  case IoWatch::Kind::acceptor: return EPOLLIN | EPOLLET | EPOLLEXCLUSIVE;
  case IoWatch::Kind::datagrams:
  case IoWatch::Kind::input: return EPOLLIN | EPOLLET;
  }
  return 0;
}

}  // namespace

Result<> IoWatch::start(Loop& loop, int fd, Kind kind) {
  epoll_event event{};
  event.events = events_of(kind);
  event.data.ptr = this;
  if (::epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, fd, &event) < 0) return fail(Error::system(errno, "epoll_ctl"));
  loop_ = &loop;
  fd_ = fd;
  datagrams_ = kind == Kind::datagrams;
  return {};
}

void IoWatch::stop() {
  if (loop_ != nullptr) ::epoll_ctl(loop_->epoll_, EPOLL_CTL_DEL, fd_, nullptr);
  loop_ = nullptr;
}

void IoWatch::on_events(std::uint32_t events) {
  if (datagrams_) loop_->scheduling_.datagrams_came();
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    readable_ = true;
    if (reader_ != nullptr) reader_->complete();
  }
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
    writable_ = true;
    if (writer_ != nullptr) writer_->complete();
  }
}

Loop::Loop(Time time)
    : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")),
      time_(time),
      now_(real_now()),
      root_(*this) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;  // the only event without a watch
  checked(::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event), "epoll_ctl");
}

Loop::~Loop() {
  ::close(wake_);
  ::close(epoll_);
}

void Loop::run() {
  while (!quit_) turn();
  quit_ = false;
}

void Loop::quit() {
  post([this] { quit_ = true; });
}

void Loop::post(std::move_only_function<void()> function) {
  posted_.push(std::move(function));
  if (!asleep_.exchange(false, std::memory_order_seq_cst)) return;
  const std::uint64_t one = 1;
  // The counter cannot overflow: the loop resets it before it sleeps again.
  [[maybe_unused]] ssize_t written = ::write(wake_, &one, sizeof one);
}

void Loop::enqueue(Wait& wait) {
  wait.next_ready_ = nullptr;
  (ready_tail_ != nullptr ? ready_tail_->next_ready_ : ready_head_) = &wait;
  ready_tail_ = &wait;
}

void Loop::turn() {
  run_ready();
  run_posted();
  if (!quit_) poll();
  timers_.expire(now_);
}

void Loop::run_ready() {
  // Only what is ready now: whoever becomes ready meanwhile has its turn after the next look at epoll.
  Wait* wait = std::exchange(ready_head_, nullptr);
  ready_tail_ = nullptr;
  while (wait != nullptr) {
    Wait* next = wait->next_ready_;
    wait->coroutine_.resume();
    wait = next;
  }
}

void Loop::run_posted() {
  if (!posted_.empty()) posted_.run_all();
}

int Loop::poll_timeout() const {
  if (ready_head_ != nullptr || quit_) return 0;
  if (timers_.empty()) return -1;
  if (time_ == Time::simulated) return 0;
  // Rounded up, so that a timer is due when its sleep ends.
  auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.next() - now_).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

void Loop::poll() {
  if (ready_head_ == nullptr && posted_.empty()) scheduling_.give_way();
  if (time_ == Time::real && !timers_.empty()) now_ = real_now();  // the turn may have been a long one
  int timeout = poll_timeout();
  if (timeout != 0) {
    // A poster that pushes after this sees `asleep_` and writes to wake_; one that pushed before is seen here.
    asleep_.store(true, std::memory_order_seq_cst);
    if (!posted_.empty()) timeout = 0;
  }
  std::array<epoll_event, kEventsPerPoll> events;
  int count = ::epoll_wait(epoll_, events.data(), kEventsPerPoll, timeout);
  asleep_.store(false, std::memory_order_relaxed);
  if (time_ == Time::real) {
    now_ = real_now();
    scheduling_.looked(now_);
  } else if (count <= 0 && ready_head_ == nullptr && posted_.empty() && !timers_.empty()) {
    now_ = std::max(now_, timers_.next());
  }
  // No coroutine runs before all events are taken, so no watch can vanish while the batch refers to it.
  for (int i = 0; i < count; ++i) {
    if (auto* watch = static_cast<IoWatch*>(events[static_cast<std::size_t>(i)].data.ptr)) {
      watch->on_events(events[static_cast<std::size_t>(i)].events);
    } else {
      std::uint64_t counter;
      [[maybe_unused]] ssize_t got = ::read(wake_, &counter, sizeof counter);
    }
  }
}

}  // namespace gost
