#include "runtime/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace gost {

Signals::Signals(std::initializer_list<int> signals) {
  ::sigemptyset(&set_);
  for (int signal : signals) ::sigaddset(&set_, signal);
  ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

Signals::~Signals() {
  if (fd_ >= 0) ::close(fd_);
}

Result<> Signals::start(Loop& loop) {
  fd_ = ::signalfd(-1, &set_, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd_ < 0) return fail(Error::system(errno, "signalfd"));
  return watch_.start(loop, fd_, IoWatch::Kind::input);
}

Task<Result<int>> Signals::next() {
  for (;;) {
    Outcome outcome = co_await until_ready(watch_, Interest::read);
    if (outcome != Outcome::ready) co_return fail(stop_error(outcome));
    signalfd_siginfo info;
    if (::read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
      co_return static_cast<int>(info.ssi_signo);
    watch_.not_readable();
  }
}

}  // namespace gost
