# SPDX-License-Identifier: Apache-2.0
# Flags of every translation unit. Instruction sets are not among them: src/kern adds each level's
# own. Contraction is off so that the plain C reference gives the same bits everywhere.
add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wvla -Wundef
  -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings
  -ffp-contract=off -fstack-protector-strong)
add_compile_definitions(_GNU_SOURCE)

# Contracts between build types that CMake's defaults would leave to the environment.
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
if(NOT CXN_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()
add_link_options(-Wl,-z,relro,-z,now -Wl,--as-needed)

if(CXN_SANITIZE)
  add_compile_options(-fsanitize=${CXN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # Names and lines for the findings. More of -g follows every variable through every check.
  add_compile_options(-g1)
  add_link_options(-fsanitize=${CXN_SANITIZE})
  add_compile_definitions(CXN_SANITIZED=1)
endif()
if(CXN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
