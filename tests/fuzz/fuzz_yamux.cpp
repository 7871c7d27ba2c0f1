// A hostile peer of a yamux session; the first byte chooses which.
#include "mux/yamux_machine.hpp"

#include "mux_hostile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gost;
  if (size < 2) return 0;
  YamuxOptions options;
  options.max_stream_window += (data[0] & 1) * 1000;
  options.max_receive_buffer = options.max_stream_window + (data[0] >> 1 & 7) * 1000;
  YamuxMachine machine(options, (data[0] & 16) != 0 ? MuxSide::client : MuxSide::server, TimePoint());
  fuzz::hostile_peer(machine, data[0] >> 5, options.max_receive_buffer, std::size_t{1} + data[1],
                     Bytes(data, size).subspan(2));
  return 0;
}
