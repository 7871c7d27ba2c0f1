#include "config/lower.hpp"

#include "config/print.hpp"
#include "config/yaml_scalar.hpp"

#include <algorithm>

namespace gost::config {

namespace {

/// A value of an option, with the keys of all maps in it sorted.
Value sorted(const Value& value, Form form) {
  if (const auto* items = value.list()) {
    Value::List copy;
    for (const Value& item : *items) copy.push_back(sorted(item, form));
    return Value(std::move(copy));
  }
  const auto* members = value.map();
  if (members == nullptr) return value;
  Value::Map copy;
  for (const Member& member : *members) copy.push_back({member.key, sorted(member.value, form), {}});
  if (form == Form::yaml)
    std::ranges::sort(copy, yaml_key_less, &Member::key);
  else
    std::ranges::sort(copy, {}, &Member::key);
  return Value(std::move(copy));
}

/// Collects the members of one struct.
class Lower {
 public:
  explicit Lower(Form form) : form_(form) {}

  template <class T>
  static Value object(const T& it, Form form) {
    Lower lower(form);
    describe(lower, it);
    return Value(std::move(lower.members_));
  }

  void operator()(std::string_view key, const Text& text, Show show = Show::when_set) {
    if (!text.empty() || show == Show::always) add(key, Value(text));
  }
  void operator()(std::string_view key, bool flag) {
    if (flag) add(key, Value(true));
  }
  void operator()(std::string_view key, std::int64_t number, Show show = Show::when_set) {
    if (number != 0 || show == Show::always) add(key, Value(number));
  }
  void operator()(std::string_view key, Duration duration, Show show = Show::when_set) {
    if (duration == Duration::zero() && show == Show::when_set) return;
    add(key, form_ == Form::yaml ? Value(to_string(duration)) : Value(std::int64_t{duration.count()}));
  }
  void operator()(std::string_view key, const Value& raw) {
    if (!raw.is_null()) add(key, raw);
  }
  void operator()(std::string_view key, const Metadata& metadata) {
    if (metadata.empty()) return;
    Value::Map members;
    for (const auto& [name, value] : metadata.entries()) members.push_back({name, value, {}});
    add(key, sorted(Value(std::move(members)), form_));
  }
  void operator()(std::string_view key, const TextMap& texts) {
    if (texts.empty()) return;
    Value::Map members;
    for (const auto& [name, text] : texts) members.push_back({name, Value(text), {}});
    add(key, sorted(Value(std::move(members)), form_));
  }
  template <class T>
  void operator()(std::string_view key, const std::optional<T>& it) {
    if (it) add(key, object(*it, form_));
  }
  template <class T>
  void operator()(std::string_view key, const std::vector<T>& list, Show show = Show::when_set) {
    if (list.empty() && show == Show::when_set) return;
    if (list.empty() && form_ == Form::json) return add(key, Value());
    Value::List items;
    for (const T& item : list) items.push_back(element(item));
    add(key, Value(std::move(items)));
  }

 private:
  static Value element(const Text& text) { return Value(text); }
  static Value element(const Value& raw) { return raw; }
  Value element(const ChainRef& ref) const {
    bool plain = !ref.matcher && !ref.probe;
    return plain ? Value(ref.chain) : object(ref, form_);
  }
  template <class T>
  Value element(const T& it) const {
    return object(it, form_);
  }

  void add(std::string_view key, Value value) { members_.push_back({std::string(key), std::move(value), {}}); }

  Form form_;
  Value::Map members_;
};

}  // namespace

Value to_value(const Config& config, Form form) {
  return Lower::object(config, form);
}

std::string print_yaml(const Config& config) {
  return yaml_text(to_value(config, Form::yaml));
}

std::string print_json(const Config& config) {
  return json_text(to_value(config, Form::json));
}

}  // namespace gost::config
