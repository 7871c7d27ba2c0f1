# Flags that every target gets: warnings, sanitizers, hardening of release builds.
add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
                    -Wimplicit-fallthrough -Wno-missing-field-initializers -fno-omit-frame-pointer
                    -fstack-protector-strong)
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
else()
  add_compile_options(-fno-plt -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()

if(GOST_SANITIZE)
  add_compile_options(-fsanitize=${GOST_SANITIZE} -fno-sanitize-recover=all)
  # The vptr check needs descriptors of its own; in a test that uses them all up it reports what is not there.
  if(GOST_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=vptr)
  endif()
  add_link_options(-fsanitize=${GOST_SANITIZE})
endif()

find_program(GOST_LLD NAMES ld.lld-19 ld.lld)
if(GOST_LLD AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_link_options(-fuse-ld=lld)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_link_options(-pie)
