#include "mux/options.hpp"

#include "mux/smux_machine.hpp"
#include "mux/yamux_machine.hpp"

namespace gost {

namespace {

struct Make {
  MuxSide side;
  TimePoint now;

  std::unique_ptr<MuxMachine> operator()(const SmuxOptions& options) const {
    return std::make_unique<SmuxMachine>(options, side, now);
  }
  std::unique_ptr<MuxMachine> operator()(const YamuxOptions& options) const {
    return std::make_unique<YamuxMachine>(options, side, now);
  }
};

}  // namespace

Result<> validate(const MuxOptions& options) {
  return std::visit([](const auto& typed) { return validate(typed); }, options);
}

MuxOptions for_transport(MuxOptions options) {
  if (auto* smux = std::get_if<SmuxOptions>(&options)) smux->half_close = true;
  return options;
}

std::unique_ptr<MuxMachine> make_machine(const MuxOptions& options, MuxSide side, TimePoint now) {
  return std::visit(Make{side, now}, options);
}

}  // namespace gost
