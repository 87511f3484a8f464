# SPDX-License-Identifier: Apache-2.0
function(cxn_data_test name)
  cxn_unit_test(${name} unit/test_${name}.c unit/data_support.c)
endfunction()

cxn_data_test(loader)
target_link_options(test_loader PRIVATE -Wl,--wrap=pthread_create)
cxn_data_test(cache)
cxn_data_test(phantom)
foreach(name loader cache phantom)
  cxn_threads_test(${name})
endforeach()
cxn_script_test(cli_data tests/cli_data.sh $<TARGET_FILE:chexnet_command>)
