/* SPDX-License-Identifier: Apache-2.0 */
#include "stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t signal_seen;

static void note_signal(int number)
{
    signal_seen = number;
}

/* One that is ignored stays so: nohup, and shells for what they run in the background, ask for
 * that. A result that is being printed when the signal comes is still printed: SA_RESTART. */
static void watch(int number, unsigned flags)
{
    struct sigaction action = { .sa_handler = note_signal,
                                .sa_flags = (int)(flags | SA_RESTART) };
    struct sigaction before;
    sigemptyset(&action.sa_mask);
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN) return;
    sigaction(number, &action, NULL);
}

void stop_watch(void)
{
    watch(SIGHUP, SA_RESETHAND);
    watch(SIGINT, SA_RESETHAND);
    watch(SIGTERM, SA_RESETHAND);
}

void stop_watch_job(void)
{
    watch(SIGHUP, SA_RESETHAND);
    watch(SIGINT, SA_RESETHAND);
    watch(SIGTERM, 0);
    watch(SIGUSR1, 0);
}

bool stop_asked(void)
{
    return signal_seen != 0;
}

void stop_by_signal(void)
{
    if (signal_seen == 0) return;
    signal((int)signal_seen, SIG_DFL);
    raise((int)signal_seen);
}
