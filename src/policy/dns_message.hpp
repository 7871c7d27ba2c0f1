// Questions to name servers and their answers (RFC 1035), as far as addresses of names need them. No I/O.
#pragma once

#include "core/address.hpp"
#include "core/bytes.hpp"
#include "core/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gost {

enum class DnsType : std::uint16_t { a = 1, aaaa = 28 };

/// The longest message of DNS over TCP.
inline constexpr std::size_t kMaxDnsMessage = 65535;

struct DnsQuestion {
  std::string name;
  DnsType type = DnsType::a;
  std::uint16_t id = 0;
  /// EDNS client subnet (RFC 7871): the /24 or /56 of this address is told to the name server.
  std::optional<IpAddress> client;
};

/// The message that asks for `question`, with EDNS (RFC 6891). Errors: Cause::host_unreachable, the name cannot be
/// one.
Result<std::vector<std::uint8_t>> encode_dns_query(const DnsQuestion& question);

struct DnsAnswer {
  enum class Status : std::uint8_t {
    found,         ///< `addresses` are there
    no_addresses,  ///< the name does not exist, or has none of this type
    truncated,     ///< ask again over TCP
    failed,        ///< the server cannot or does not want to answer: `reason`
  };
  Status status = Status::failed;
  std::vector<IpAddress> addresses;
  std::uint32_t ttl = 0;  ///< the smallest of the answer, in seconds
  std::string reason;     ///< "server failure", "query refused", …
};

/// Reads `message` as the answer to `query`. Nothing if it is none: another id or question, or itself a query; then
/// the right one may still come.
std::optional<DnsAnswer> decode_dns_answer(Bytes query, Bytes message);

}  // namespace gost
