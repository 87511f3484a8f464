# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(net unit/test_net.c)
cxn_unit_test(engine unit/test_engine.c unit/small_net.c)
cxn_unit_test(cpu unit/test_cpu.c)

# The kernel test bench: `checkkern --bench` measures, -t and -c choose, --seed repeats.
add_executable(checkkern
  kern/check_conv.c kern/check_head.c kern/check_norm_relu.c kern/check_pool.c kern/check_window.c
  kern/checkkern.c kern/ck.c)
target_include_directories(checkkern PRIVATE ${CXN_TEST_INCLUDES})
target_link_libraries(checkkern PRIVATE chexnet_static m)
add_test(NAME kern COMMAND checkkern)
set_tests_properties(kern PROPERTIES TIMEOUT 300 LABELS short SKIP_RETURN_CODE 77)
