# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(comm_self unit/test_comm_self.c)
cxn_unit_test(comm_mpi unit/test_comm_mpi.c)

# Ranks of a job, started by mpirun; skipped by name without MPI.
add_executable(mpi_job mpi/job.c)
target_include_directories(mpi_job PRIVATE ${CXN_TEST_INCLUDES})
target_link_libraries(mpi_job PRIVATE chexnet_static m)
if(TARGET chexnet_mpi)
  add_dependencies(mpi_job chexnet_mpi)
endif()
foreach(ranks 1 2 4 8)
  cxn_script_test(mpi_sums_${ranks} tests/mpi/sums.sh $<TARGET_FILE:mpi_job> ${ranks})
endforeach()
cxn_script_test(mpi_module tests/mpi/module.sh $<TARGET_FILE:mpi_job>)
cxn_script_test(mpi_faults tests/mpi/faults.sh $<TARGET_FILE:mpi_job>)
cxn_script_test(mpi_hosts tests/mpi/hosts.sh $<TARGET_FILE:mpi_job> check)
cxn_script_test(mpi_hosts_train tests/mpi/hosts.sh $<TARGET_FILE:chexnet_command> train)
cxn_script_test(mpi_hosts_cut tests/mpi/hosts.sh $<TARGET_FILE:mpi_job> cut)
set(mpi mpi_sums_1 mpi_sums_2 mpi_sums_4 mpi_sums_8 mpi_faults mpi_hosts mpi_hosts_train
  mpi_hosts_cut)
# The deadlines of these jobs are of a machine that does little else.
set_tests_properties(${mpi} PROPERTIES TIMEOUT 300 PROCESSORS 2)
set_tests_properties(mpi_sums_8 mpi_faults mpi_hosts mpi_hosts_train mpi_hosts_cut
  PROPERTIES LABELS long)

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
