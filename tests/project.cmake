# SPDX-License-Identifier: Apache-2.0
cxn_script_test(cli_options tests/cli_options.sh $<TARGET_FILE:chexnet_command>)
cxn_script_test(headers tests/api/headers.sh ${CMAKE_C_COMPILER})
