#include "core/base64.hpp"

#include <cstdint>

namespace gost {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int digit_value(char c) {
  if (c == '-') c = '+';
  if (c == '_') c = '/';
  std::size_t at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::unexpected<Error> illegal(std::size_t at) {
  return fail(Cause::invalid, "illegal base64 data at input byte " + std::to_string(at));
}

}  // namespace

std::string base64_encode(Bytes bytes) {
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) result += k <= count ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
  }
  return result;
}

Result<std::string> base64_decode(std::string_view text) {
  std::size_t length = text.size();
  if (length % 4 == 0)
    for (int pad = 0; pad < 2 && length > 0 && text[length - 1] == '='; ++pad) --length;
  if (length % 4 == 1) return illegal(length);
  std::string result;
  std::uint32_t bits = 0;
  int held = 0;
  for (std::size_t i = 0; i < length; ++i) {
    int value = digit_value(text[i]);
    if (value < 0) return illegal(i);
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      result += static_cast<char>(bits >> held & 0xff);
    }
  }
  return result;
}

}  // namespace gost
