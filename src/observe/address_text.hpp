// AddressText: "1.2.3.4:80" in place, without an allocation, because every line of a connection has several of them.
#pragma once

#include "core/address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

namespace gost {

/// Holds the text of a socket address; the same as its to_string().
class AddressText {
 public:
  explicit AddressText(const SocketAddress& address) {
    if (address.ip().is_v4()) {
      char separator = '.';
      for (std::size_t i = 0; i < 4; ++i) {
        if (i == 3) separator = ':';
        append(address.ip().bytes()[i]);
        text_[size_++] = separator;
      }
      append(address.port());
    } else {
      std::string text = address.to_string();
      size_ = std::min(text.size(), text_.size());
      std::memcpy(text_.data(), text.data(), size_);
    }
  }
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  void append(unsigned number) {
    char* end = std::to_chars(text_.data() + size_, text_.data() + text_.size(), number).ptr;
    size_ = static_cast<std::size_t>(end - text_.data());
  }

  // Room for the longest form: [IPv6 in full%interface]:65535.
  std::array<char, 72> text_;
  std::size_t size_ = 0;
};

}  // namespace gost
