#include "net/resolver.hpp"

#include "core/text.hpp"
#include "runtime/task_group.hpp"

#include <ares.h>
#include <poll.h>

#include <algorithm>
#include <list>

namespace gost {

namespace {

/// One lookup. Shared by the coroutine that waits and the c-ares callback, whichever lives longer.
struct Query {
  Wait* place = nullptr;
  bool done = false;
  int status = ARES_SUCCESS;
  std::vector<IpAddress> addresses;
};

/// Suspends until the callback has filled in the query.
class [[nodiscard]] UntilAnswered {
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

void on_answer(void* argument, int status, int /*timeouts*/, ares_addrinfo* found) {
  std::unique_ptr<std::shared_ptr<Query>> owner(static_cast<std::shared_ptr<Query>*>(argument));
  Query& query = **owner;
  query.done = true;
  query.status = status;
  if (found != nullptr) {
    for (ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
      sockaddr_storage native{};
      std::memcpy(&native, node->ai_addr, node->ai_addrlen);
      query.addresses.push_back(SocketAddress::from_native(native).ip());
    }
    ares_freeaddrinfo(found);
  }
  if (query.place != nullptr) query.place->complete();
}

/// What cannot be a host name must not reach c-ares, which reads up to the first NUL and would look up another name.
bool is_possible_name(std::string_view host) {
  auto is_bad = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; };
  return host.size() <= 253 && std::ranges::none_of(host, is_bad);
}

bool is_localhost(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return iequals(host, "localhost") || (host.size() > 10 && iequals(host.substr(host.size() - 10), ".localhost"));
}

}  // namespace

/// The c-ares channel with its sockets and its timer on the loop.
class Resolver::Channel : private Timer {
 public:
  Channel(Loop& loop, const ResolverOptions& options)
      : Timer([](Timer& timer) { static_cast<Channel&>(timer).on_timer(); }), loop_(loop), group_(loop.root()) {
    ares_library_init(ARES_LIB_INIT_ALL);
    ares_options native{};
    native.timeout = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(options.timeout).count());
    native.tries = options.tries;
    native.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
      static_cast<Channel*>(self)->on_socket(fd, readable != 0, writable != 0);
    };
    native.sock_state_cb_data = this;
    status_ = ares_init_options(&channel_, &native, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (status_ == ARES_SUCCESS && !options.servers.empty())
      status_ = ares_set_servers_ports_csv(channel_, options.servers.c_str());
  }

  int status() const { return status_; }

