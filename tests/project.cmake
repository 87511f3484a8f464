# SPDX-License-Identifier: Apache-2.0
cxn_script_test(cli_options tests/cli_options.sh $<TARGET_FILE:chexnet_command>)
cxn_script_test(peers_demands python3 tests/peers_demands.py bench/peers)
cxn_script_test(headers tests/api/headers.sh ${CMAKE_C_COMPILER})

if(NOT CXN_SANITIZE) # a user's program has no sanitizer's runtime
  cxn_script_test(install tests/api/install.sh ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER})
  cxn_script_test(ctypes python3 tests/api/ctypes_test.py $<TARGET_FILE:chexnet>)
endif()

cxn_unit_test(json_out unit/test_json_out.c ${PROJECT_SOURCE_DIR}/tools/json_out.c)
target_include_directories(test_json_out PRIVATE ${PROJECT_SOURCE_DIR}/tools)
target_link_libraries(test_json_out PRIVATE PkgConfig::JANSSON)
target_link_options(test_json_out PRIVATE -Wl,--wrap=malloc)
