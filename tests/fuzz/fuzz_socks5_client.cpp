// What a SOCKS5 client reads, in every split: the choice of a method, the result of authentication, replies.
#include "codec_properties.hpp"

#include "socks5/codec.hpp"

namespace {

using namespace gost;

void check_method_choice(Bytes bytes) {
  auto method = fuzz::decode_checked(&socks5::decode_method_choice, bytes);
  if (!method) return;
  fuzz::expect(fuzz::decode_again(&socks5::decode_method_choice, socks5::encode_method_choice(*method)) == *method,
               "the method survives");
}

void check_auth_status(Bytes bytes) {
  auto accepted = fuzz::decode_checked(&socks5::decode_auth_status, bytes);
  if (!accepted) return;
  fuzz::expect(fuzz::decode_again(&socks5::decode_auth_status, socks5::encode_auth_status(*accepted)) == *accepted,
               "the status survives");
}

void check_reply(Bytes bytes) {
  auto reply = fuzz::decode_checked(&socks5::decode_reply, bytes);
  if (!reply) return;
  auto ip = IpAddress::parse(reply->bound.host);
  if (!ip || ip->zone() != 0) return;  // servers of this program bind addresses, not names
  auto encoded =
      socks5::encode_reply(static_cast<socks5::Reply>(reply->reply), {*ip, reply->bound.port}, reply->reserved);
  fuzz::expect(encoded.ok(), "every address fits into a reply");
  socks5::ReplyMessage expected{reply->reply, {ip->unmapped().to_string(), reply->bound.port}, reply->reserved};
  fuzz::expect(fuzz::decode_again(&socks5::decode_reply, encoded.view()) == expected, "the reply survives");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_method_choice({data, size});
  check_auth_status({data, size});
  check_reply({data, size});
  return 0;
}
