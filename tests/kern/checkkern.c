/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkkern [-t OPERATION] [-c LEVEL] [--seed N] [--bench]: every row of every operation that the
 * machine can run, against the operation's definition. Status 0: all passed; 1: one failed;
 * 2: usage; 77: nothing but skipped rows. checkkern_emulated is the same for AVX-512 and AMX on any
 * x86-64 CPU: emulate/immintrin.h computes what their instructions would.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ck.h"

static const struct ck_check *const checks[] = {
    &ck_window, &ck_conv, &ck_norm_relu, &ck_max_pool, &ck_avg_pool, &ck_mean, &ck_linear,
    &ck_sigmoid, &ck_conv_bordered, &ck_samples, &ck_max_pool_row, &ck_norm_relu_pool,
    &ck_conv_bordered_bf16, &ck_norm_relu_bf16, &ck_norm_relu_pool_bf16, &ck_round_bf16,
    &ck_max_pool_row_bf16, &ck_samples_bf16, &ck_norm_relu_bf16_f32, &ck_norm_relu_pool_bf16_f32,
    &ck_winograd_data, &ck_winograd_inverse, &ck_wgrad, &ck_channel_sums, &ck_norm_relu_grad,
    &ck_norm_center, &ck_max_pool_grad_row, &ck_wgrad_bf16, &ck_pairs_bf16, &ck_transpose_bf16,
    &ck_norm_relu_grad_bf16, &ck_norm_center_bf16, &ck_channel_sums_bf16,
    &ck_max_pool_grad_row_bf16, &ck_hinge_conv, &ck_conv_bordered_i8,
    &ck_hinge_conv_i8, &ck_hinge_pool_i8, &ck_sums_u8, &ck_max_pool_row_u8, &ck_samples_u8,
};

struct wish {
    const char *operation, *level; /* NULL: all */
    uint64_t seed;
    bool bench;
};

struct summary {
    size_t passed, failed, skipped;
};

static const struct ck_check *find_check(const struct cxn_kern_op *op)
{
    for (size_t i = 0; i < CXN_COUNTOF(checks); i++)
        if (checks[i]->op == op) return checks[i];
    return NULL;
}

/* The numbers a row sees depend on the seed and the operation alone, not on what else is run. */
static void check_row(const struct wish *wish, size_t op_number, const struct cxn_kern_op *op,
                      size_t row, struct summary *sum)
{
    const char *level = cxn_kern_row(op, row)->name;
    const char *missing = ck_machine_lacks(cxn_kern_row(op, row));
    const struct ck_check *check = find_check(op);
    if (missing) {
        printf("%s_%s skipped: no %s\n", op->name, level, missing);
        sum->skipped++;
        return;
    }
    struct ck t = { .op = op, .row = row, .seed = wish->seed,
                    .random = cxn_random_make(wish->seed, op_number) };
    if (!check) {
        printf("FAILED %s: tests/kern has no check of it\n", op->name);
        t.failures++;
    } else if (wish->bench) {
        t.peak = ck_machine_peak(cxn_kern_row(op, row));
        check->bench(&t);
    } else {
        check->check(&t);
        ck_mistrust(&t);
    }
    ck_reset(&t);
    if (t.failures > 0) sum->failed++;
    else sum->passed++;
}

static struct summary check_all(const struct wish *wish)
{
    struct summary sum = { 0 };
    size_t count;
    const struct cxn_kern_op *const *ops = cxn_kern_ops(&count);
    for (size_t i = 0; i < count; i++) {
        if (wish->operation && strcmp(wish->operation, ops[i]->name) != 0) continue;
        for (size_t k = 0; k < ops[i]->row_count; k++) {
            const struct cxn_kern_row *row = cxn_kern_row(ops[i], k);
            if (!ck_machine_concerns(row)) continue;
            if (!wish->level || strcmp(wish->level, row->name) == 0)
                check_row(wish, i, ops[i], k, &sum);
        }
    }
    return sum;
}

static int usage(void)
{
    fputs("usage: checkkern [-t OPERATION] [-c LEVEL] [--seed N] [--bench]\n", stderr);
    return 2;
}

static bool parse(int argc, char **argv, struct wish *wish)
{
    static const struct option long_options[] = { { "seed", required_argument, NULL, 's' },
                                                  { "bench", no_argument, NULL, 'b' },
                                                  { 0 } };
    char *end = NULL;
    for (int c; (c = getopt_long(argc, argv, "t:c:", long_options, NULL)) != -1;) {
        switch (c) {
        case 't': wish->operation = optarg; break;
        case 'c': wish->level = optarg; break;
        case 'b': wish->bench = true; break;
        case 's':
            errno = 0;
            wish->seed = strtoull(optarg, &end, 10);
            if (end == optarg || *end != '\0' || errno != 0) return false;
            break;
        default: return false;
        }
    }
    return optind == argc;
}

int main(int argc, char **argv)
{
    struct wish wish = { .seed = 1 };
    setvbuf(stdout, NULL, _IOLBF, 0); /* what failed is seen even if the next row ends it all */
    if (!parse(argc, argv, &wish)) return usage();
    const struct summary sum = check_all(&wish);
    if (sum.passed + sum.failed + sum.skipped == 0) {
        fputs("checkkern: no such operation or level\n", stderr);
        return usage();
    }
    printf("%zu %s, %zu failed, %zu skipped (seed %llu)\n", sum.passed,
           wish.bench ? "measured" : "passed", sum.failed, sum.skipped,
           (unsigned long long)wish.seed);
    if (sum.failed > 0) return 1;
    return sum.passed > 0 ? 0 : 77;
}
