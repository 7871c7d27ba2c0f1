# gost_layer(NAME SOURCES … [TESTS …] [USES lower layers …] [LIBRARIES external targets …])
#
# One folder of src/ = one static library `gost_NAME`. USES names exactly the folders that NAME may include;
# `tests/layers_test.py` reads the same list and fails on any other include.
find_package(Threads REQUIRED)
if(GOST_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
  include(GoogleTest)
endif()

function(gost_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;TESTS;USES;LIBRARIES" ${ARGN})
  if(ARG_SOURCES)
    add_library(gost_${name} STATIC ${ARG_SOURCES})
    set(scope PUBLIC)
  else()
    add_library(gost_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(gost_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM ARG_USES PREPEND gost_ OUTPUT_VARIABLE used)
  target_link_libraries(gost_${name} ${scope} ${used} ${ARG_LIBRARIES} Threads::Threads)
  if(GOST_TESTS AND ARG_TESTS)
    add_executable(${name}_test ${ARG_TESTS})
    target_link_libraries(${name}_test PRIVATE gost_${name} GTest::gtest_main rapidcheck)
    target_compile_definitions(${name}_test PRIVATE GOST_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
                         PROPERTIES LABELS "${name}" TIMEOUT 120
                         ENVIRONMENT "XDG_STATE_HOME=${CMAKE_BINARY_DIR}/state")
  endif()
endfunction()

# gost_fuzz(NAME SOURCE file USES layers…): a libFuzzer target `fuzz_NAME`; in other builds the same file becomes a
# program that replays tests/fuzz/corpus/NAME, run by ctest.
function(gost_fuzz name)
  cmake_parse_arguments(ARG "" "SOURCE" "USES" ${ARGN})
  add_executable(fuzz_${name} ${ARG_SOURCE})
  list(TRANSFORM ARG_USES PREPEND gost_ OUTPUT_VARIABLE used)
  target_link_libraries(fuzz_${name} PRIVATE ${used})
  if(GOST_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cpp)
    add_test(NAME fuzz.${name} COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS "fuzz" TIMEOUT 120)
  endif()
endfunction()
