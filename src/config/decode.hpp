// From the generic tree of a file to the model.
#pragma once

#include "config/model.hpp"
#include "config/problem.hpp"

namespace gost::config {

/// Reads a tree into a configuration. Keys match whatever their case; values convert as GOST's reader converts them
/// ("2" is a number where a number is wanted, "a,b" a list where a list is wanted). Appends to `problems`: an error
/// for each value of a wrong type (the member keeps its default), a warning for each unknown key and for each
/// duration given as a bare number (nanoseconds in GOST).
Config decode(const Value& tree, Problems& problems);

}  // namespace gost::config
