// TLS handshake rate: connect, handshake, one SOCKS5 greeting and its answer, close; full handshakes or resumed ones.
#include "load/modes.hpp"
#include "load/report.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace gost::load {
namespace {

template <auto free>
struct Freeing {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using Context = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Freeing<SSL_free>>;
using TlsSession = std::unique_ptr<SSL_SESSION, Freeing<SSL_SESSION_free>>;

int connect_to(const SocketAddress& proxy) {
  sockaddr_storage storage{};
  const socklen_t size = proxy.to_native(storage);
  const int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&storage), size) == 0) return fd;
  close(fd);
  return -1;
}

/// Clients that do one blocking handshake after the other, each on a thread of its own.
class Handshakes {
 public:
  explicit Handshakes(const Run& run) : run_(run) {}

  nlohmann::ordered_json measure() {
    const auto& options = run_.options;
    Measurement result;
    result.before = measure_trees(options.server_pids);
    const auto begin = std::chrono::steady_clock::now();
    {
      std::vector<std::jthread> clients;
      for (std::uint32_t i = 0; i < std::min(options.concurrency, options.connections); ++i)
        clients.emplace_back([this] { visit(); });
    }
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    result.completed = completed_;
    result.after = measure_trees(options.server_pids);
    auto report = make_report(options, result, run_.client, run_.sink.pid());
    report["resumed"] = resumed_.load();
    if (failed_ > 0) report["errors"]["handshakes that failed"] = failed_.load();
    return report;
  }

 private:
  void visit() {
    const Context context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    TlsSession session;
    while (started_++ < run_.options.connections && std::chrono::steady_clock::now() < run_.deadline) {
      const bool done = handshake(*context, session);
      ++(done ? completed_ : failed_);
    }
  }

  bool handshake(SSL_CTX& context, TlsSession& session) {
    const int fd = connect_to(run_.options.proxy);
    if (fd < 0) return false;
    const Connection ssl(SSL_new(&context));
    SSL_set_fd(ssl.get(), fd);
    if (run_.options.resume && session) SSL_set_session(ssl.get(), session.get());
    constexpr std::array<unsigned char, 3> greeting{5, 1, 0};
    std::array<unsigned char, 2> answer{};
    const bool done = SSL_connect(ssl.get()) == 1 && SSL_write(ssl.get(), greeting.data(), greeting.size()) == 3 &&
                      SSL_read(ssl.get(), answer.data(), answer.size()) == 2;
    if (done && SSL_session_reused(ssl.get()) == 1) ++resumed_;
    session.reset(SSL_get1_session(ssl.get()));
    if (done) SSL_shutdown(ssl.get());
    close(fd);
    return done;
  }

  const Run& run_;
  std::atomic<std::uint32_t> started_{0};
  std::atomic<std::uint32_t> completed_{0};
  std::atomic<std::uint32_t> failed_{0};
  std::atomic<std::uint32_t> resumed_{0};
};

}  // namespace

nlohmann::ordered_json run_tls_handshake(const Run& run) {
  return Handshakes(run).measure();
}

}  // namespace gost::load
