// What every decoder of a message promises, whatever the bytes and however they are split.
#pragma once

#include "expect.hpp"

#include "core/bytes.hpp"
#include "core/decode.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace gost::fuzz {

/// Decodes a copy of exactly these bytes, so that reading beyond them is seen.
template <class Function>
auto decode_copy(Function decode, Bytes bytes) {
  std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  return decode(copy);
}

/// Feeds `decode` byte by byte: it never asks for more than the message has, and what it finds in the shortest prefix
/// it also finds in all the bytes. Returns the message, if there is one.
template <class Function>
auto decode_checked(Function decode, Bytes bytes)
    -> std::optional<std::variant_alternative_t<0, decltype(decode(bytes))>> {
  auto whole = decode_copy(decode, bytes);
  std::size_t asked = 0;
  for (std::size_t have = 0; have <= bytes.size(); ++have) {
    auto part = decode_copy(decode, bytes.first(have));
    if (auto* more = std::get_if<NeedMore>(&part)) {
      expect(more->bytes > 0, "NeedMore asks for something");
      asked = std::max(asked, have + more->bytes);
      continue;
    }
    expect(part.index() == whole.index(), "all bytes decode as the shortest prefix does");
    if (auto* error = std::get_if<Error>(&part)) {
      expect(error->text == std::get<Error>(whole).text, "the error does not depend on the split");
      return {};
    }
    expect(std::get<0>(part) == std::get<0>(whole), "the message does not depend on the split");
    expect(asked <= have, "NeedMore never asks beyond the end of the message");
    return std::get<0>(part);
  }
  expect(std::holds_alternative<NeedMore>(whole), "an unfinished message needs more");
  return {};
}

/// Decodes what was encoded; it must be one message and nothing else.
template <class Function>
auto decode_again(Function decode, Bytes bytes) {
  auto message = decode_checked(decode, bytes);
  expect(message.has_value(), "what is encoded can be decoded");
  expect(bytes.empty() || std::holds_alternative<NeedMore>(decode(bytes.first(bytes.size() - 1))),
         "what is encoded is one message");
  return *message;
}

}  // namespace gost::fuzz
