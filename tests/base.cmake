# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(base_status unit/test_base_status.c)
cxn_unit_test(base_bytes unit/test_base_bytes.c)
cxn_unit_test(base_mem unit/test_base_mem.c)
cxn_unit_test(base_random unit/test_base_random.c)
cxn_unit_test(base_file unit/test_base_file.c)
cxn_unit_test(base_pool unit/test_base_pool.c)
cxn_threads_test(base_pool)

add_executable(write_file unit/write_file.c)
target_include_directories(write_file PRIVATE ${CXN_TEST_INCLUDES})
target_link_libraries(write_file PRIVATE chexnet_static m)
cxn_script_test(base_faults tests/base_faults.sh $<TARGET_FILE:write_file>)
