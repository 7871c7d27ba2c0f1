// A fingerprint as a user writes it.
#include "expect.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"
#include "tls/fingerprint.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  std::string_view text = as_text({data, size});
  auto parsed = tls::parse_fingerprint(text);
  if (!parsed) {
    fuzz::expect(parsed.error().cause == Cause::invalid && parsed.error().text.starts_with("fingerprint \""),
                 "an error shows what was written");
    return 0;
  }
  std::string canonical = parsed->to_string();
  fuzz::expect(canonical.size() == 71 && canonical.starts_with("sha256:"), "the canonical form");
  fuzz::expect(tls::parse_fingerprint(canonical) == *parsed, "it reads as the same");
  std::string digits = to_lower(text);
  std::erase(digits, ':');
  if (digits.starts_with("sha256")) digits.erase(0, 6);
  fuzz::expect(canonical.ends_with(digits), "the digits are kept");
  return 0;
}
