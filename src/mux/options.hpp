// MuxOptions: what can be configured of a session, of either protocol (option mux.type).
#pragma once

#include "mux/machine.hpp"
#include "mux/smux_options.hpp"
#include "mux/yamux_options.hpp"

#include <memory>
#include <variant>

namespace gost {

using MuxOptions = std::variant<SmuxOptions, YamuxOptions>;

/// Errors (Cause::invalid) name the option and say what it may be.
Result<> validate(const MuxOptions& options);

/// `options` for a transport: with half-closes between two of this program. Sessions of MBIND go without, and say
/// byte for byte what GOST says.
MuxOptions for_transport(MuxOptions options);

/// The machine of the protocol that the options are of; they must be valid.
std::unique_ptr<MuxMachine> make_machine(const MuxOptions& options, MuxSide side, TimePoint now);

}  // namespace gost
