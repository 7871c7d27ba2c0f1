// A request's bytes to the server's end of the handshake. What is accepted is one well-formed head, and nothing of it
// gets into the answer but the key's digest; what is refused gets a whole HTTP answer.
#include "expect.hpp"

#include "ws/handshake.hpp"

#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  const Bytes bytes(data, size);
  auto whole = ws::find_head_end(bytes);
  for (std::size_t searched = 0; searched < size; searched += 1 + size / 8) {
    auto later = ws::find_head_end(bytes, searched);
    if (auto* end = std::get_if<std::size_t>(&whole); end != nullptr && searched < *end)
      fuzz::expect(std::get<std::size_t>(later) == *end, "the end is found from wherever the search goes on");
  }
  auto* end = std::get_if<std::size_t>(&whole);
  if (end == nullptr) return 0;
  fuzz::expect(*end <= ws::kMaxHttpHead, "a head is bounded");
  auto request = ws::parse_request_head(bytes.first(*end));
  if (!request) return 0;
  ws::ServerOptions options;
  options.compression = true;
  options.trusted_proxies = IpRanges({*parse_cidr("0.0.0.0/0")});
  auto answered = ws::answer_request(*request, options);
  const std::string answer = answered ? answered->answer : ws::refusal_answer(answered.error());
  auto answer_end = ws::find_head_end(as_bytes(answer));
  auto parsed = ws::parse_response_head(as_bytes(answer).first(std::get<std::size_t>(answer_end)));
  fuzz::expect(parsed.has_value(), "the answer is well-formed");
  fuzz::expect((parsed->status == 101) == answered.has_value(), "101 is for those who are let in");
  if (answered) {
    fuzz::expect(parsed->fields.all.size() == 3U + (answered->compression ? 1U : 0U),
                 "no field of the client's making");
    ws::ClientOptions asked;
    asked.compression = true;
    fuzz::expect(ws::check_answer(*parsed, asked, request->fields.first("Sec-WebSocket-Key")).has_value(),
                 "our client takes what our server answers");
  }
  if (auto client = ws::forwarded_client(*request, IpAddress::v4({127, 0, 0, 1}), options.trusted_proxies))
    fuzz::expect(IpAddress::parse(client->to_string()) == *client, "a forwarded client is an address");
  return 0;
}
