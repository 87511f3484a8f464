/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rank of a job, to be started by mpirun:
 *   mpi_job check DEADLINE             sums against a local tree, gather, broadcast
 *   mpi_job endless DEADLINE FOLDER    sums until something happens; its pid is in FOLDER/RANK
 *   mpi_job leave DEADLINE RANK        that rank leaves after some sums, the others go on
 *   mpi_job short DEADLINE RANK        that rank sums one number less than the others
 *   mpi_job late DEADLINE RANK         that rank closes without the sum that the others start
 *   mpi_job time DEADLINE MIB          milliseconds that a sum of so many MiB takes; 0: one number
 * Ends with the status and the one line that a command would.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "train/comm.h"

enum { RANKS_MAX = 64, BUCKETS_MAX = 40 };

struct job {
    const struct cxn_comm *comm;
    cxn_comm_state *state;
    unsigned rank, ranks;
    const char *word; /* the third argument */
    struct cxn_error err;
    bool wrong;
};

#define EXPECT(job, what)                                                                     \
    do {                                                                                      \
        if (!(what)) {                                                                        \
            fprintf(stderr, "rank %u, line %d: %s\n", (job)->rank, __LINE__, #what);          \
            (job)->wrong = true;                                                              \
        }                                                                                     \
    } while (0)

/* Number i of rank r's span: magnitudes so far apart that the order of additions shows, zeros of
 * both signs and subnormals among them. */
static double leaf(struct cxn_random *random, enum cxn_number number)
{
    const uint32_t kind = cxn_random_u32(random) % 64;
    const double unit = (double)(int32_t)cxn_random_u32(random);
    if (kind < 2) return kind == 0 ? 0.0 : -0.0;
    if (kind == 2) return ldexp(unit, number == CXN_NUMBER_F32 ? -170 : -1080);
    return ldexp(unit, (int)(kind % 16) * 3);
}

static void set_number(struct cxn_span *span, size_t i, double value)
{
    if (span->number == CXN_NUMBER_F32)
        ((float *)span->data)[i] = (float)value;
    else
        ((double *)span->data)[i] = value;
}

static size_t span_bytes(const struct cxn_span *span)
{
    return span->count * (span->number == CXN_NUMBER_F32 ? sizeof(float) : sizeof(double));
}

static void fill_leaves(struct cxn_span *span, unsigned rank, unsigned bucket)
{
    struct cxn_random random = cxn_random_make(rank + 1, bucket);
    for (size_t i = 0; i < span->count; i++) set_number(span, i, leaf(&random, span->number));
}

/* The tree as the definition has it: the sum of a group of ranks is that of its lower half plus
 * that of its upper. */
static float tree_f32(const float *leaves, unsigned count)
{
    if (count == 1) return leaves[0];
    return tree_f32(leaves, count / 2) + tree_f32(leaves + count / 2, count / 2);
}

static double tree_f64(const double *leaves, unsigned count)
{
    if (count == 1) return leaves[0];
    return tree_f64(leaves, count / 2) + tree_f64(leaves + count / 2, count / 2);
}

/* Numbers that differ from the tree's in a bit; *in_order: from a sum in the order of ranks. */
static size_t compare(const struct cxn_span *got, unsigned ranks, unsigned bucket, size_t *in_order)
{
    struct cxn_random random[RANKS_MAX];
    size_t wrong = 0;
    for (unsigned r = 0; r < ranks; r++) random[r] = cxn_random_make(r + 1, bucket);
    for (size_t i = 0; i < got->count; i++) {
        float f32[RANKS_MAX], line = 0;
        double f64[RANKS_MAX];
        for (unsigned r = 0; r < ranks; r++) {
            f64[r] = leaf(&random[r], got->number);
            f32[r] = (float)f64[r];
            line = r == 0 ? f32[r] : line + f32[r];
        }
        if (got->number == CXN_NUMBER_F32) {
            const float want = tree_f32(f32, ranks);
            wrong += memcmp(&want, (float *)got->data + i, sizeof want) != 0;
            *in_order += memcmp(&line, &want, sizeof want) != 0;
        } else {
            const double want = tree_f64(f64, ranks);
            wrong += memcmp(&want, (double *)got->data + i, sizeof want) != 0;
        }
    }
    return wrong;
}

/* Buckets around the sizes at which the exchange changes its manner, in both kinds of numbers. */
static enum cxn_status check_sums(struct job *job)
{
    static const size_t counts[BUCKETS_MAX / 2] = {
        1, 2, 3, 7, 0, 1023, 1024, 1025, 2047, 2048, 2049, 5000, 131071, 131072, 131073, 262143,
        262145, 400001, 17, 1
    };
    struct cxn_span spans[BUCKETS_MAX];
    size_t in_order = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < BUCKETS_MAX; i++) {
        const enum cxn_number number = i % 2 == 0 ? CXN_NUMBER_F32 : CXN_NUMBER_F64;
        spans[i] = (struct cxn_span){ NULL, counts[i / 2], number, CXN_MEMORY_HOST };
        spans[i].data = malloc(span_bytes(&spans[i]) + 1);
        if (!spans[i].data) return CXN_E_NOMEM;
        fill_leaves(&spans[i], job->rank, i);
    }
    enum cxn_status status = CXN_OK;
    struct cxn_random pause = cxn_random_make(99, job->rank); /* no rank keeps step with another */
    for (; status == CXN_OK && count < BUCKETS_MAX; count++) {
        status = job->comm->start_sum(job->state, &spans[count], &job->err);
        const unsigned calls = cxn_random_u32(&pause) % 8;
        for (unsigned i = 0; status == CXN_OK && i < calls; i++)
            status = job->comm->progress(job->state, &job->err);
        usleep(cxn_random_u32(&pause) % 2000);
    }
    if (status == CXN_OK) status = job->comm->finish(job->state, &job->err);
    for (unsigned i = 0; i < BUCKETS_MAX; i++) {
        if (status == CXN_OK) EXPECT(job, compare(&spans[i], job->ranks, i, &in_order) == 0);
        free(spans[i].data);
    }
    /* Else the test could not tell one tree from another. */
    if (job->ranks > 2 && status == CXN_OK) EXPECT(job, in_order > 1000);
    return status;
}

