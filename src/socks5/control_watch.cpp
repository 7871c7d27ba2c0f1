#include "socks5/control_watch.hpp"

#include <array>
#include <utility>

namespace gost::socks5 {

namespace {
constexpr int kReadsInARow = 16;  ///< then others on the loop have their turn
}  // namespace

ControlWatch::ControlWatch(Loop& loop, std::unique_ptr<Stream> control, Datagram& dependent)
    : loop_(loop), control_(std::move(control)), dependent_(&dependent), task_(watch()) {
  task_.handle().promise().start_spawned(loop.root(), *this);
  task_.handle().resume();
}

ControlWatch::~ControlWatch() {
  // The wait goes with the coroutine; the stream must not wake it when it closes.
  if (!ended_) control_->waiting(Interest::read) = nullptr;
}

void ControlWatch::retire(std::unique_ptr<ControlWatch> watch) {
  watch->dependent_ = nullptr;
  if (!watch->idle()) destroy_when_idle(std::move(watch));
}

void ControlWatch::destroy_when_idle(std::unique_ptr<ControlWatch> watch) {
  Loop& loop = watch->loop_;
  loop.post([kept = std::move(watch)]() mutable {
    if (!kept->idle()) destroy_when_idle(std::move(kept));
  });
}

Task<> ControlWatch::watch() {
  while (drain()) {
    Outcome outcome = control_->ready(Interest::read) ? co_await yield() : co_await control_->until(Interest::read);
    if (outcome != Outcome::ready) break;
  }
  ended_ = true;
  if (dependent_ == nullptr) co_return;
  for (Interest interest : {Interest::read, Interest::write})
    if (Wait* wait = dependent_->waiting(interest)) wait->complete();
}

bool ControlWatch::drain() {
  std::array<std::uint8_t, 1024> forgotten;
  for (int reads = 0; reads < kReadsInARow; ++reads) {
    IoResult io = control_->try_read(forgotten);
    if (io.status == IoResult::Status::would_block) return true;
    if (io.status != IoResult::Status::ok) return false;
  }
  return true;
}

}  // namespace gost::socks5
