/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TOOLS_OPTIONS_H
#define CXN_TOOLS_OPTIONS_H

#include "command.h"

/* Parse argv (argv[0] is the command's name). Operands and values borrow from argv. Close also
 * after an error. With --help, operands and required options are not checked. */
enum cxn_status invocation_open(struct invocation *inv, const struct command *command, int argc,
                                char **argv, struct cxn_error *err);
void invocation_close(struct invocation *inv);

#endif
