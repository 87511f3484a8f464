/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TOOLS_OPTION_ROWS_H
#define CXN_TOOLS_OPTION_ROWS_H

#include "command.h"

/* Rows that several commands have, so that one option is explained in one way. */

#define OPT_ENTRIES                                                                                \
    { .name = "entries", .value = "FILE", .help = "NIH's Data_Entry CSV, for name-only lists" }
#define OPT_MODE                                                                                   \
    { .name = "mode", .value = "MODE", .list_choices = list_modes, .initial = "auto",              \
      .help = "how to compute; auto is the fastest that model and CPU allow" }
#define OPT_DEVICE                                                                                 \
    { .name = "device", .value = "DEVICE", .choices = "cpu", .initial = "cpu",                     \
      .help = "what computes" }
#define OPT_CROPS                                                                                  \
    { .name = "crops", .value = "CROPS", .choices = "ten|center|full", .initial = "ten",           \
      .help = "224x224 windows that each image is scored with, or the full image" }
#define OPT_OUT_PREDICTIONS                                                                        \
    { .name = "out", .value = "FILE", .help = "write the predictions as CSV" }
#define OPT_ON_BAD                                                                                 \
    { .name = "on-bad", .value = "POLICY", .choices = "fail|skip", .initial = "fail",              \
      .help = "what an unreadable image does: end the work, or be left out and named" }
#define OPT_JSON { .name = "json", .help = "print one JSON object instead of text" }

#endif
