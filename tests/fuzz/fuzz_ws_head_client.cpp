// A response's bytes to the client's end of the handshake, and the same bytes as options: whatever is put into path,
// host and headers and passes the checks, the request has one meaning.
#include "expect.hpp"

#include "ws/handshake.hpp"

#include <string>

namespace {

using namespace gost;

void check_response(Bytes bytes) {
  auto end = ws::find_head_end(bytes);
  auto* size = std::get_if<std::size_t>(&end);
  if (size == nullptr) return;
  auto answer = ws::parse_response_head(bytes.first(*size));
  if (!answer) return;
  ws::ClientOptions options;
  options.compression = true;
  auto checked = ws::check_answer(*answer, options, "dGhlIHNhbXBsZSBub25jZQ==");
  fuzz::expect(!checked || answer->status == 101, "101 is the only yes");
}

void check_request(std::string_view text) {
  const std::size_t third = text.size() / 3;
  ws::ClientOptions options;
  options.host = "h";
  options.path = "/" + std::string(text.substr(0, third));
  auto headers =
      ws::checked_headers({{std::string(text.substr(third, third)), std::string(text.substr(2 * third))}}, true);
  if (!headers) return;
  options.headers = *headers;
  const std::string request = ws::make_request(options, "dGhlIHNhbXBsZSBub25jZQ==");
  auto end = ws::find_head_end(as_bytes(request));
  if (std::holds_alternative<Error>(end)) return;  // longer than any server takes
  fuzz::expect(std::get<std::size_t>(end) == request.size(), "nothing ends the head before its end");
  auto parsed = ws::parse_request_head(as_bytes(request));
  if (!parsed) return;  // a field with a meaning of its own and a value that has none
  fuzz::expect(parsed->fields.all.size() <= 7, "one more field at most");
  if (headers->front().name != "Host" && headers->front().name != "Transfer-Encoding" &&
      headers->front().name != "Content-Length") {
    ws::ServerOptions server;
    server.path = options.path;
    fuzz::expect(ws::answer_request(*parsed, server).has_value(), "our server takes what our client asks");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_response({data, size});
  check_request(as_text({data, size}));
  return 0;
}
