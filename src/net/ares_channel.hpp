// A c-ares channel on a Loop: its sockets are watched, its timeouts run on the loop's timers, and c-ares is never
// entered from one of its own callbacks.
#pragma once

#include "core/address.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"
#include "runtime/task_group.hpp"

#include <ares.h>

#include <list>
#include <memory>
#include <string>
#include <vector>

namespace gost {

enum class Family : std::uint8_t { v4, v6 };

struct ResolverOptions {
  std::string servers;                         ///< c-ares' form "127.0.0.1:5353,…"; empty: the system's
  Duration timeout = std::chrono::seconds(5);  ///< for one query to one server
  int tries = 2;
};

class AresChannel : private Timer {
 public:
  AresChannel(Loop& loop, const ResolverOptions& options);
  ~AresChannel();
  AresChannel(const AresChannel&) = delete;
  AresChannel& operator=(const AresChannel&) = delete;

  /// ARES_SUCCESS, or why the channel cannot be used.
  int status() const { return status_; }
  /// Lookups that c-ares has not answered yet, also those that nobody waits for any more.
  std::size_t pending() const { return pending_; }

  struct Answer {
    Outcome outcome = Outcome::ready;  ///< of the wait
    int status = ARES_SUCCESS;         ///< c-ares' own
    std::vector<IpAddress> addresses;
  };
  /// Asks for the addresses of `host` in one family.
  Task<Answer> lookup(std::string host, Family family);

  /// Answers every lookup with a failure and closes every socket. Must be awaited before the channel is destroyed, if
  /// it was ever asked.
  Task<> close();

 private:
  struct Query;
  struct Socket;
  class UntilAnswered;

  static void on_answer(void* argument, int status, int timeouts, ares_addrinfo* found);
  void on_socket(ares_socket_t fd, bool readable, bool writable);
  Task<> serve_reads(Socket& socket);
  Task<> serve_writes(Socket& socket);
  void leave(Socket& socket);
  void process(ares_socket_t readable, ares_socket_t writable);
  void rearm();

  Loop& loop_;
  ares_channel channel_ = nullptr;
  int status_ = ARES_SUCCESS;
  std::size_t pending_ = 0;
  std::list<Socket> sockets_;
  TaskGroup group_;
};

}  // namespace gost
