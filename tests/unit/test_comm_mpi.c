/* SPDX-License-Identifier: Apache-2.0 */
#include "train/comm.h"
#include "unit/unit.h"

static const char *const names[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS",
                                     "MPI_LOCALNRANKS", "SLURM_NTASKS" };

static int forget(void **state)
{
    (void)state;
    for (size_t i = 0; i < CXN_COUNTOF(names); i++) unsetenv(names[i]);
    return 0;
}

static void test_each_launcher_is_known(void **state)
{
    (void)state;
    assert_null(cxn_comm_launcher());
    for (size_t i = 0; i < 4; i++) {
        static const struct {
            const char *text;
            bool several;
        } cases[] = { { "2", true }, { "512", true }, { "1", false }, { "", false },
                      { "2x", false } };
        for (size_t k = 0; k < CXN_COUNTOF(cases); k++) {
            setenv(names[i], cases[k].text, 1);
            assert_int_equal(cxn_comm_launcher() != NULL, cases[k].several);
        }
        unsetenv(names[i]);
    }
}

/* Slurm tells the job's script how many tasks there could be; what it starts itself is one. */
static void test_a_script_of_slurm_is_one_process(void **state)
{
    (void)state;
    setenv("SLURM_NTASKS", "8", 1);
    assert_null(cxn_comm_launcher());
}

static void test_mpirun_decides_within_a_step_of_slurm(void **state)
{
    (void)state;
    setenv("SLURM_STEP_NUM_TASKS", "8", 1);
    setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
    assert_null(cxn_comm_launcher());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_each_launcher_is_known, forget),
        cmocka_unit_test_setup(test_a_script_of_slurm_is_one_process, forget),
        cmocka_unit_test_setup(test_mpirun_decides_within_a_step_of_slurm, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
