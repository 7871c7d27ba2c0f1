// Small texts of addresses and times: what is read is printed, and reads again as the same.
#include "expect.hpp"

#include "core/address.hpp"
#include "core/duration.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  std::string_view text = as_text({data, size});
  if (auto endpoint = parse_endpoint(text)) {
    auto again = parse_endpoint(endpoint->to_string());
    fuzz::expect(again.has_value() && *again == *endpoint, "an endpoint survives");
  }
  if (auto ip = IpAddress::parse(text)) {
    fuzz::expect(text.find('\0') == std::string_view::npos, "an address has no hidden end");
    fuzz::expect(IpAddress::parse(ip->to_string()) == ip, "an address survives");
    sockaddr_storage native;
    SocketAddress socket(*ip, 80);
    socket.to_native(native);
    fuzz::expect(SocketAddress::from_native(native).ip() == ip->unmapped(), "the kernel's form keeps an address");
  }
  if (auto duration = parse_duration(text))
    fuzz::expect(parse_duration(to_string(*duration)) == *duration, "a duration survives");
  return 0;
}
