# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(train_parts unit/test_train_parts.c)
cxn_unit_test(train_step unit/test_train_step.c)
cxn_script_test(cli_train tests/cli_train.sh $<TARGET_FILE:chexnet_command>)
cxn_long_if_sanitized(cli_train) # what the unit tests have sanitized
cxn_script_test(cli_train_ranks tests/cli_train_ranks.sh $<TARGET_FILE:chexnet_command>)
# Its deadlines are of a machine that does little else.
set_tests_properties(cli_train_ranks PROPERTIES LABELS long TIMEOUT 300 PROCESSORS 2)
