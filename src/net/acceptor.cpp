#include "net/acceptor.hpp"

#include <cerrno>

namespace gost {

namespace {

/// How long a loop that is out of descriptors leaves the queue alone.
constexpr Duration kPause = std::chrono::milliseconds(100);

}  // namespace

Result<> Acceptor::start(Loop& loop, int fd) {
  auto started = watch_.start(loop, fd, IoWatch::Kind::input);
  watching_ = started.has_value();
  return started;
}

Task<Result<Accepted>> Acceptor::next() {
  if (turn_.used_up(0)) co_await yield();
  while (watching_) {
    auto accepted = try_accept(watch_.fd());
    if (accepted) co_return std::move(*accepted);
    bool nobody = accepted.error() == EAGAIN;
    if (nobody) watch_.not_readable();
    Outcome outcome = nobody ? co_await until_ready(watch_, Interest::read) : co_await sleep_for(kPause);
    if (outcome != Outcome::ready) co_return fail(stop_error(outcome));
  }
  co_return fail(Cause::canceled, "the port is closed");
}

void Acceptor::stop() {
  if (!watching_) return;
  watching_ = false;
  watch_.stop();
  if (watch_.reader() != nullptr) watch_.reader()->complete();
}

}  // namespace gost
