#include "config/value.hpp"

#include "core/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace gost::config {

namespace {

/// Follows the parser through the text, because its events carry no positions: each event is the next token.
class TokenFinder {
 public:
  TokenFinder(std::string_view text, std::shared_ptr<const std::string> source)
      : text_(text), source_(std::move(source)) {}

  /// The origin of the next token, which is skipped.
  Origin next() {
    while (at_ < text_.size() && std::string_view(" \t\r\n,:").contains(text_[at_])) step();
    Origin origin{source_, line_, column_};
    if (at_ == text_.size()) return origin;
    char first = text_[at_];
    step();
    if (first == '"') {
      while (at_ < text_.size() && text_[at_] != '"') {
        if (text_[at_] == '\\') step();
        step();
      }
      step();
    } else if (!std::string_view("{}[]").contains(first)) {
      while (at_ < text_.size() && !std::string_view(" \t\r\n,:{}[]").contains(text_[at_])) step();
    }
    return origin;
  }

  Origin at_offset(std::size_t offset) {
    at_ = 0;
    line_ = column_ = 1;
    while (at_ < std::min(offset, text_.size())) step();
    return {source_, line_, column_};
  }

 private:
  void step() {
    if (at_ >= text_.size()) return;
    bool newline = text_[at_++] == '\n';
    line_ += newline ? 1 : 0;
    column_ = newline ? 1 : column_ + 1;
  }

  std::string_view text_;
  std::shared_ptr<const std::string> source_;
  std::size_t at_ = 0;
  unsigned line_ = 1;
  unsigned column_ = 1;
};

/// Builds the tree from the parser's events; a `false` return stops the parser, with the reason in `error()`.
class TreeBuilder {
 public:
  using number_integer_t = std::int64_t;
  using number_unsigned_t = std::uint64_t;
  using number_float_t = double;
  using string_t = std::string;
  using binary_t = nlohmann::json::binary_t;

  TreeBuilder(std::string_view text, std::shared_ptr<const std::string> source, const ReadLimits& limits)
      : finder_(text, std::move(source)), limits_(limits) {}

  Value take() { return std::move(root_); }
  const std::string& error() const { return error_; }

  bool null() { return finish(Value(std::monostate{}, finder_.next())); }
  bool boolean(bool value) { return finish(Value(value, finder_.next())); }
  bool number_integer(std::int64_t value) { return finish(Value(value, finder_.next())); }
  bool number_unsigned(std::uint64_t value) {
    constexpr std::uint64_t kLargest = INT64_MAX;
    Origin origin = finder_.next();
    if (value > kLargest) return finish(Value(static_cast<double>(value), origin));
    return finish(Value(static_cast<std::int64_t>(value), origin));
  }
  bool number_float(double value, const std::string& spelling) {
    Value number(value, finder_.next());
    number.spelling = spelling;
    return finish(std::move(number));
  }
  bool string(std::string& value) { return finish(Value(std::move(value), finder_.next())); }
  bool binary(binary_t&) { return false; }

  bool start_object(std::size_t) { return open(Value(Value::Map{}, finder_.next())); }
  bool start_array(std::size_t) { return open(Value(Value::List{}, finder_.next())); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& value) {
    Frame& frame = stack_.back();
    frame.key = std::move(value);
    frame.key_origin = finder_.next();
    if (frame.key.size() > limits_.key_bytes)
      return refuse(frame.key_origin, fmt::format("a key is longer than {} bytes", limits_.key_bytes));
    if (frame.value.map()->size() >= limits_.map_keys)
      return refuse(frame.key_origin, fmt::format("more than {} keys in one map", limits_.map_keys));
    for (const Member& member : *frame.value.map())
      if (iequals(member.key, frame.key))
        return refuse(frame.key_origin,
                      fmt::format("key \"{}\" already defined at line {}", frame.key, member.origin.line));
    return true;
  }

  bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception& error) {
    std::string_view reason = error.what();
    if (std::size_t colon = reason.find(": "); colon != std::string_view::npos) reason.remove_prefix(colon + 2);
    bool at_end = token == "<end of input>" || reason.contains("unexpected end of input");
    return refuse(finder_.at_offset(position == 0 ? 0 : position - 1),
                  at_end ? std::string("json: the text ends too early") : fmt::format("json: {}", reason));
  }

 private:
  struct Frame {
    Value value;
    std::string key;
    Origin key_origin;
  };

  bool refuse(const Origin& origin, std::string_view text) {
    error_ = fmt::format("{}: {}", origin.to_string(), text);
    return false;
  }

  bool open(Value value) {
    if (stack_.size() >= limits_.depth)
      return refuse(value.origin, fmt::format("values nested more than {} deep", limits_.depth));
    stack_.push_back({std::move(value), {}, {}});
    return true;
  }

  bool close() {
    finder_.next();
    Value value = std::move(stack_.back().value);
    stack_.pop_back();
    return finish(std::move(value));
  }

  bool finish(Value value) {
    if (++values_ > limits_.values) return refuse(value.origin, fmt::format("more than {} values", limits_.values));
    if (stack_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Frame& frame = stack_.back();
    if (auto* items = std::get_if<Value::List>(&frame.value.data))
      items->push_back(std::move(value));
    else
      std::get<Value::Map>(frame.value.data).push_back({std::move(frame.key), std::move(value), frame.key_origin});
    return true;
  }

  TokenFinder finder_;
  const ReadLimits& limits_;
  std::vector<Frame> stack_;
  std::size_t values_ = 0;
  std::string error_;
  Value root_;
};

}  // namespace

Result<Value> parse_json(std::string_view text, const std::string& source, const ReadLimits& limits) {
  if (text.size() > limits.bytes)
    return fail(Cause::invalid, fmt::format("{}: larger than {} bytes", source, limits.bytes));
  TreeBuilder builder(text, std::make_shared<const std::string>(source), limits);
  try {
    if (nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return builder.take();
  } catch (const nlohmann::json::exception& error) {
    return fail(Cause::invalid, fmt::format("{}: json: {}", source, error.what()));
  }
  return fail(Cause::invalid, builder.error());
}

}  // namespace gost::config
