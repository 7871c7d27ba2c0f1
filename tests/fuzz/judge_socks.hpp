// What clients of SOCKS4 and SOCKS5 handlers may be answered, read without the help of the codecs.
#pragma once

#include "handler_session.hpp"

namespace gost::fuzz {

inline std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<std::uint8_t>(text[at]) : std::uint8_t{0};
}

/// The last answer of a server: nothing, a refusal of `size` bytes with one of the codes from `first` to `last` at
/// [1], or a success with the banner behind it.
inline Verdict judge_reply(std::string_view reply, std::string_view success, std::uint8_t first, std::uint8_t last) {
  if (reply.empty()) return {.well_formed = true};
  if (reply.starts_with(success)) return {.well_formed = reply.substr(success.size()) == kBanner, .granted = true};
  bool known = byte_at(reply, 1) >= first && byte_at(reply, 1) <= last;
  bool rest = reply.size() == success.size() && reply[0] == success[0] && reply.substr(2) == success.substr(2);
  return {.well_formed = known && rest};
}

inline Verdict judge_socks4(std::string_view sent, std::string_view received, bool) {
  Verdict verdict = judge_reply(received, std::string_view("\0\x5a\0\0\0\0\0\0", 8), 0x5b, 0x5d);
  if (!verdict.granted) return verdict;
  bool named = sent.substr(4, 3) == std::string_view("\0\0\0", 3) && sent[7] != 0;
  verdict.handshake = sent.find('\0', 8) + 1;
  if (named) verdict.handshake = sent.find('\0', verdict.handshake) + 1;
  return verdict;
}

inline Verdict judge_socks5(std::string_view sent, std::string_view received, bool authenticated) {
  if (received.empty() || received == "\x05\xff") return {.well_formed = true};
  if (!received.starts_with(authenticated ? std::string_view("\x05\x02", 2) : std::string_view("\x05\0", 2)))
    return {};
  received.remove_prefix(2);
  if (authenticated && (received.empty() || received == "\x01\x01")) return {.well_formed = true};
  if (authenticated) {
    if (!received.starts_with(std::string_view("\x01\0", 2))) return {};
    received.remove_prefix(2);
  }
  Verdict verdict = judge_reply(received, std::string_view("\x05\0\0\x01\0\0\0\0\0\0", 10), 1, 8);
  if (!verdict.granted) return verdict;
  std::size_t at = 2 + std::size_t{byte_at(sent, 1)};
  if (authenticated) at += 2 + std::size_t{byte_at(sent, at + 1)};
  if (authenticated) at += 1 + std::size_t{byte_at(sent, at)};
  std::uint8_t type = byte_at(sent, at + 3);
  verdict.handshake = at + 4 + 2 + (type == 1 ? 4 : type == 4 ? 16 : 1 + std::size_t{byte_at(sent, at + 4)});
  return verdict;
}

}  // namespace gost::fuzz
