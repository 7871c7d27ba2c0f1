#include "kcp/options.hpp"

#include "kcp/fec.hpp"
#include "kcp/packet_crypt.hpp"
#include "kcp/reed_solomon.hpp"
#include "kcp/segment.hpp"

#include <limits>
#include <utility>

namespace gost::kcp {

namespace {

/// Less leaves hardly any room for payload.
constexpr std::int64_t kLeastMtu = 128;
/// More segments than anybody needs, and few enough for 32 bits of bytes.
constexpr std::int64_t kMostWindow = 65535;
/// Far from where KCP's clock of 32 bits takes a span for one of the past, and so long that it is no haste.
constexpr Duration kLeastPeerTimeout = std::chrono::seconds(1);
constexpr Duration kMostPeerTimeout = std::chrono::hours(24);
constexpr std::int64_t kMostBytes = std::numeric_limits<std::int32_t>::max();

struct Named {
  std::string_view name;
  Pace pace;
};
constexpr Named kModes[] = {
    {"normal", {.nodelay = false, .interval = 40, .resend = 2, .no_congestion = true}},
    {"fast", {.nodelay = false, .interval = 30, .resend = 2, .no_congestion = true}},
    {"fast2", {.nodelay = true, .interval = 20, .resend = 2, .no_congestion = true}},
    {"fast3", {.nodelay = true, .interval = 10, .resend = 2, .no_congestion = true}},
};

std::unexpected<Error> refuse(std::string_view option, std::int64_t value, std::string rule) {
  return fail(Cause::invalid,
              "kcp." + std::string(option) + " is " + std::to_string(value) + ", but must be " + std::move(rule));
}

Result<> between(std::string_view option, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return {};
  return refuse(option, value, "from " + std::to_string(least) + " to " + std::to_string(most));
}

Result<> validate_fec(const Options& options) {
  auto most = static_cast<std::int64_t>(ReedSolomon::kMostShards);
  if (auto good = between("datashard", options.datashard, 0, most); !good) return good;
  if (auto good = between("parityshard", options.parityshard, 0, most); !good) return good;
  if (options.datashard + options.parityshard > most)
    return refuse("parityshard", options.parityshard,
                  "at most " + std::to_string(most) + " together with kcp.datashard, which is " +
                      std::to_string(options.datashard));
  return {};
}

}  // namespace

std::optional<Pace> pace_of(std::string_view mode) {
  for (const Named& named : kModes)
    if (named.name == mode) return named.pace;
  return std::nullopt;
}

std::size_t Options::headroom() const {
  return kCryptHeader + (fec() ? kFecHeader : 0);
}

std::size_t Options::mss() const {
  return static_cast<std::size_t>(mtu) - headroom() - kSegmentHeader;
}

Result<> validate(const Options& options) {
  if (options.keys.empty()) return fail(Cause::invalid, "kcp.key: there is none");
  if (options.smuxver != 1 && options.smuxver != 2) return refuse("smuxver", options.smuxver, "1 or 2");
  struct Range {
    std::string_view option;
    std::int64_t value;
    std::int64_t least;
    std::int64_t most;
  };
  const Range ranges[] = {
      {"mtu", options.mtu, kLeastMtu, static_cast<std::int64_t>(kMaxPacket)},
      {"sndwnd", options.sndwnd, 1, kMostWindow},
      {"rcvwnd", options.rcvwnd, 1, kMostWindow},
      {"interval", options.manual.interval, 10, 5000},
      {"resend", options.manual.resend, 0, kMostWindow},
      {"dscp", options.dscp, 0, 63},
      {"sockbuf", options.sockbuf, 1, kMostBytes},
      {"smuxbuf", options.smuxbuf, 1, kMostBytes},
      {"streambuf", options.streambuf, 1, kMostBytes},
      {"maxSessions", options.max_sessions, 1, kMostBytes},
      {"maxSessionsPerHost", options.max_sessions_per_host, 1, kMostBytes},
  };
  for (const Range& range : ranges)
    if (auto good = between(range.option, range.value, range.least, range.most); !good) return good;
  if (auto good = validate_fec(options); !good) return good;
  if (options.streambuf > options.smuxbuf)
    return refuse("streambuf", options.streambuf, "at most kcp.smuxbuf, which is " + std::to_string(options.smuxbuf));
  if (options.keepalive <= Duration::zero()) return fail(Cause::invalid, "kcp.keepalive must be positive");
  if (options.peer_timeout < kLeastPeerTimeout || options.peer_timeout > kMostPeerTimeout) {
    return fail(Cause::invalid, "kcp.peerTimeout is " + to_string(options.peer_timeout) + ", but must be from " +
                                    to_string(kLeastPeerTimeout) + " to " + to_string(kMostPeerTimeout));
  }
  return {};
}

}  // namespace gost::kcp
