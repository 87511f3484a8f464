# SPDX-License-Identifier: Apache-2.0
# Everything here is a Debian 12 package that scripts/deps.sh installs.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.14)
pkg_check_modules(NETTLE REQUIRED IMPORTED_TARGET nettle>=3.8)
pkg_check_modules(DEFLATE REQUIRED IMPORTED_TARGET libdeflate>=1.14)
pkg_check_modules(JPEG REQUIRED IMPORTED_TARGET libjpeg>=2.1)
if(CXN_TESTS)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka>=1.1.5)
endif()
