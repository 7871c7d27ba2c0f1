#include "tcp/listener.hpp"

#include <algorithm>
#include <cerrno>

namespace gost {

namespace {
constexpr int kAcceptsPerTurn = 16;
/// How long a loop that is out of descriptors leaves the queue alone.
constexpr Duration kPause = std::chrono::milliseconds(100);

/// Errors that accept(2) passes on from a connection that is broken already; the next one may be sound.
bool is_of_one_connection(int number) {
  switch (number) {
  case EINTR:
  case ECONNABORTED:
  case EPROTO:
  case ENETDOWN:
  case ENETUNREACH:
  case EHOSTDOWN:
  case EHOSTUNREACH:
  case ENONET:
  case ENOPROTOOPT:
  case EOPNOTSUPP: return true;
  default: return false;
  }
}
}  // namespace

Result<> TcpListener::bind(std::size_t /*loops*/) {
  auto socket = TcpListenSocket::bind(requested_, options_);
  if (!socket) return fail(socket.error());
  socket_.emplace(std::move(*socket));
  return {};
}

Task<> TcpListener::accept(std::size_t here) {
  ListenerSeat& seat = seats_[here];
  IoWatch watch;
  if (auto started = watch.start(seat.io->loop, socket_->fd(), IoWatch::Kind::acceptor); !started) {
    seat.sink->accept_failed(started.error(), Duration::zero());
    co_return;
  }
  for (;;) {
    if (co_await until_ready(watch, Interest::read) != Outcome::ready) break;
    if (auto error = accept_some(here, watch)) {
      seat.sink->accept_failed(*error, kPause);
      if (co_await sleep_for(kPause) != Outcome::ready) break;
    } else if (co_await yield() != Outcome::ready) {
      break;
    }
  }
  watch.stop();
}

std::optional<Error> TcpListener::accept_some(std::size_t here, IoWatch& watch) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    auto accepted = try_accept(socket_->fd());
    if (accepted) {
      place(here, std::move(*accepted));
    } else if (accepted.error() == EAGAIN) {
      watch.not_readable();
      return std::nullopt;
    } else if (!is_of_one_connection(accepted.error())) {
      return Error::system(accepted.error());
    }
  }
  return std::nullopt;
}

void TcpListener::place(std::size_t here, Accepted accepted) {
  auto load = [this](std::size_t seat) { return seats_[seat].io->connections.load(std::memory_order_relaxed); };
  std::size_t best = here;
  for (std::size_t seat = 0; seat < seats_.size(); ++seat)
    if (load(seat) < load(best)) best = seat;
  ConnectionToken token(seats_[best].io->connections);  // from now on, so that the next decision sees it
  if (best == here) {
    adopt(seats_[here], std::move(accepted), std::move(token));
  } else {
    seats_[best].io->loop.post(
        [seat = &seats_[best], moved = std::move(accepted), held = std::move(token)]() mutable {
          adopt(*seat, std::move(moved), std::move(held));
        });
  }
}

void TcpListener::adopt(ListenerSeat& seat, Accepted accepted, ConnectionToken token) {
  auto stream = TcpStream::adopt(seat.io->loop, std::move(accepted.socket), accepted.remote, std::move(token));
  if (stream) {
    seat.sink->deliver(std::move(*stream));
  } else {
    seat.sink->accept_failed(stream.error(), Duration::zero());
  }
}

}  // namespace gost
