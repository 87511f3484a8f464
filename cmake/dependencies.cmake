# SPDX-License-Identifier: Apache-2.0
# Everything here is a Debian 12 package that scripts/deps.sh installs.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# cxn_require(PREFIX module>=version): a library that libchexnet is linked with. The list also
# writes chexnet.pc and chexnetConfig.cmake, for users of the static library.
set(CXN_LIBRARIES)
set(CXN_PKG_CONFIG_REQUIRES)
set(CXN_CONFIG_REQUIRES)
macro(cxn_require prefix module)
  pkg_check_modules(${prefix} REQUIRED IMPORTED_TARGET ${module})
  list(APPEND CXN_LIBRARIES PkgConfig::${prefix})
  string(REPLACE ">=" " >= " pc ${module})
  list(APPEND CXN_PKG_CONFIG_REQUIRES ${pc})
  list(APPEND CXN_CONFIG_REQUIRES "${prefix} ${module}")
endmacro()

cxn_require(JANSSON jansson>=2.14)
cxn_require(NETTLE nettle>=3.8)
cxn_require(DEFLATE libdeflate>=1.14)
cxn_require(JPEG libjpeg>=2.1)
# Without it there is no libchexnet-mpi.so, and training is of one process.
find_package(MPI COMPONENTS C)
if(CXN_TESTS)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka>=1.1.5)
endif()