/* As many as there may be, a few times over, and one more. */
static enum cxn_status check_many(struct job *job)
{
    double numbers[CXN_COMM_SUMS_MAX];
    enum cxn_status status = CXN_OK;
    for (int round = 0; status == CXN_OK && round < 100; round++) {
        for (int i = 0; status == CXN_OK && i < CXN_COMM_SUMS_MAX; i++) {
            numbers[i] = round * 1000 + i;
            const struct cxn_span span = { &numbers[i], 1, CXN_NUMBER_F64, CXN_MEMORY_HOST };
            status = job->comm->start_sum(job->state, &span, &job->err);
        }
        const struct cxn_span more = { numbers, 1, CXN_NUMBER_F64, CXN_MEMORY_HOST };
        struct cxn_error err;
        if (status == CXN_OK)
            EXPECT(job, job->comm->start_sum(job->state, &more, &err) == CXN_E_INTERNAL);
        if (status == CXN_OK) status = job->comm->finish(job->state, &job->err);
        for (int i = 0; status == CXN_OK && i < CXN_COMM_SUMS_MAX; i++)
            EXPECT(job, numbers[i] == (round * 1000 + i) * (double)job->ranks);
    }
    return status;
}

static unsigned char byte_of(unsigned rank, size_t i)
{
    return (unsigned char)(rank * 37 + i * 11 + i / 251);
}

static enum cxn_status check_bytes(struct job *job, size_t bytes)
{
    unsigned char *own = malloc(bytes + 1), *all = malloc(bytes * job->ranks + 1);
    if (!own || !all) return CXN_E_NOMEM;
    for (size_t i = 0; i < bytes; i++) own[i] = byte_of(job->rank, i);
    enum cxn_status status = job->comm->gather(job->state, own, all, bytes, &job->err);
    size_t wrong = 0;
    for (unsigned r = 0; r < job->ranks; r++)
        for (size_t i = 0; i < bytes; i++) wrong += all[r * bytes + i] != byte_of(r, i);
    EXPECT(job, status != CXN_OK || wrong == 0);
    if (status == CXN_OK) status = job->comm->broadcast(job->state, own, bytes, &job->err);
    for (size_t i = 0; i < bytes; i++) wrong += own[i] != byte_of(0, i);
    EXPECT(job, status != CXN_OK || wrong == 0);
    free(own);
    free(all);
    return status;
}

