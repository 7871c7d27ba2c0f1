#include "policy/dns_message.hpp"

#include <ares.h>
#include <ares_dns.h>
#include <arpa/nameser.h>

#include <algorithm>
#include <array>
#include <memory>

namespace gost {

namespace {

constexpr std::size_t kHeader = 12;
/// What fits into one packet nearly everywhere (DNS flag day 2020).
constexpr int kUdpSize = 1232;
/// More addresses of one name than that are not looked at.
constexpr int kMaxAddresses = 64;
constexpr std::uint16_t kClientSubnet = 8;  // the option's code

/// What cannot be a host name must not reach c-ares: it reads up to the first NUL, and takes '\' as an escape.
bool is_possible_name(std::string_view name) {
  auto is_bad = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '\\'; };
  return !name.empty() && name.size() <= 253 && std::ranges::none_of(name, is_bad);
}

std::uint16_t u16_at(Bytes bytes, std::size_t position) {
  return static_cast<std::uint16_t>(bytes[position] << 8 | bytes[position + 1]);
}

void append_u16(std::vector<std::uint8_t>& to, std::size_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

/// Puts the client subnet into the OPT record with which the query ends; so far it has no data.
void append_client_subnet(std::vector<std::uint8_t>& query, const IpAddress& client) {
  std::size_t prefix = client.is_v4() ? 24 : 56;
  std::size_t data = 4 + prefix / 8;
  query.resize(query.size() - 2);  // the record's length
  append_u16(query, 4 + data);
  append_u16(query, kClientSubnet);
  append_u16(query, data);
  append_u16(query, client.is_v4() ? 1 : 2);
  query.push_back(static_cast<std::uint8_t>(prefix));
  query.push_back(0);
  Bytes address = client.bytes().first(prefix / 8);
  query.insert(query.end(), address.begin(), address.end());
}

/// The size of the question's name, type and class in a query that we made.
std::size_t question_size(Bytes query) {
  std::size_t at = kHeader;
  while (query[at] != 0) at += std::size_t{1} + query[at];
  return at + 5 - kHeader;
}

std::uint8_t lower(std::uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte + 0x20) : byte;
}

/// True if `message` has the id and the question of `query`. No length of a label looks like a letter.
bool belongs(Bytes query, Bytes message) {
  std::size_t size = question_size(query);
  if (message.size() < kHeader + size) return false;
  bool is_response = (message[2] & 0x80) != 0;
  if (!is_response || u16_at(message, 0) != u16_at(query, 0) || u16_at(message, 4) != 1) return false;
  return std::ranges::equal(query.subspan(kHeader, size), message.subspan(kHeader, size), {}, &lower, &lower);
}

struct Records {
  int status = ARES_EBADRESP;
  std::vector<IpAddress> addresses;
  std::uint32_t ttl = 0;
};

void add(Records& records, const IpAddress& ip, int ttl) {
  auto seconds = static_cast<std::uint32_t>(std::max(ttl, 0));
  records.ttl = records.addresses.empty() ? seconds : std::min(records.ttl, seconds);
  records.addresses.push_back(ip);
}

Records read_a(Bytes message) {
  std::array<ares_addrttl, kMaxAddresses> found;
  int count = kMaxAddresses;
  Records records;
  records.status =
      ares_parse_a_reply(message.data(), static_cast<int>(message.size()), nullptr, found.data(), &count);
  for (int i = 0; records.status == ARES_SUCCESS && i < count; ++i) {
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &found[static_cast<std::size_t>(i)].ipaddr, bytes.size());
    add(records, IpAddress::v4(bytes), found[static_cast<std::size_t>(i)].ttl);
  }
  return records;
}

Records read_aaaa(Bytes message) {
  std::array<ares_addr6ttl, kMaxAddresses> found;
  int count = kMaxAddresses;
  Records records;
  records.status =
      ares_parse_aaaa_reply(message.data(), static_cast<int>(message.size()), nullptr, found.data(), &count);
  for (int i = 0; records.status == ARES_SUCCESS && i < count; ++i) {
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &found[static_cast<std::size_t>(i)].ip6addr, bytes.size());
    add(records, IpAddress::v6(bytes), found[static_cast<std::size_t>(i)].ttl);
  }
  return records;
}

std::string reason_of(unsigned code) {
  constexpr std::array<std::string_view, 6> kReasons{"no error",     "format error",    "server failure",
                                                     "no such name", "not implemented", "query refused"};
  return code < kReasons.size() ? std::string(kReasons[code]) : "answer code " + std::to_string(code);
}

DnsAnswer failed(std::string reason) {
  DnsAnswer answer;
  answer.reason = std::move(reason);
  return answer;
}

}  // namespace

Result<std::vector<std::uint8_t>> encode_dns_query(const DnsQuestion& question) {
  if (!is_possible_name(question.name))
    return fail(Cause::host_unreachable, "lookup " + question.name + ": no such host");
  unsigned char* made = nullptr;
  int size = 0;
  int status = ares_create_query(question.name.c_str(), ns_c_in, static_cast<int>(question.type), question.id, 1,
                                 &made, &size, kUdpSize);
  std::unique_ptr<unsigned char, decltype(&ares_free_string)> owner(made, [](void* text) { ares_free_string(text); });
  if (status != ARES_SUCCESS) return fail(Cause::host_unreachable, "lookup " + question.name + ": no such host");
  std::vector<std::uint8_t> query(made, made + size);
  if (question.client) append_client_subnet(query, question.client->unmapped());
  return query;
}

std::optional<DnsAnswer> decode_dns_answer(Bytes query, Bytes message) {
  if (!belongs(query, message)) return std::nullopt;
  bool truncated = (message[2] & 0x02) != 0;
  if (truncated) return DnsAnswer{.status = DnsAnswer::Status::truncated};
  unsigned code = message[3] & 0x0f;
  constexpr unsigned kNoError = 0;
  constexpr unsigned kNoSuchName = 3;
  if (code == kNoSuchName) return DnsAnswer{.status = DnsAnswer::Status::no_addresses};
  if (code != kNoError) return failed(reason_of(code));
  bool four = u16_at(query, kHeader + question_size(query) - 4) == static_cast<std::uint16_t>(DnsType::a);
  Records records = four ? read_a(message) : read_aaaa(message);
  if (records.status == ARES_ENODATA || (records.status == ARES_SUCCESS && records.addresses.empty()))
    return DnsAnswer{.status = DnsAnswer::Status::no_addresses};
  if (records.status != ARES_SUCCESS) return failed("malformed answer");
  return DnsAnswer{DnsAnswer::Status::found, std::move(records.addresses), records.ttl, {}};
}

}  // namespace gost