  void ask(const std::string& host, Family family, std::shared_ptr<Query> query) {
    ares_addrinfo_hints hints{};
    hints.ai_flags = ARES_AI_NOSORT;
    hints.ai_family = family == Family::v4 ? AF_INET : AF_INET6;
    hints.ai_socktype = SOCK_STREAM;
    auto* argument = new std::shared_ptr<Query>(std::move(query));  // owned by on_answer
    ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &on_answer, argument);
    rearm();
  }

  Task<> close() {
    loop_.disarm(*this);
    if (channel_ != nullptr) ares_destroy(channel_);  // answers every query, closes every socket
    group_.stop();
    co_await group_.join();
    ares_library_cleanup();
  }

 private:
  struct Socket {
    ares_socket_t fd;
    IoWatch watch;
    bool closed = false;
    bool want_write = false;
    Scope scope;
    explicit Socket(Scope& parent, ares_socket_t descriptor) : fd(descriptor), scope(parent) {}
  };

  void on_socket(ares_socket_t fd, bool readable, bool writable) {
    for (auto& socket : sockets_) {
      if (socket.fd != fd || socket.closed) continue;
      socket.want_write = writable;
      if (!readable && !writable) {
        socket.closed = true;
        socket.scope.stop(Outcome::canceled);
      }
      return;
    }
    if (!readable && !writable) return;
    Socket& socket = sockets_.emplace_back(group_.scope(), fd);
    socket.want_write = writable;
    if (socket.watch.start(loop_, fd)) {
      group_.spawn(serve(socket));
    } else {
      sockets_.pop_back();  // its query runs into its timeout
    }
  }

  /// Feeds c-ares from one socket until c-ares closes it.
  Task<> serve(Socket& socket) {
    for (;;) {
      Outcome outcome = co_await in_scope(socket.scope, until_event(socket));
      if (outcome != Outcome::ready || socket.closed) break;
      feed(socket);
      rearm();
    }
    sockets_.remove_if([&](Socket& other) { return &other == &socket; });
  }

  void feed(Socket& socket) {
    if (socket.want_write && socket.watch.writable()) {
      socket.watch.not_writable();
      ares_process_fd(channel_, ARES_SOCKET_BAD, socket.fd);
      return;
    }
    do {
      socket.watch.not_readable();
      ares_process_fd(channel_, socket.fd, ARES_SOCKET_BAD);
    } while (!socket.closed && more_to_read(socket.fd));
  }

  static Task<Outcome> until_event(Socket& socket) {
    if (socket.want_write) co_return co_await until_ready(socket.watch, Interest::write);
    co_return co_await until_ready(socket.watch, Interest::read);
  }

  /// c-ares reads a TCP answer in pieces; the edge comes only once.
  static bool more_to_read(ares_socket_t fd) {
    pollfd poll{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&poll, 1, 0) == 1 && (poll.revents & POLLIN) != 0;
  }

  void on_timer() {
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    rearm();
  }

  void rearm() {
    timeval buffer;
    timeval* next = ares_timeout(channel_, nullptr, &buffer);
    if (next == nullptr) {
      loop_.disarm(*this);
    } else {
      loop_.arm(*this, std::chrono::seconds(next->tv_sec) + std::chrono::microseconds(next->tv_usec));
    }
  }

  Loop& loop_;
  ares_channel channel_ = nullptr;
  int status_;
  std::list<Socket> sockets_;
  TaskGroup group_;
};

Resolver::Resolver(Loop& loop, ResolverOptions options) : loop_(loop), options_(std::move(options)) {}
Resolver::~Resolver() = default;

Task<Result<std::vector<IpAddress>>> Resolver::lookup(std::string host, Family family) {
  if (is_localhost(host)) {
    std::array<std::uint8_t, 16> loopback{};
    loopback[15] = 1;
    co_return std::vector{family == Family::v4 ? IpAddress::v4({127, 0, 0, 1}) : IpAddress::v6(loopback)};
  }
  auto failed = [&host](Cause cause, std::string_view why) {
    return fail(cause, "lookup " + host + ": " + std::string(why));
  };
  if (!is_possible_name(host)) co_return failed(Cause::host_unreachable, "no such host");
  if (!channel_) channel_ = std::make_unique<Channel>(loop_, options_);
  if (channel_->status() != ARES_SUCCESS) co_return failed(Cause::other, ares_strerror(channel_->status()));

  auto query = std::make_shared<Query>();
  channel_->ask(host, family, query);
  if (Outcome outcome = co_await UntilAnswered(*query); outcome != Outcome::ready)
    co_return fail(stop_error(outcome).in("lookup " + host));
  switch (query->status) {
  case ARES_SUCCESS:
    if (!query->addresses.empty()) co_return std::move(query->addresses);
    [[fallthrough]];
  case ARES_ENODATA:
  case ARES_ENOTFOUND:
  case ARES_EBADNAME: co_return failed(Cause::host_unreachable, "no such host");
  case ARES_ETIMEOUT: co_return failed(Cause::timeout, "i/o timeout");
  default: co_return failed(Cause::host_unreachable, to_lower(ares_strerror(query->status)));
  }
}

Task<> Resolver::close() {
  if (!channel_) co_return;
  co_await channel_->close();
  channel_.reset();
}

}  // namespace gost
