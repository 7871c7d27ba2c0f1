#include "config/value.hpp"
#include "config/yaml_scalar.hpp"

#include "core/base64.hpp"
#include "core/text.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>

namespace gost::config {

namespace {

/// What stops the reading; never leaves this file.
struct Refused {
  Origin origin;
  std::string text;
};

/// Builds the tree from the parser's events.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::shared_ptr<const std::string> source, const ReadLimits& limits)
      : source_(std::move(source)), limits_(limits) {}

  Value take() { return std::move(root_); }
  Origin at(const YAML::Mark& mark) const {
    if (mark.is_null()) return {source_, 1, 1};
    return {source_, static_cast<unsigned>(mark.line + 1), static_cast<unsigned>(mark.column + 1)};
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish(Value(std::monostate{}, at(mark)), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Refused{at(mark), "an alias refers to a value that contains it"};
    count(mark, found->second.size);
    Value copy = found->second.value;
    copy.origin = at(mark);
    finish(std::move(copy), 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    finish(scalar(mark, tag, text), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, Value(Value::List{}, at(mark)), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, Value(Value::Map{}, at(mark)), anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Value value;
    YAML::anchor_t anchor = 0;
    std::size_t values_before = 0;
    bool has_key = false;
    bool merges = false;  ///< the key is an unquoted "<<"
    std::string key;
    Origin key_origin;
    std::vector<Value> merged;  ///< what "<<" brought, to be added behind the map's own keys
  };
  struct Anchored {
    Value value;
    std::size_t size;
  };

  void count(const YAML::Mark& mark, std::size_t size) {
    values_ += size;
    if (values_ > limits_.values)
      throw Refused{at(mark),
                    fmt::format("more than {} values (aliases count as often as they are used)", limits_.values)};
  }

  Value scalar(const YAML::Mark& mark, const std::string& tag, const std::string& text) const {
    if (tag == "tag:yaml.org,2002:binary") {
      std::string packed(text);
      std::erase_if(packed, [](char c) { return c == ' ' || c == '\n'; });
      auto decoded = base64_decode(packed);
      if (!decoded) throw Refused{at(mark), "!!binary: " + decoded.error().text};
      return Value(*decoded, at(mark));
    }
    bool plain = tag == "?" || tag == "tag:yaml.org,2002:merge";
    if (!plain) return Value(text, at(mark));  // quoted, or marked as a text
    Value value;
    value.origin = at(mark);
    value.spelling = text;
    std::visit([&](auto&& content) { value.data = content; }, resolve_plain(text));
    return value;
  }

  void open(const YAML::Mark& mark, Value value, YAML::anchor_t anchor) {
    if (stack_.size() >= limits_.depth)
      throw Refused{at(mark), fmt::format("values nested more than {} deep", limits_.depth)};
    if (!stack_.empty() && stack_.back().value.map() != nullptr && !stack_.back().has_key)
      throw Refused{at(mark), "a key must be a text"};
    Frame frame;
    frame.value = std::move(value);
    frame.anchor = anchor;
    frame.values_before = values_;
    stack_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    for (const Value& map : frame.merged) merge(std::get<Value::Map>(frame.value.data), map);
    std::size_t size = values_ - frame.values_before + 1;
    finish(std::move(frame.value), frame.anchor, size);
  }

  static void merge(Value::Map& into, const Value& from) {
    for (const Member& member : *from.map()) {
      bool own = std::ranges::any_of(into, [&](const Member& m) { return iequals(m.key, member.key); });
      if (!own) into.push_back(member);
    }
  }

  void finish(Value value, YAML::anchor_t anchor, std::size_t size = 1) {
    if (++values_ > limits_.values) throw Refused{value.origin, fmt::format("more than {} values", limits_.values)};
    if (anchor != 0) {
      // A copy is kept for each anchor, so nested anchors must count as well.
      values_ += size;
      anchors_[anchor] = {value, size};
    }
    if (stack_.empty()) {
      root_ = std::move(value);
      return;
    }
    Frame& frame = stack_.back();
    if (auto* items = std::get_if<Value::List>(&frame.value.data)) {
      items->push_back(std::move(value));
    } else if (!frame.has_key) {
      take_key(frame, value);
    } else {
      frame.has_key = false;
      if (frame.merges)
        take_merge(frame, std::move(value));
      else
        std::get<Value::Map>(frame.value.data).push_back({frame.key, std::move(value), frame.key_origin});
    }
  }

  void take_key(Frame& frame, const Value& value) const {
    if (value.list() != nullptr || value.map() != nullptr) throw Refused{value.origin, "a key must be a text"};
    frame.key = value.text();
    frame.key_origin = value.origin;
    frame.has_key = true;
    frame.merges = value.spelling == kMergeKey;
    if (frame.key.size() > limits_.key_bytes)
      throw Refused{value.origin, fmt::format("a key is longer than {} bytes", limits_.key_bytes)};
    if (frame.value.map()->size() >= limits_.map_keys)
      throw Refused{value.origin, fmt::format("more than {} keys in one map", limits_.map_keys)};
    for (const Member& member : *frame.value.map())
      if (iequals(member.key, frame.key))
        throw Refused{value.origin,
                      fmt::format("mapping key \"{}\" already defined at line {}", frame.key, member.origin.line)};
  }

  static void take_merge(Frame& frame, Value value) {
    if (value.map() != nullptr) return frame.merged.push_back(std::move(value));
    const auto* items = value.list();
    bool maps = items != nullptr && std::ranges::all_of(*items, [](const Value& v) { return v.map() != nullptr; });
    if (!maps) throw Refused{value.origin, "map merge requires a map or a list of maps as the value of \"<<\""};
    frame.merged.insert(frame.merged.end(), items->begin(), items->end());
  }

  std::shared_ptr<const std::string> source_;
  const ReadLimits& limits_;
  std::vector<Frame> stack_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  std::size_t values_ = 0;
  Value root_;
};

std::unexpected<Error> syntax_error(const Origin& origin, std::string_view text) {
  return fail(Cause::invalid, fmt::format("{}: {}", origin.to_string(), text));
}

}  // namespace

Result<Value> parse_yaml(std::string_view text, const std::string& source, const ReadLimits& limits) {
  auto name = std::make_shared<const std::string>(source);
  if (text.size() > limits.bytes)
    return fail(Cause::invalid, fmt::format("{}: larger than {} bytes", source, limits.bytes));
  TreeBuilder builder(name, limits);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return Value(std::monostate{}, Origin{name, 1, 1});
    return builder.take();
  } catch (const Refused& refused) {
    return syntax_error(refused.origin, refused.text);
  } catch (const YAML::Exception& error) {
    return syntax_error(builder.at(error.mark), "yaml: " + error.msg);
  }
}

}  // namespace gost::config
