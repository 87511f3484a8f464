/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TOOLS_STOP_H
#define CXN_TOOLS_STOP_H

#include <stdbool.h>

/* SIGHUP, SIGINT and SIGTERM become a flag that progress functions ask for, so that work ends
 * between two batches and leaves no temporary file. A second one of the same kind ends the process
 * at once. */
void stop_watch(void);

/* The same for work that ends orderly by itself, and SIGUSR1 too; of these only SIGHUP and SIGINT
 * end the process at once when they come twice: a job's launcher and its system may both pass on
 * the others. */
void stop_watch_job(void);

/* Whether a stop was asked for. */
bool stop_asked(void);

/* Where a signal asked for the stop: end by that signal, as the shell expects. */
void stop_by_signal(void);

#endif
