// Two yamux machines with each other; the first byte chooses the session.
#include "mux_exchange.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  if (size == 0) return 0;
  YamuxOptions options;
  options.max_stream_window += (data[0] & 3) * 1000;
  options.max_receive_buffer = options.max_stream_window;
  // Each deed moves a little; many times the same one fills a window.
  std::vector<std::uint8_t> deeds;
  std::size_t repeat = std::size_t{1} << (data[0] >> 2 & 7);
  for (std::size_t at = 1; at + 1 < size; at += 2) {
    for (std::size_t i = 0; i < repeat; ++i) deeds.insert(deeds.end(), {data[at], data[at + 1]});
  }
  fuzz::exchange(options, deeds);
  return 0;
}
