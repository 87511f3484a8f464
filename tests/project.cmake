# SPDX-License-Identifier: Apache-2.0
# cxn_script_test(name program arguments...): a script run in the project's root.
function(cxn_script_test name)
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS short SKIP_RETURN_CODE 77)
endfunction()

cxn_script_test(cli_options tests/cli_options.sh $<TARGET_FILE:chexnet_command>)
cxn_script_test(headers tests/api/headers.sh ${CMAKE_C_COMPILER})
