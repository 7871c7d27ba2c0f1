#include "ws/http_head.hpp"

#include "core/text.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>

namespace gost::ws {

namespace {

namespace http = boost::beast::http;

constexpr std::string_view kEnd = "\r\n\r\n";

bool is_token_character(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter || (c >= '0' && c <= '9') || kOthers.find(c) != std::string_view::npos;
}

template <class Text>
std::string own(const Text& text) {
  return {text.data(), text.size()};
}

/// Both kinds of heads begin with a word in capital letters.
bool may_begin(Bytes bytes) {
  return bytes.empty() || (bytes.front() >= 'A' && bytes.front() <= 'Z');
}

template <class Parser>
Result<> parse(Parser& parser, Bytes head) {
  parser.header_limit(kMaxHttpHead);
  parser.skip(true);
  boost::beast::error_code error;
  const std::size_t parsed = parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (error && error != http::error::need_more) return fail(Cause::protocol, "bad HTTP head: " + error.message());
  if (!parser.is_header_done() || parsed != head.size()) return fail(Cause::protocol, "bad HTTP head");
  return {};
}

template <class Message>
HttpFields fields_of(const Message& message) {
  HttpFields fields;
  for (const auto& field : message) fields.all.push_back({own(field.name_string()), own(field.value())});
  return fields;
}

}  // namespace

std::size_t HttpFields::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(all, [name](const HttpField& field) { return iequals(field.name, name); }));
}

std::string_view HttpFields::first(std::string_view name) const {
  auto found = std::ranges::find_if(all, [name](const HttpField& field) { return iequals(field.name, name); });
  return found == all.end() ? std::string_view() : std::string_view(found->value);
}

std::string HttpFields::joined(std::string_view name) const {
  std::string values;
  for (const HttpField& field : all) {
    if (!iequals(field.name, name)) continue;
    if (!values.empty()) values += ", ";
    values += field.value;
  }
  return values;
}

bool HttpFields::has_token(std::string_view name, std::string_view token) const {
  const std::string values = joined(name);
  return std::ranges::any_of(split(values, ','), [token](std::string_view it) { return iequals(trim(it), token); });
}

Decode<std::size_t> find_head_end(Bytes bytes, std::size_t searched) {
  if (!may_begin(bytes)) return Error{Cause::protocol, "this is no HTTP"};
  const std::string_view text = as_text(bytes.first(std::min(bytes.size(), kMaxHttpHead)));
  // The end may have begun in what has been searched.
  const std::size_t from = searched < kEnd.size() ? 0 : searched - kEnd.size() + 1;
  const std::size_t found = text.find(kEnd, from);
  if (found != std::string_view::npos) return found + kEnd.size();
  if (bytes.size() >= kMaxHttpHead)
    return Error{Cause::protocol, "HTTP head of more than " + std::to_string(kMaxHttpHead) + " bytes"};
  return NeedMore{1};
}

Result<RequestHead> parse_request_head(Bytes bytes) {
  http::request_parser<http::empty_body> parser;
  if (auto parsed = parse(parser, bytes); !parsed) return fail(std::move(parsed.error()));
  const auto& message = parser.get();
  RequestHead head;
  head.method = own(message.method_string());
  head.target = own(message.target());
  head.version = static_cast<int>(message.version());
  head.fields = fields_of(message);
  return head;
}

Result<ResponseHead> parse_response_head(Bytes bytes) {
  http::response_parser<http::empty_body> parser;
  if (auto parsed = parse(parser, bytes); !parsed) return fail(std::move(parsed.error()));
  const auto& message = parser.get();
  ResponseHead head;
  head.status = message.result_int();
  head.reason = own(message.reason());
  head.fields = fields_of(message);
  return head;
}

bool is_field_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, is_token_character);
}

bool is_field_value(std::string_view value) {
  return std::ranges::none_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
}

std::string canonical_field_name(std::string_view name) {
  std::string canonical = to_lower(name);
  bool upper = true;
  for (char& c : canonical) {
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    upper = c == '-';
  }
  return canonical;
}

}  // namespace gost::ws
