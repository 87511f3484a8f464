# SPDX-License-Identifier: Apache-2.0
add_executable(write_checkpoint unit/write_checkpoint.c unit/checkpoint_case.c)
target_include_directories(write_checkpoint PRIVATE ${CXN_TEST_INCLUDES})
target_link_libraries(write_checkpoint PRIVATE chexnet_static PkgConfig::JANSSON m)
