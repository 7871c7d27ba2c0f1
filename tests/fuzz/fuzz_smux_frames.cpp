// Two smux machines with each other; the first byte chooses the session.
#include "mux_exchange.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  if (size == 0) return 0;
  SmuxOptions options;
  options.version = 1 + (data[0] & 1);
  options.half_close = (data[0] & 2) != 0;
  options.max_frame_size = 1 + (data[0] >> 2 & 7) * 40;
  options.max_stream_buffer = 1 + (data[0] >> 5) * 50;
  options.max_receive_buffer = 1000;
  fuzz::exchange(options, Bytes(data, size).subspan(1));
  return 0;
}
