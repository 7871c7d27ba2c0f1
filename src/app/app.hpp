// The program: arguments in, exit code out.
#pragma once

#include <span>

namespace gost {

/// Runs the program with its arguments (without its name). Returns the exit code: 0 done, 1 the configuration cannot
/// be used or a service cannot be bound, 2 a wrong flag, 78 `gost check` found errors.
int run_program(std::span<const char* const> arguments);

}  // namespace gost