static enum cxn_status run_check(struct job *job)
{
    static const size_t sizes[] = { 0, 1, 1000, 1 << 20, (2 << 20) + 7 };
    const char *expected = getenv("MPI_JOB_RANKS"); /* else R unconnected ranks would be content */
    if (expected) EXPECT(job, job->ranks == strtoul(expected, NULL, 10));
    enum cxn_status status = check_sums(job);
    if (status == CXN_OK) status = check_many(job);
    for (size_t i = 0; status == CXN_OK && i < CXN_COUNTOF(sizes); i++)
        status = check_bytes(job, sizes[i]);
    if (status == CXN_OK) status = check_sums(job);
    if (status == CXN_OK && job->rank == 0 && !job->wrong)
        printf("%u ranks: all as expected\n", job->ranks);
    return status;
}

static void set_ones(float *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) numbers[i] = 1;
}

static enum cxn_status sum_buckets(struct job *job, float *numbers, size_t count, unsigned buckets)
{
    enum cxn_status status = CXN_OK;
    for (size_t b = 0; status == CXN_OK && b < buckets; b++) {
        const size_t from = count * b / buckets, to = count * (b + 1) / buckets;
        const struct cxn_span span = { numbers + from, to - from, CXN_NUMBER_F32, CXN_MEMORY_HOST };
        status = job->comm->start_sum(job->state, &span, &job->err);
        if (status == CXN_OK) status = job->comm->progress(job->state, &job->err);
    }
    return status == CXN_OK ? job->comm->finish(job->state, &job->err) : status;
}

/* Of ones, in buckets; looks at what comes out. */
static enum cxn_status sum_once(struct job *job, float *numbers, size_t count, unsigned buckets)
{
    set_ones(numbers, count);
    const enum cxn_status status = sum_buckets(job, numbers, count, buckets);
    if (status == CXN_OK)
        EXPECT(job, numbers[0] == (float)job->ranks && numbers[count - 1] == (float)job->ranks);
    return status;
}

enum { COUNT = 7 << 20, BUCKETS = 30 };

static void write_pid(const struct job *job)
{
    char path[1000];
    snprintf(path, sizeof path, "%s/%u", job->word, job->rank);
    FILE *file = fopen(path, "w");
    if (!file) return;
    fprintf(file, "%ld\n", (long)getpid());
    fclose(file);
}

static enum cxn_status run_endless(struct job *job)
{
    float *numbers = malloc(COUNT * sizeof *numbers);
    if (!numbers) return CXN_E_NOMEM;
    signal(SIGTERM, SIG_IGN); /* a command takes it as a wish, and goes on for a while */
    enum cxn_status status = sum_once(job, numbers, COUNT, BUCKETS);
    if (status == CXN_OK) write_pid(job);
    while (status == CXN_OK) status = sum_once(job, numbers, COUNT, BUCKETS);
    free(numbers);
    return status;
}

static enum cxn_status run_leave(struct job *job)
{
    float numbers[1000];
    enum cxn_status status = CXN_OK;
    for (int i = 0; status == CXN_OK; i++) {
        status = sum_once(job, numbers, CXN_COUNTOF(numbers), 3);
        if (i == 10 && job->rank == strtoul(job->word, NULL, 10))
            /* The status of the others: mpirun's is that of whoever ends first. */
            return cxn_fail(&job->err, CXN_E_PEER, "leaves");
    }
    return status;
}

static enum cxn_status run_short(struct job *job)
{
    float numbers[1000];
    const bool is_short = job->rank == strtoul(job->word, NULL, 10);
    return sum_once(job, numbers, CXN_COUNTOF(numbers) - is_short, 1);
}

