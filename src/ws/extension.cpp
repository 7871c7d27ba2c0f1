#include "ws/extension.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace gost::ws {

namespace {

struct Parameter {
  std::string_view name;
  std::optional<std::string_view> value;
};

/// The parameters of one permessage-deflate; nothing if it is another extension.
std::optional<std::vector<Parameter>> deflate_parameters(std::string_view extension) {
  std::vector<std::string_view> words = split(extension, ';');
  if (!iequals(trim(words.front()), "permessage-deflate")) return std::nullopt;
  std::vector<Parameter> parameters;
  for (auto word = words.begin() + 1; word != words.end(); ++word) {
    const std::size_t equals = word->find('=');
    Parameter parameter{trim(word->substr(0, equals)), std::nullopt};
    if (equals != std::string_view::npos) parameter.value = trim(word->substr(equals + 1));
    parameters.push_back(parameter);
  }
  return parameters;
}

bool is_window(const std::optional<std::string_view>& value) {
  if (!value) return false;
  std::string_view digits = *value;
  if (digits.size() >= 2 && digits.front() == '"' && digits.back() == '"')
    digits = digits.substr(1, digits.size() - 2);
  const auto bits = parse_int(digits);
  return bits && *bits >= 8 && *bits <= 15;
}

bool has(const std::vector<Parameter>& parameters, std::string_view name) {
  return std::ranges::any_of(parameters, [name](const Parameter& it) { return it.name == name; });
}

bool repeats_itself(const std::vector<Parameter>& parameters) {
  return std::ranges::any_of(parameters, [&parameters](const Parameter& it) {
    return std::ranges::count_if(parameters, [&it](const Parameter& other) { return other.name == it.name; }) > 1;
  });
}

bool is_flag(const Parameter& parameter) {
  return !parameter.value &&
         (parameter.name == "server_no_context_takeover" || parameter.name == "client_no_context_takeover");
}

}  // namespace

bool offers_deflate(std::string_view offers) {
  return std::ranges::any_of(split(offers, ','), [](std::string_view offer) {
    const auto parameters = deflate_parameters(offer);
    return parameters && !repeats_itself(*parameters) && std::ranges::all_of(*parameters, [](const Parameter& it) {
             // The client's window is a hint, with or without a size.
             return is_flag(it) || (it.name == "client_max_window_bits" && (!it.value || is_window(it.value)));
           });
  });
}

bool accepts_deflate(std::string_view answer) {
  const auto parameters = deflate_parameters(answer);
  return parameters && !repeats_itself(*parameters) && has(*parameters, "server_no_context_takeover") &&
         has(*parameters, "client_no_context_takeover") && std::ranges::all_of(*parameters, [](const Parameter& it) {
           return is_flag(it) || (it.name == "server_max_window_bits" && is_window(it.value));
         });
}

}  // namespace gost::ws
