#include "config/lower.hpp"
#include "config/utf8.hpp"
#include "config/yaml_scalar.hpp"

#include "core/base64.hpp"

#include <fmt/format.h>

#include <array>

namespace gost::config {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/// What yaml.v3 prints unescaped.
bool is_printable(char32_t c) {
  if (c == '\n' || (c >= 0x20 && c <= 0x7e)) return true;
  bool in_plane_zero = (c >= 0xa0 && c < 0xd800) || (c >= 0xe000 && c < 0xfffe && c != 0xfeff);
  return in_plane_zero && c != 0x2028 && c != 0x2029;
}

/// Which ways of writing a text keep it the same text.
struct Styles {
  bool plain = true, single_quoted = true, literal = true;
};

bool has_indicator(std::string_view text) {
  if (text.starts_with("---") || text.starts_with("...")) return true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool blank_follows = i + 1 == text.size() || is_blank(text[i + 1]);
    bool blank_before = i == 0 || is_blank(text[i - 1]) || text[i - 1] == '\n';
    if (i == 0 && std::string_view("#,[]{}&*!|>'\"%@`").contains(text[i])) return true;
    if (i == 0 && (text[i] == '?' || text[i] == '-') && blank_follows) return true;
    if (text[i] == ':' && blank_follows) return true;
    if (text[i] == '#' && blank_before) return true;
  }
  return false;
}

Styles allowed_styles(std::string_view text) {
  Styles styles;
  if (text.empty()) return {true, true, false};
  if (has_indicator(text)) styles.plain = false;
  if (std::string_view(" \n").contains(text.front()) || std::string_view(" \n").contains(text.back()))
    styles.plain = false;
  if (text.contains('\n')) styles.plain = false;
  if (text.back() == ' ') styles.literal = false;
  if (text.contains("\n ")) styles.plain = styles.single_quoted = false;
  bool special = false;
  for (Utf8Reader reader(text); auto c = reader.next();) special = special || (*c != '\t' && !is_printable(*c));
  if (text.contains(" \n") || special) styles = {false, false, false};
  if (text.contains('\t')) styles.plain = styles.single_quoted = false;
  return styles;
}

std::string single_quoted(std::string_view text) {
  std::string result = "'";
  for (char c : text) result += c == '\'' ? std::string("''") : std::string(1, c);
  return result + "'";
}

std::string escaped(char32_t c) {
  constexpr std::array<std::pair<char32_t, std::string_view>, 15> kShort{{{0, "\\0"},
                                                                          {7, "\\a"},
                                                                          {8, "\\b"},
                                                                          {9, "\\t"},
                                                                          {10, "\\n"},
                                                                          {11, "\\v"},
                                                                          {12, "\\f"},
                                                                          {13, "\\r"},
                                                                          {27, "\\e"},
                                                                          {'"', "\\\""},
                                                                          {'\\', "\\\\"},
                                                                          {0x85, "\\N"},
                                                                          {0xa0, "\\_"},
                                                                          {0x2028, "\\L"},
                                                                          {0x2029, "\\P"}}};
  for (const auto& [code, text] : kShort)
    if (code == c) return std::string(text);
  auto number = static_cast<std::uint32_t>(c);
  if (c <= 0xff) return fmt::format("\\x{:02X}", number);
  if (c <= 0xffff) return fmt::format("\\u{:04X}", number);
  return fmt::format("\\U{:08X}", number);
}

std::string double_quoted(std::string_view text) {
  std::string result = "\"";
  Utf8Reader reader(text);
  for (;;) {
    std::size_t from = reader.position();
    auto c = reader.next();
    if (!c) return result + "\"";
    bool as_it_is = is_printable(*c) && *c != '\n' && *c != '"' && *c != '\\';
    result += as_it_is ? std::string(text.substr(from, reader.position() - from)) : escaped(*c);
  }
}

/// A block scalar: "|", the hints, and the lines at `indent`.
std::string literal(std::string_view text, std::size_t indent) {
  std::string result = "|";
  if (text.front() == ' ' || text.front() == '\n') result += '2';
  if (text.back() != '\n') result += '-';
  if (text == "\n" || text.ends_with("\n\n")) result += '+';
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    result += '\n';
    if (!line.empty()) result += std::string(indent, ' ').append(line);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return result;
}

/// A text where it may stand as a key or a value; `indent` is where a block scalar's lines would begin.
std::string scalar_text(std::string_view text, std::size_t indent, bool is_key) {
  if (!is_utf8(text)) return "!!binary " + base64_encode(as_bytes(text));
  Styles styles = allowed_styles(text);
  if (text.contains('\n')) return styles.literal && !is_key ? literal(text, indent) : double_quoted(text);
  if (needs_quotes(text)) return double_quoted(text);
  if (styles.plain) return std::string(text);
  return styles.single_quoted ? single_quoted(text) : double_quoted(text);
}

class YamlWriter {
 public:
  std::string take() { return std::move(text_); }

  /// The members of a map, the first one at the current position, the others at `indent`.
  void map(const Value::Map& members, std::size_t indent) {
    bool first = true;
    for (const Member& member : members) {
      if (!first) text_.append(indent, ' ');
      first = false;
      text_ += scalar_text(member.key, 0, true) + ":";
      if (is_block(member.value)) {
        text_ += '\n';
        text_.append(indent + 2, ' ');
        block(member.value, indent + 2);
      } else {
        text_ += ' ';
        inline_value(member.value, indent + 2);
      }
    }
  }

 private:
  static bool is_block(const Value& value) {
    if (const auto* items = value.list()) return !items->empty();
    if (const auto* members = value.map()) return !members->empty();
    return false;
  }

  void block(const Value& value, std::size_t indent) {
    if (const auto* members = value.map()) return map(*members, indent);
    bool first = true;
    for (const Value& item : *value.list()) {
      if (!first) text_.append(indent, ' ');
      first = false;
      text_ += "- ";
      if (is_block(item))
        block(item, indent + 2);
      else
        inline_value(item, indent + 2);
    }
  }

  void inline_value(const Value& value, std::size_t indent) {
    if (value.is_null())
      text_ += "null";
    else if (value.list() != nullptr)
      text_ += "[]";
    else if (value.map() != nullptr)
      text_ += "{}";
    else if (const auto* text = value.string())
      text_ += scalar_text(*text, indent, false);
    else if (const auto* flag = value.boolean())
      text_ += *flag ? "true" : "false";
    else if (const auto* real = value.real())
      text_ += go_float(*real);
    else
      text_ += std::to_string(*value.integer());
    text_ += '\n';
  }

  std::string text_;
};

}  // namespace

std::string yaml_text(const Value& value) {
  YamlWriter writer;
  writer.map(*value.map(), 0);
  return writer.take();
}

}  // namespace gost::config
