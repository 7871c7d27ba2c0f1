#include "config/lower.hpp"
#include "config/utf8.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace gost::config {

namespace {

/// Go's encoding/json with HTML escaping, as its Encoder does by default.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  Utf8Reader reader(text);
  for (;;) {
    std::size_t from = reader.position();
    auto c = reader.next();
    if (!c) return result + "\"";
    switch (*c) {
    case '"': result += "\\\""; break;
    case '\\': result += "\\\\"; break;
    case '\b': result += "\\b"; break;
    case '\f': result += "\\f"; break;
    case '\n': result += "\\n"; break;
    case '\r': result += "\\r"; break;
    case '\t': result += "\\t"; break;
    default: {
      std::string_view bytes = text.substr(from, reader.position() - from);
      bool invalid = *c == 0xfffd && bytes.size() == 1;
      bool markup = *c == '<' || *c == '>' || *c == '&';
      if (*c < 0x20 || markup || *c == 0x2028 || *c == 0x2029 || invalid)
        result += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(*c));
      else
        result += bytes;
    }
    }
  }
}

/// Go's JSON numbers: plain notation between 1e-6 and 1e21. JSON has no infinity: null.
std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  std::array<char, 400> buffer{};
  double size = std::abs(value);
  bool scientific = size != 0 && (size < 1e-6 || size >= 1e21);
  auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                    scientific ? std::chars_format::scientific : std::chars_format::fixed);
  std::string text(buffer.data(), end);
  if (std::size_t zero = text.find("e-0"); scientific && zero != std::string::npos) text.erase(zero + 2, 1);
  return text;
}

void write(std::string& out, const Value& value, std::size_t indent);

template <class List, class Write>
void write_all(std::string& out, const List& list, char open, char close, std::size_t indent, Write write_one) {
  out += open;
  bool first = true;
  for (const auto& item : list) {
    out += first ? "\n" : ",\n";
    first = false;
    out.append(indent + 2, ' ');
    write_one(item);
  }
  if (!first) out.append("\n").append(indent, ' ');
  out += close;
}

void write(std::string& out, const Value& value, std::size_t indent) {
  if (const auto* items = value.list()) {
    write_all(out, *items, '[', ']', indent, [&](const Value& item) { write(out, item, indent + 2); });
  } else if (const auto* members = value.map()) {
    write_all(out, *members, '{', '}', indent, [&](const Member& member) {
      out += quoted(member.key) + ": ";
      write(out, member.value, indent + 2);
    });
  } else if (const auto* text = value.string()) {
    out += quoted(*text);
  } else if (const auto* flag = value.boolean()) {
    out += *flag ? "true" : "false";
  } else if (const auto* real = value.real()) {
    out += number(*real);
  } else if (const auto* integer = value.integer()) {
    out += std::to_string(*integer);
  } else {
    out += "null";
  }
}

}  // namespace

std::string json_text(const Value& value) {
  std::string out;
  write(out, value, 0);
  return out + "\n";
}

}  // namespace gost::config
