// A SOCKS4 or SOCKS4a request, in every split.
#include "codec_properties.hpp"

#include "socks4/codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  auto request = fuzz::decode_checked(&socks4::decode_request, {data, size});
  if (!request) return 0;
  auto encoded = socks4::encode_request(*request);
  fuzz::expect(encoded.has_value(), "what was decoded can be encoded");
  fuzz::expect(fuzz::decode_again(&socks4::decode_request, *encoded) == *request, "the request survives");
  return 0;
}
