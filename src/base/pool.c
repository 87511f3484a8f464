/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct cxn_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    unsigned started; /* threads besides the caller */
    unsigned busy;    /* of them, still in the current round */
    unsigned long round;
    bool stop;
    cxn_pool_fn *fn;
    void *ctx;
    size_t count;
    atomic_size_t next;
    struct worker {
        cxn_pool *pool;
        unsigned number;
        pthread_t id;
    } workers[];
};

unsigned cxn_cpu_count(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    const int n = CPU_COUNT(&set);
    if (n < 1) return 1;
    return n > CXN_THREADS_MAX ? CXN_THREADS_MAX : (unsigned)n;
}

static void take_indices(cxn_pool *pool, unsigned thread)
{
    for (;;) {
        const size_t i = atomic_fetch_add(&pool->next, 1);
        if (i >= pool->count) return;
        pool->fn(pool->ctx, i, thread);
    }
}

static void *worker_main(void *arg)
{
    const struct worker *w = arg;
    cxn_pool *pool = w->pool;
    unsigned long seen = 0;
    fesetenv(FE_DFL_ENV); /* a thread starts in the mode of the one that started it */
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->stop && pool->round == seen) pthread_cond_wait(&pool->work, &pool->lock);
        if (pool->stop) break;
        seen = pool->round;
        pthread_mutex_unlock(&pool->lock);
        take_indices(pool, w->number);
        pthread_mutex_lock(&pool->lock);
        if (--pool->busy == 0) pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

enum cxn_status cxn_pool_open(cxn_pool **out, unsigned threads, struct cxn_error *err)
{
    *out = NULL;
    if (threads > CXN_THREADS_MAX)
        return cxn_fail(err, CXN_E_ARG, "%u threads asked for, at most %d are supported", threads,
                        CXN_THREADS_MAX);
    if (threads == 0) threads = cxn_cpu_count();
    cxn_pool *pool = calloc(1, sizeof *pool + (threads - 1) * sizeof pool->workers[0]);
    if (!pool) return cxn_fail(err, CXN_E_NOMEM, "no memory for a pool of %u threads", threads);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (unsigned i = 0; i + 1 < threads; i++) {
        struct worker *w = &pool->workers[i];
        *w = (struct worker){ .pool = pool, .number = i + 1 };
        if (pthread_create(&w->id, NULL, worker_main, w) != 0) break; /* fewer threads, same bits */
        pool->started++;
    }
    *out = pool;
    return CXN_OK;
}

unsigned cxn_pool_threads(const cxn_pool *pool)
{
    return pool ? pool->started + 1 : 1;
}

void cxn_pool_run(cxn_pool *pool, size_t count, cxn_pool_fn *fn, void *ctx)
{
    if (!pool || pool->started == 0 || count < 2) {
        for (size_t i = 0; i < count; i++) fn(ctx, i, 0);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->fn = fn;
    pool->ctx = ctx;
    pool->count = count;
    atomic_store(&pool->next, 0);
    pool->busy = pool->started;
    pool->round++;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    take_indices(pool, 0);
    pthread_mutex_lock(&pool->lock);
    while (pool->busy > 0) pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void cxn_pool_close(cxn_pool **pool_ref)
{
    if (!pool_ref || !*pool_ref) return;
    cxn_pool *pool = *pool_ref;
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->started; i++) pthread_join(pool->workers[i].id, NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
    *pool_ref = NULL;
}
