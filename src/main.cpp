#include "app/app.hpp"

int main(int argc, char** argv) {
  return gost::run_program({argv + 1, argv + argc});
}
