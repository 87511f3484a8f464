/* SPDX-License-Identifier: Apache-2.0 */
#include "train/mpi/life.h"

#include <mpi.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum phase { STARTING, RUNNING, ENDING, LEAVING, ENDED };

struct cxn_mpi_life {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    enum phase phase;
    int code, threads; /* of MPI_Init_thread */
};

static void enter(struct cxn_mpi_life *life, enum phase phase)
{
    life->phase = phase;
    pthread_cond_broadcast(&life->changed);
}

static void *live(void *arg)
{
    struct cxn_mpi_life *life = arg;
    int threads = MPI_THREAD_SINGLE;
    const int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &threads);
    pthread_mutex_lock(&life->lock);
    life->code = code;
    life->threads = threads;
    enter(life, RUNNING);
    while (life->phase == RUNNING) pthread_cond_wait(&life->changed, &life->lock);
    const bool orderly = life->phase == ENDING;
    pthread_mutex_unlock(&life->lock);
    if (orderly) MPI_Finalize();
    pthread_mutex_lock(&life->lock);
    enter(life, ENDED);
    pthread_mutex_unlock(&life->lock);
    return NULL;
}

/* Until the thread has left that phase, at most until the deadline; looks for the parent (0: does
 * not) now and then. With the lock held. */
static bool left_in_time(struct cxn_mpi_life *life, enum phase phase, double deadline, pid_t parent)
{
    const double end = cxn_clock_seconds() + deadline;
    while (life->phase == phase) {
        struct timespec until;
        if (cxn_clock_seconds() >= end || (parent != 0 && getppid() != parent)) return false;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 200 * 1000 * 1000;
        until.tv_sec += until.tv_nsec / (1000 * 1000 * 1000);
        until.tv_nsec %= 1000 * 1000 * 1000;
        pthread_cond_timedwait(&life->changed, &life->lock, &until);
    }
    return true;
}

static void free_life(struct cxn_mpi_life **life)
{
    pthread_cond_destroy(&(*life)->changed);
    pthread_mutex_destroy(&(*life)->lock);
    cxn_free(*life);
    *life = NULL;
}

/* Signals are for the threads that were there before. */
static int start_thread(struct cxn_mpi_life *life)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int refused = pthread_create(&life->thread, NULL, live, life);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return refused;
}

enum cxn_status cxn_mpi_life_begin(struct cxn_mpi_life **out, double deadline, pid_t parent,
                                   const struct cxn_env *env, struct cxn_error *err)
{
    *out = NULL;
    int begun = 0;
    MPI_Initialized(&begun);
    if (begun) return cxn_fail(err, CXN_E_ARG, "MPI can be started only once in a process");
    struct cxn_mpi_life *life = cxn_alloc_zero(env->mem, 1, sizeof *life);
    if (!life) return cxn_fail_nomem(err, env->mem, sizeof *life, "MPI's thread");
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&life->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&life->lock, NULL);
    if (start_thread(life) != 0) {
        free_life(&life);
        return cxn_fail(err, CXN_E_NOMEM, "the system refused a thread for MPI");
    }
    pthread_mutex_lock(&life->lock);
    const bool started = left_in_time(life, STARTING, deadline, parent);
    pthread_mutex_unlock(&life->lock);
    if (!started) { /* its memory is the thread's now */
        pthread_detach(life->thread);
        if (getppid() != parent) return cxn_fail(err, CXN_E_PEER, "what started this rank is gone");
        return cxn_fail(err, CXN_E_PEER,
                        "MPI has not started within %g s: some rank or its host is missing",
                        deadline);
    }
    if (life->code == MPI_SUCCESS && life->threads >= MPI_THREAD_SERIALIZED) {
        *out = life;
        return CXN_OK;
    }
    const bool refused = life->code != MPI_SUCCESS;
    cxn_mpi_life_end(&life, deadline, refused);
    return cxn_fail(err, CXN_E_IO, "%s", refused ? "MPI cannot start" :
                    "this MPI lacks MPI_THREAD_SERIALIZED");
}

void cxn_mpi_life_end(struct cxn_mpi_life **life, double deadline, bool lost)
{
    struct cxn_mpi_life *l = *life;
    *life = NULL;
    pthread_mutex_lock(&l->lock);
    enter(l, lost ? LEAVING : ENDING);
    const bool ended = left_in_time(l, lost ? LEAVING : ENDING, deadline, 0);
    pthread_mutex_unlock(&l->lock);
    if (!ended) {
        pthread_detach(l->thread);
        return;
    }
    pthread_join(l->thread, NULL);
    free_life(&l);
}
