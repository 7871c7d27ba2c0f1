#include "config/utf8.hpp"

namespace gost::config {

namespace {

struct Shape {
  std::size_t length;
  unsigned first_bits;
  char32_t smallest;
};

std::optional<Shape> shape_of(unsigned char lead) {
  if (lead < 0x80) return Shape{1, lead, 0};
  if (lead >= 0xc2 && lead < 0xe0) return Shape{2, lead & 0x1fU, 0x80};
  if (lead >= 0xe0 && lead < 0xf0) return Shape{3, lead & 0x0fU, 0x800};
  if (lead >= 0xf0 && lead < 0xf5) return Shape{4, lead & 0x07U, 0x10000};
  return std::nullopt;
}

std::optional<char32_t> decode(std::string_view bytes, const Shape& shape) {
  if (bytes.size() < shape.length) return std::nullopt;
  auto code = static_cast<char32_t>(shape.first_bits);
  for (std::size_t i = 1; i < shape.length; ++i) {
    auto byte = static_cast<unsigned char>(bytes[i]);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    code = code << 6 | (byte & 0x3fU);
  }
  bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < shape.smallest || code > 0x10ffff || surrogate) return std::nullopt;
  return code;
}

}  // namespace

std::optional<char32_t> Utf8Reader::next() {
  if (at_ == text_.size()) return std::nullopt;
  if (auto shape = shape_of(static_cast<unsigned char>(text_[at_]))) {
    if (auto code = decode(text_.substr(at_), *shape)) {
      at_ += shape->length;
      return code;
    }
  }
  ok_ = false;
  ++at_;
  return U'\ufffd';
}

bool is_utf8(std::string_view text) {
  Utf8Reader reader(text);
  while (reader.next()) {
  }
  return reader.ok();
}

}  // namespace gost::config
