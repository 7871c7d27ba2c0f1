#include "net/ares_channel.hpp"

#include <poll.h>

#include <algorithm>
#include <cstring>

namespace gost {

/// One lookup. Shared by the coroutine that waits and the c-ares callback, whichever lives longer.
struct AresChannel::Query {
  explicit Query(AresChannel& owner) : channel(owner) {}
  AresChannel& channel;
  Wait* place = nullptr;
  bool done = false;
  Answer answer;
};

/// A socket of c-ares' and the coroutines that serve it.
struct AresChannel::Socket {
  Socket(Scope& parent, ares_socket_t descriptor) : fd(descriptor), scope(parent) {}
  ares_socket_t fd;
  IoWatch watch;
  bool closed = false;
  bool want_write = false;
  bool writing = false;  ///< serve_writes is running
  int served_by = 0;     ///< coroutines
  Scope scope;
};

class [[nodiscard]] AresChannel::UntilAnswered {
 public:
  explicit UntilAnswered(Query& query) : query_(query) {}
  bool await_ready() const { return query_.done; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    return wait_.begin(coroutine.promise().scope(), coroutine, &query_.place);
  }
  Outcome await_resume() const { return wait_.outcome(); }

 private:
  Query& query_;
  Wait wait_;
};

AresChannel::AresChannel(Loop& loop, const ResolverOptions& options)
    : Timer([](Timer& timer) { static_cast<AresChannel&>(timer).process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }),
      loop_(loop),
      group_(loop.root()) {
  ares_options native{};
  native.timeout = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(options.timeout).count());
  native.tries = options.tries;
  native.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<AresChannel*>(self)->on_socket(fd, readable != 0, writable != 0);
  };
  native.sock_state_cb_data = this;
  status_ = ares_init_options(&channel_, &native, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  if (status_ == ARES_SUCCESS && !options.servers.empty())
    status_ = ares_set_servers_ports_csv(channel_, options.servers.c_str());
}

AresChannel::~AresChannel() {
  if (channel_ != nullptr) ares_destroy(channel_);
}

Task<AresChannel::Answer> AresChannel::lookup(std::string host, Family family) {
  ares_addrinfo_hints hints{};
  hints.ai_flags = ARES_AI_NOSORT;
  hints.ai_family = family == Family::v4 ? AF_INET : AF_INET6;
  hints.ai_socktype = SOCK_STREAM;
  auto query = std::make_shared<Query>(*this);
  auto* argument = new std::shared_ptr<Query>(query);  // owned by on_answer
  ++pending_;
  ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &on_answer, argument);
  rearm();
  Outcome outcome = co_await UntilAnswered(*query);
  if (outcome != Outcome::ready) co_return Answer{.outcome = outcome};
  co_return std::move(query->answer);
}

void AresChannel::on_answer(void* argument, int status, int /*timeouts*/, ares_addrinfo* found) {
  std::unique_ptr<std::shared_ptr<Query>> owner(static_cast<std::shared_ptr<Query>*>(argument));
  Query& query = **owner;
  --query.channel.pending_;
  query.done = true;
  query.answer.status = status;
  if (found != nullptr) {
    for (ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
      sockaddr_storage native{};
      std::memcpy(&native, node->ai_addr, node->ai_addrlen);
      query.answer.addresses.push_back(SocketAddress::from_native(native).ip());
    }
    ares_freeaddrinfo(found);
  }
  if (query.place != nullptr) query.place->complete();
}

void AresChannel::on_socket(ares_socket_t fd, bool readable, bool writable) {
  auto found = std::ranges::find_if(sockets_, [fd](const Socket& it) { return it.fd == fd && !it.closed; });
  if (!readable && !writable) {
    if (found == sockets_.end()) return;
    found->closed = true;
    found->scope.stop(Outcome::canceled);
    return;
  }
  if (found == sockets_.end()) {
    found = sockets_.emplace(sockets_.end(), group_.scope(), fd);
    if (!found->watch.start(loop_, fd)) {
      sockets_.erase(found);  // its query runs into its timeout
      return;
    }
    // c-ares is in the middle of something: nothing may enter it before the loop's next look at epoll.
    found->watch.not_readable();
    found->watch.not_writable();
    ++found->served_by;
    group_.spawn(serve_reads(*found));
  }
  found->want_write = writable;
  if (writable && !found->writing) {
    found->writing = true;
    ++found->served_by;
    group_.spawn(serve_writes(*found));
  }
}

namespace {

Task<Outcome> until_socket(IoWatch& watch, Interest interest) {
  co_return co_await until_ready(watch, interest);
}

/// c-ares reads a TCP answer in pieces; the edge comes only once.
bool more_to_read(ares_socket_t fd) {
  pollfd poll{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&poll, 1, 0) == 1 && (poll.revents & POLLIN) != 0;
}

}  // namespace

Task<> AresChannel::serve_reads(Socket& socket) {
  for (;;) {
    Outcome outcome = co_await in_scope(socket.scope, until_socket(socket.watch, Interest::read));
    if (outcome != Outcome::ready || socket.closed) break;
    socket.watch.not_readable();
    process(socket.fd, ARES_SOCKET_BAD);
    while (!socket.closed && more_to_read(socket.fd)) {
      if (co_await yield() != Outcome::ready) break;
      if (!socket.closed) process(socket.fd, ARES_SOCKET_BAD);
    }
    if (socket.closed) break;
  }
  leave(socket);
}

Task<> AresChannel::serve_writes(Socket& socket) {
  while (socket.want_write && !socket.closed) {
    Outcome outcome = co_await in_scope(socket.scope, until_socket(socket.watch, Interest::write));
    if (outcome != Outcome::ready || socket.closed) break;
    socket.watch.not_writable();
    process(ARES_SOCKET_BAD, socket.fd);
  }
  socket.writing = false;
  leave(socket);
}

void AresChannel::leave(Socket& socket) {
  if (--socket.served_by == 0) sockets_.remove_if([&](const Socket& it) { return &it == &socket; });
}

void AresChannel::process(ares_socket_t readable, ares_socket_t writable) {
  ares_process_fd(channel_, readable, writable);
  rearm();
}

void AresChannel::rearm() {
  timeval buffer;
  timeval* next = ares_timeout(channel_, nullptr, &buffer);
  if (next == nullptr) {
    loop_.disarm(*this);
    return;
  }
  // c-ares rounds down to milliseconds: without the extra one the timer would fire before anything is due.
  loop_.arm(*this, std::chrono::seconds(next->tv_sec) + std::chrono::microseconds(next->tv_usec) +
                       std::chrono::milliseconds(1));
}

Task<> AresChannel::close() {
  loop_.disarm(*this);
  if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
  group_.stop();
  co_await group_.join();
}

}  // namespace gost
