#include "socks4/client_codec.hpp"

#include <utility>

namespace gost::socks4 {

Result<std::vector<std::uint8_t>> encode_named_request(const Request& request) {
  bool literal = IpAddress::parse(request.target.host).has_value();
  if (!literal) return encode_request(request);
  // encode_request() checks the texts and puts a dotted address into DSTIP; behind the user id the rest is ours.
  Request unnamed = request;
  unnamed.target.host = "0.0.0.0";
  auto message = encode_request(unnamed);
  if (!message) return message;
  (*message)[7] = 1;
  Bytes host = as_bytes(request.target.host);
  message->insert(message->end(), host.begin(), host.end());
  message->push_back(0);
  return message;
}

Decode<Reply> decode_reply(Bytes bytes) {
  if (!bytes.empty() && bytes[0] != 0)
    return Error{Cause::protocol, "bad version " + std::to_string(bytes[0]) + " of a reply, expected 0"};
  if (bytes.size() < kReplySize) return NeedMore{kReplySize - bytes.size()};
  return static_cast<Reply>(bytes[1]);
}

}  // namespace gost::socks4
