#include "config/decode.hpp"

#include "config/components.hpp"

#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace gost::config {

namespace {

/// Collects the keys of a struct, to tell known from unknown ones.
struct KeyCollector {
  std::vector<std::string_view> keys;
  void operator()(std::string_view key, const auto&, Show = Show::when_set) { keys.push_back(key); }
};

template <class T>
std::vector<std::string_view> keys_of() {
  T object;
  KeyCollector collector;
  describe(collector, object);
  return collector.keys;
}

/// Reads the members of one map into one struct.
class Decoder {
 public:
  Decoder(const Value::Map& members, std::string path, Problems& problems)
      : members_(members), path_(std::move(path)), problems_(problems) {}

  /// `path` names the struct in messages: "services[0].handler".
  template <class T>
  static void object(const Value& value, T& it, const std::string& path, Problems& problems) {
    it.origin = value.origin;
    if (value.is_null()) return;
    const auto* members = value.map();
    if (members == nullptr) return wrong(value, path, "a map of keys and values", problems);
    Decoder decoder(*members, path, problems);
    describe(decoder, it);
    decoder.report_unknown(keys_of<T>());
  }

  template <class T>
  void operator()(std::string_view key, T& member, Show = Show::when_set) {
    for (const Member& candidate : members_)
      if (iequals(candidate.key, key) && !candidate.value.is_null())
        read(candidate.value, member, path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key));
  }

 private:
  static void wrong(const Value& value, const std::string& path, std::string_view wanted, Problems& problems) {
    std::string what = path.empty() ? "the configuration" : fmt::format("'{}'", path);
    problems.push_back(
        {Severity::error, value.origin, fmt::format("{} must be {}, but it is {}", what, wanted, value.describe())});
  }
  void wrong(const Value& value, const std::string& path, std::string_view wanted) const {
    wrong(value, path, wanted, problems_);
  }

  void read(const Value& value, Text& text, const std::string& path) const {
    if (value.list() != nullptr || value.map() != nullptr) return wrong(value, path, "a text");
    text = value.text();
    if (value.integer() != nullptr && std::to_string(*value.integer()) != text)
      problems_.push_back({Severity::warning, value.origin,
                           fmt::format("'{}': GOST reads {} as the number {}; write \"{}\" in quotes", path, text,
                                       *value.integer(), text)});
  }

  void read(const Value& value, bool& flag, const std::string& path) const {
    if (const auto* b = value.boolean()) {
      flag = *b;
    } else if (const auto* i = value.integer()) {
      flag = *i != 0;
    } else if (auto parsed = value.string() != nullptr ? parse_bool(*value.string()) : std::nullopt) {
      flag = *parsed;
    } else if (value.string() == nullptr || !value.string()->empty()) {
      wrong(value, path, "true or false");
    }
  }

  void read(const Value& value, std::int64_t& number, const std::string& path) const {
    if (const auto* i = value.integer()) {
      number = *i;
    } else if (const auto* r = value.real(); r != nullptr && *r > -1e15 && *r < 1e15) {
      number = static_cast<std::int64_t>(*r);
    } else if (const auto* b = value.boolean()) {
      number = *b ? 1 : 0;
    } else if (auto parsed = value.string() != nullptr ? parse_int(*value.string()) : std::nullopt) {
      number = *parsed;
    } else if (value.string() == nullptr || !value.string()->empty()) {
      wrong(value, path, "a whole number");
    }
  }

  void read(const Value& value, Duration& duration, const std::string& path) const {
    if (const auto* i = value.integer()) {
      duration = Duration(*i);
      constexpr std::int64_t kLikelySeconds = 1'000'000;
      if (*i > 0 && *i < kLikelySeconds)
        problems_.push_back(
            {Severity::warning, value.origin,
             fmt::format("'{}': {} means {} nanoseconds; write \"{}s\" for seconds", path, *i, *i, *i)});
    } else if (const auto* text = value.string()) {
      auto parsed = parse_duration(*text);
      if (parsed)
        duration = *parsed;
      else
        problems_.push_back({Severity::error, value.origin,
                             fmt::format("'{}': {} (write a duration such as \"30s\", \"1m30s\" or \"24h\")", path,
                                         parsed.error().text)});
    } else {
      wrong(value, path, "a duration such as \"30s\"");
    }
  }

  void read(const Value& value, TextList& list, const std::string& path) const {
    if (const auto* text = value.string()) {
      if (!text->empty())
        for (std::string_view piece : split(*text, ',')) list.emplace_back(piece);
      return;
    }
    if (value.list() == nullptr) return wrong(value, path, "a list of texts");
    for (const Value& item : *value.list()) read(item, list.emplace_back(), path);
  }

  void read(const Value& value, TextMap& texts, const std::string& path) const {
    if (value.map() == nullptr) return wrong(value, path, "a map of texts");
    for (const Member& member : *value.map()) read(member.value, texts[member.key], path + "." + member.key);
  }

  void read(const Value& value, Metadata& metadata, const std::string& path) const {
    if (value.map() == nullptr) return wrong(value, path, "a map of options");
    for (const Member& member : *value.map()) metadata.set(member.key, member.value);
  }

  void read(const Value& value, Value& raw, const std::string&) const { raw = value; }

  void read(const Value& value, ChainRef& ref, const std::string& path) const {
    ref.origin = value.origin;
    if (const auto* name = value.string())
      ref.chain = *name;
    else
      object(value, ref, path, problems_);
  }

  template <class T>
  void read(const Value& value, std::optional<T>& it, const std::string& path) const {
    object(value, it.emplace(), path, problems_);
  }

  template <class T>
  void read(const Value& value, std::vector<T>& list, const std::string& path) const {
    if (value.map() != nullptr) return read(value, list.emplace_back(), path);  // one object stands for a list of one
    if (value.list() == nullptr) return wrong(value, path, "a list");
    for (const Value& item : *value.list()) {
      std::string item_path = fmt::format("{}[{}]", path, &item - value.list()->data());
      if (item.is_null())
        wrong(item, item_path, "an object");
      else
        read(item, list.emplace_back(), item_path);
    }
  }

  template <class T>
    requires std::derived_from<T, Located>
  void read(const Value& value, T& it, const std::string& path) const {
    object(value, it, path, problems_);
  }

  void report_unknown(const std::vector<std::string_view>& keys) const {
    for (const Member& member : members_) {
      if (std::ranges::any_of(keys, [&](std::string_view key) { return iequals(key, member.key); })) continue;
      std::string where = path_.empty() ? "at the top level" : fmt::format("in '{}'", path_);
      problems_.push_back(
          {Severity::warning, member.origin,
           fmt::format("unknown key '{}' {} is ignored.{}", member.key, where, suggestion(member.key, keys))});
    }
  }

  const Value::Map& members_;
  std::string path_;
  Problems& problems_;
};

}  // namespace

Config decode(const Value& tree, Problems& problems) {
  Config config;
  Decoder::object(tree, config, "", problems);
  return config;
}

}  // namespace gost::config
