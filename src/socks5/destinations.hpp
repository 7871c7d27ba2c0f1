// Destinations: where the datagrams of one association or tunnel may go, and what has to wait for a name.
#pragma once

#include "component/router.hpp"
#include "component/session.hpp"
#include "net/datagram.hpp"
#include "runtime/task_group.hpp"
#include "socks5/drops.hpp"
#include "socks5/udp_codec.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gost::socks5 {

/// Asks the rules, and turns names into addresses where the way out does not take names. What it decided last is
/// remembered for a second, so that a flow costs a comparison per datagram. Names are looked up once and remembered
/// for a minute (those that do not exist for 5 s); datagrams for a name that is being looked up wait. All of it is
/// bounded: 64 names, 8 lookups at a time, 16 datagrams and 64 KiB that wait; what is beyond is dropped and counted.
class Destinations {
 public:
  /// `outbound` is where the datagrams that had to wait are sent; lookups run in `group`. Everything must outlive the
  /// group's join.
  Destinations(Session& session, const Router& router, Datagram& outbound, TaskGroup& group, Drops& drops)
      : session_(session),
        router_(router),
        outbound_(outbound),
        group_(group),
        drops_(drops),
        takes_names_(outbound.takes_names()) {}

  /// Where to send a datagram for `to` now. Nothing if it was dropped (forbidden, port 0, no such host; counted), or
  /// if it waits and is sent later; then its payload was copied. The name in the result is the one in `to`.
  std::optional<DatagramAddress> route(const DatagramAddress& to, Bytes payload);

 private:
  enum class Verdict : std::uint8_t { send, wait, drop };
  struct Decision {
    Verdict verdict = Verdict::drop;
    SocketAddress peer;
    TimePoint until{};
  };
  struct Name {
    std::string text;
    bool looking = true;
    std::optional<IpAddress> ip;  ///< nothing: it does not exist
    TimePoint until{};
  };
  struct Held {
    std::string name;
    std::uint16_t port;
    std::vector<std::uint8_t> payload;
  };

  TimePoint now() const { return session_.io.loop.now(); }
  bool decided(const DatagramAddress& to) const;
  Decision decide(const DatagramAddress& to);
  Decision decide_name(const DatagramAddress& to);
  Name* find(std::string_view text);
  /// A place for a further name; the one that would be forgotten first gives way.
  void remember(Name name);
  void hold(const DatagramAddress& to, Bytes payload);
  Task<> look_up(std::string text);
  void found(const std::string& text, const Result<IpAddress>& ip);
  void release(const std::string& text, const std::optional<IpAddress>& ip);

  Session& session_;
  const Router& router_;
  Datagram& outbound_;
  TaskGroup& group_;
  Drops& drops_;
  const bool takes_names_;

  SocketAddress last_peer_;
  std::string last_name_;
  Decision last_;
  std::size_t looking_ = 0;
  std::vector<Name> names_;
  std::vector<Held> held_;
  std::size_t held_bytes_ = 0;
};

}  // namespace gost::socks5
