// A hosts file.
#include "expect.hpp"

#include "core/bytes.hpp"
#include "policy/host_table.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  auto entries = parse_hosts(as_text({data, size}), "fuzz.hosts");
  if (!entries) {
    fuzz::expect(entries.error().text.starts_with("fuzz.hosts:"), "an error names the file and the line");
    return 0;
  }
  std::string written;
  for (const HostEntry& entry : *entries) written += entry.ip.to_string() + "\t" + entry.name + " # comment\r\n";
  auto again = parse_hosts(written, "again.hosts");
  fuzz::expect(again.has_value() && again->size() == entries->size(), "what is written reads as the same entries");
  HostTable table(*entries);
  for (const HostEntry& entry : *entries) {
    if (entry.name == ".") continue;
    std::vector<IpAddress> found = table.lookup(entry.name);
    bool plain = !entry.name.starts_with('.') && !entry.name.ends_with('.');
    if (plain)
      fuzz::expect(std::ranges::find(found, entry.ip.unmapped()) != found.end(), "a name has each of its addresses");
  }
  return 0;
}
