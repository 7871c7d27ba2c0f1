// A PEM file of certificates or keys.
#include "expect.hpp"

#include "core/bytes.hpp"
#include "tls/certificate.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  std::string_view text = as_text({data, size});
  auto key = tls::parse_key(text, "fuzz.key");
  if (!key) fuzz::expect(key.error().text.starts_with("fuzz.key"), "an error names the file");
  auto certificates = tls::parse_certificates(text, "fuzz.pem");
  if (!certificates) {
    fuzz::expect(certificates.error().text.starts_with("fuzz.pem"), "an error names the file");
    return 0;
  }
  fuzz::expect(!certificates->empty(), "a file without certificates is an error");
  tls::Identity identity{std::move(certificates->front()), {}, nullptr};
  for (std::size_t i = 1; i < certificates->size(); ++i) identity.chain.push_back(std::move((*certificates)[i]));
  auto print = tls::fingerprint_of(*identity.certificate);
  fuzz::expect(tls::parse_fingerprint(print.to_string()) == print, "a fingerprint reads as itself");
  fuzz::expect(std::ranges::all_of(tls::names_in(*identity.certificate), [](char c) { return c >= ' ' && c < 0x7f; }),
               "names can stand in a log line");
  fuzz::expect(!tls::time_text(X509_get0_notAfter(identity.certificate.get())).empty(), "a time is shown");
  auto again = tls::parse_certificates(tls::certificate_pem(identity), "again.pem");
  fuzz::expect(again.has_value() && again->size() == identity.chain.size() + 1 &&
                   tls::fingerprint_of(*again->front()) == print,
               "what is written reads as the same certificates");
  return 0;
}
