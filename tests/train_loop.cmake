# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(train_parts unit/test_train_parts.c)
cxn_unit_test(train_step unit/test_train_step.c)
cxn_unit_program(train_memory unit/test_train_memory.c unit/small_net.c)
target_link_libraries(test_train_memory PRIVATE PkgConfig::JANSSON)
cxn_unit_parts(train_memory 1 13)
set_tests_properties(train_memory_1 PROPERTIES LABELS long)
cxn_script_test(cli_train tests/cli_train.sh $<TARGET_FILE:chexnet_command>)
cxn_long_if_sanitized(cli_train) # what the unit tests have sanitized
cxn_script_test(cli_train_ranks tests/cli_train_ranks.sh $<TARGET_FILE:chexnet_command>)
# Its deadlines are of a machine that does little else.
set_tests_properties(cli_train_ranks PROPERTIES LABELS long TIMEOUT 300 PROCESSORS 2)
cxn_script_test(cli_train_head tests/cli_train_head.sh $<TARGET_FILE:chexnet_command>)
foreach(suite short long)
  cxn_script_test(cli_train_killed_${suite} tests/cli_train_killed.sh
    $<TARGET_FILE:chexnet_command> ${suite})
endforeach()
set_tests_properties(cli_train_head cli_train_killed_long PROPERTIES LABELS long)
cxn_long_if_sanitized(cli_train_killed_short)
if(NOT CXN_SANITIZE)
  cxn_script_test(nih_train tests/nih_train.sh $<TARGET_FILE:chexnet_command>)
  set_tests_properties(nih_train PROPERTIES LABELS long TIMEOUT 9000 PROCESSORS 2)
endif()
