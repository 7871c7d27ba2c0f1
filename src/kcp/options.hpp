// What can be configured of KCP, and what follows from it (wire.md §12.9).
#pragma once

#include "core/duration.hpp"
#include "core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gost::kcp {

/// The key of a GOST without options, and the one that its documentation promises. Both are public.
inline constexpr std::string_view kEmptyKey;
inline constexpr std::string_view kDocumentedKey = "it's a secrect";

/// How eagerly KCP sends again.
struct Pace {
  bool nodelay = false;        ///< the shortest retransmission timeout is 30 ms instead of 100 ms
  std::int64_t interval = 50;  ///< ms between two looks at what to send, 10 to 5000
  std::int64_t resend = 0;     ///< later acknowledgements that mean a loss; 0: only time does
  bool no_congestion = false;  ///< send as much as the windows allow, whatever gets lost
  friend bool operator==(const Pace&, const Pace&) = default;
};

/// The pace of `mode`: normal, fast, fast2, fast3; nothing for any other (that is "manual").
std::optional<Pace> pace_of(std::string_view mode);

/// What must be the same at both ends (key, crypt, nocomp, smuxver) has the value of a GOST without options; what
/// need not be, the value that GOST's documentation promises.
struct Options {
  /// Texts from which the ciphers' keys are derived, at least one. A dialer uses the first. A listener accepts
  /// sessions with each of them.
  std::vector<std::string> keys{std::string(kEmptyKey)};
  bool key_is_public = true;  ///< no key was configured, or a public one: worth a warning
  std::string crypt = "aes";
  bool nocomp = false;       ///< no snappy
  std::int64_t smuxver = 1;  ///< 1 or 2

  std::string mode = "fast";
  Pace manual;                         ///< the pace if `mode` is none of pace_of()
  std::int64_t mtu = 1350;             ///< bytes of UDP payload, at most kMaxPacket
  std::int64_t sndwnd = 1024;          ///< segments on the way
  std::int64_t rcvwnd = 1024;          ///< segments that wait for a reader
  std::int64_t datashard = 10;         ///< packets of a group; 0: no error correction
  std::int64_t parityshard = 3;        ///< parity packets for each group; 0: no error correction
  bool acknodelay = false;             ///< acknowledge at once rather than with the next flush
  std::int64_t dscp = 0;               ///< 0: not set
  std::int64_t sockbuf = 4'194'304;    ///< bytes, of the UDP socket in each direction
  std::int64_t smuxbuf = 4'194'304;    ///< bytes that all streams of a session have unread
  std::int64_t streambuf = 2'097'152;  ///< smux 2: bytes that one stream has unread
  Duration keepalive = std::chrono::seconds(10);
  Duration peer_timeout = std::chrono::seconds(30);  ///< unacknowledged for so long: the peer is gone
  std::int64_t max_sessions = 4096;                  ///< of a listener
  std::int64_t max_sessions_per_host = 256;          ///< of one IP address

  /// What is in effect: of the mode, or `manual`.
  Pace pace() const { return pace_of(mode).value_or(manual); }
  bool fec() const { return datashard > 0 && parityshard > 0; }
  /// Bytes in front of KCP's segments in every packet: crypt header and, with FEC, its header.
  std::size_t headroom() const;
  /// Bytes of payload in one segment: mtu less headroom and KCP's header.
  std::size_t mss() const;
};

/// Errors (Cause::invalid) name the option ("kcp.mtu is 20, but …") and say what it may be. What passes here is safe
/// to build ReedSolomon, FecEncoder and the rest with.
Result<> validate(const Options& options);

}  // namespace gost::kcp
