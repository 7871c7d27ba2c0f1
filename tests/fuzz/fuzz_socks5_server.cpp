// What a SOCKS5 server reads, in every split: greeting, credentials, request.
#include "codec_properties.hpp"

#include "socks5/codec.hpp"

namespace {

using namespace gost;

void check_greeting(Bytes bytes) {
  auto greeting = fuzz::decode_checked(&socks5::decode_greeting, bytes);
  if (!greeting) return;
  std::bitset<256> offered;
  for (std::size_t i = 0; i < bytes[1]; ++i) offered.set(bytes[2 + i]);
  fuzz::expect(greeting->methods == offered, "the greeting offers what stands in it");
}

void check_credentials(Bytes bytes) {
  auto credentials = fuzz::decode_checked(&socks5::decode_credentials, bytes);
  if (!credentials) return;
  auto encoded = socks5::encode_credentials(*credentials);
  fuzz::expect(encoded.has_value(), "what was decoded can be encoded");
  fuzz::expect(fuzz::decode_again(&socks5::decode_credentials, encoded->view()) == *credentials,
               "the credentials survive");
}

/// An empty host is written as 0.0.0.0 and an address in the form of an address; any other host stays as it is.
std::string host_on_the_wire(const std::string& host) {
  if (host.empty()) return "0.0.0.0";
  auto ip = IpAddress::parse(host);
  return ip && ip->zone() == 0 ? ip->unmapped().to_string() : host;
}

void check_request(Bytes bytes) {
  auto request = fuzz::decode_checked(&socks5::decode_request, bytes);
  if (!request) return;
  auto encoded = socks5::encode_request(*request);
  fuzz::expect(encoded.has_value(), "what was decoded can be encoded");
  socks5::Request expected{
      request->command, {host_on_the_wire(request->target.host), request->target.port}, request->reserved};
  fuzz::expect(fuzz::decode_again(&socks5::decode_request, encoded->view()) == expected, "the request survives");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_greeting({data, size});
  check_credentials({data, size});
  check_request({data, size});
  return 0;
}
