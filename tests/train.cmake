# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(comm_self unit/test_comm_self.c)

add_executable(mpi_job mpi/job.c)
target_include_directories(mpi_job PRIVATE ${CXN_TEST_INCLUDES})
target_link_libraries(mpi_job PRIVATE chexnet_static m)

add_executable(write_checkpoint unit/write_checkpoint.c unit/checkpoint_case.c)
target_include_directories(write_checkpoint PRIVATE ${CXN_TEST_INCLUDES})
target_link_libraries(write_checkpoint PRIVATE chexnet_static PkgConfig::JANSSON m)

cxn_unit_test(train_parts unit/test_train_parts.c)
cxn_unit_test(train_step unit/test_train_step.c)