static enum cxn_status run_late(struct job *job)
{
    float numbers[1000];
    if (job->rank == strtoul(job->word, NULL, 10)) {
        for (;;) { /* alive, and elsewhere */
            const enum cxn_status status = job->comm->progress(job->state, &job->err);
            if (status != CXN_OK) return status;
            usleep(1000);
        }
    }
    return sum_once(job, numbers, CXN_COUNTOF(numbers), 1);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static enum cxn_status run_time(struct job *job)
{
    enum { ROUNDS = 21 };
    const size_t mib = strtoul(job->word, NULL, 10), count = mib > 0 ? mib << 18 : 1;
    float *numbers = malloc(count * sizeof *numbers);
    double seconds[ROUNDS];
    enum cxn_status status = numbers ? CXN_OK : CXN_E_NOMEM;
    for (int i = 0; status == CXN_OK && i < ROUNDS; i++) {
        char own = 0, all[RANKS_MAX];
        set_ones(numbers, count);
        status = job->comm->gather(job->state, &own, all, 1, &job->err); /* begin together */
        const double begin = cxn_clock_seconds();
        if (status == CXN_OK) status = sum_buckets(job, numbers, count, mib > 0 ? BUCKETS : 1);
        seconds[i] = cxn_clock_seconds() - begin;
    }
    if (status == CXN_OK && job->rank == 0) {
        qsort(seconds, ROUNDS, sizeof seconds[0], by_value);
        printf("%u ranks, %s MiB: %.2f ms min, %.2f median, %.2f max\n", job->ranks, job->word,
               seconds[0] * 1e3, seconds[ROUNDS / 2] * 1e3, seconds[ROUNDS - 1] * 1e3);
    }
    free(numbers);
    return status;
}

static const struct mode {
    const char *name;
    enum cxn_status (*run)(struct job *job);
} modes[] = {
    { "check", run_check }, { "endless", run_endless }, { "leave", run_leave },
    { "short", run_short }, { "late", run_late },       { "time", run_time },
};

/* Where mpirun is gone, nobody hands on what is printed, and printing is a SIGPIPE. */
static void write_said(const struct job *job)
{
    const char *path = getenv("MPI_JOB_SAID");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (!file) return;
    fprintf(file, "%s\n", job->err.text);
    fclose(file);
}

static enum cxn_status run(struct job *job, const struct mode *mode, double deadline)
{
    const struct cxn_comm_options options = { .deadline = deadline };
    struct cxn_mem mem;
    cxn_mem_init(&mem, 0);
    const struct cxn_env env = { .mem = &mem };
    enum cxn_status status = cxn_comm_mpi_load(&job->comm, &job->err);
    if (status == CXN_OK) status = job->comm->open(&job->state, &options, &env, &job->err);
    if (status != CXN_OK) {
        if (job->state) job->comm->close(&job->state, false);
        return status;
    }
    EXPECT(job, job->comm->ranks(job->state) == 1 || cxn_comm_launcher() != NULL);
    job->rank = job->comm->rank(job->state);
    job->ranks = job->comm->ranks(job->state);
    status = mode->run(job);
    job->comm->close(&job->state, status != CXN_OK);
    EXPECT(job, !job->state && atomic_load(&mem.blocks) == 0);
    return status;
}

int main(int argc, char **argv)
{
    static struct job job;
    const struct mode *mode = NULL;
    for (size_t i = 0; argc >= 3 && i < CXN_COUNTOF(modes); i++)
        if (strcmp(argv[1], modes[i].name) == 0) mode = &modes[i];
    if (!mode) {
        fputs("usage: mpi_job MODE DEADLINE [WORD]\n", stderr);
        return 2;
    }
    job.word = argc > 3 ? argv[3] : "0";
    const enum cxn_status status = run(&job, mode, strtod(argv[2], NULL));
    if (status != CXN_OK) {
        write_said(&job);
        fprintf(stderr, "mpi_job: %s\n", job.err.text);
    }
    if (status == CXN_OK && job.wrong) return 1;
    return cxn_status_exit(status);
}
