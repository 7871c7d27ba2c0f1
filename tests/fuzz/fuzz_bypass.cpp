// A bypass file, and after its last line break a host to look for in it.
#include "expect.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"
#include "policy/bypass.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  std::string_view text = as_text({data, size});
  std::size_t end = text.rfind('\n');
  std::string_view host = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  auto matchers = parse_matchers(text.substr(0, end), "fuzz.bypass");
  if (!matchers) {
    fuzz::expect(matchers.error().text.starts_with("fuzz.bypass:"), "an error names the file and the line");
    return 0;
  }
  auto black = BypassList::make(*matchers, {});
  auto white = BypassList::make(*matchers, {.whitelist = true});
  fuzz::expect(black.has_value() && white.has_value(), "what a file may contain, a list may");
  bool any = false;
  for (const std::string& matcher : *matchers) {
    auto alone = BypassList::make({matcher}, {});
    fuzz::expect(alone.has_value(), "a matcher is good by itself");
    any = any || (*alone)->contains(Network::tcp, host, 80);
  }
  bool bypassed = (*black)->contains(Network::tcp, host, 80);
  fuzz::expect(bypassed == any, "a list matches what one of its matchers does");
  fuzz::expect((*black)->contains(Network::tcp, to_lower(host), 80) == bypassed, "case makes no difference");
  if (!matchers->empty())
    fuzz::expect((*white)->contains(Network::tcp, host, 80) == !bypassed, "a whitelist is the opposite");
  return 0;
}
