/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TESTS_EMULATE_AMX_H
#define CXN_TESTS_EMULATE_AMX_H

#include <stdbool.h>

/* Whether this thread's tiles are configured, which a kernel must not leave behind: the state would
 * slow down every switch of the host's threads. */
bool emulate_tiles_in_use(void);

#endif
