# SPDX-License-Identifier: Apache-2.0
add_executable(write_checkpoint unit/write_checkpoint.c unit/checkpoint_case.c)
target_include_directories(write_checkpoint PRIVATE ${CXN_TEST_INCLUDES})
target_link_libraries(write_checkpoint PRIVATE chexnet_static PkgConfig::JANSSON m)
foreach(suite short long)
  cxn_script_test(checkpoint_faults_${suite} tests/checkpoint_faults.sh
    $<TARGET_FILE:write_checkpoint> ${suite})
endforeach()
set_tests_properties(checkpoint_faults_long PROPERTIES LABELS long)
cxn_script_test(checkpoint_power python3 tests/checkpoint_power.py $<TARGET_FILE:write_checkpoint>)
cxn_script_test(cli_run tests/cli_run.sh $<TARGET_FILE:chexnet_command>
  $<TARGET_FILE:write_checkpoint>)

cxn_unit_test(checkpoint unit/test_checkpoint.c unit/checkpoint_case.c)
target_link_libraries(test_checkpoint PRIVATE PkgConfig::JANSSON)
cxn_unit_test(run unit/test_run.c unit/checkpoint_case.c)
target_link_libraries(test_run PRIVATE PkgConfig::JANSSON)
