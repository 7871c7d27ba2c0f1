// How a fuzz target says that a property does not hold.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace gost::fuzz {

inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

}  // namespace gost::fuzz
