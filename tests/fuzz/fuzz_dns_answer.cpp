// What a name server answers: its first byte says to which question.
#include "expect.hpp"

#include "policy/dns_message.hpp"
#include "policy/name_server.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  if (size == 0) return 0;
  DnsQuestion question{"www.example.org", (data[0] & 1) != 0 ? DnsType::aaaa : DnsType::a, 0x1234, std::nullopt};
  if ((data[0] & 2) != 0) question.client = IpAddress::v4({192, 0, 2, 1});
  auto query = encode_dns_query(question);
  fuzz::expect(query.has_value(), "a good name can be asked for");
  auto answer = decode_dns_answer(*query, Bytes(data + 1, size - 1));
  if (answer) {
    fuzz::expect(data[1] == 0x12 && data[2] == 0x34 && (data[3] & 0x80) != 0, "it has the id and is an answer");
    bool found = answer->status == DnsAnswer::Status::found;
    fuzz::expect(found == !answer->addresses.empty(), "addresses are there exactly if they were found");
    for (const IpAddress& ip : answer->addresses)
      fuzz::expect(ip.is_v4() == (question.type == DnsType::a), "they are of the family that was asked for");
  }
  if (auto address = parse_name_server(as_text({data, size}))) {
    auto again = parse_name_server(address->text);
    fuzz::expect(again.has_value() && again->endpoint == address->endpoint, "a name server's address survives");
  }
  return 0;
}
