/* SPDX-License-Identifier: Apache-2.0 */
#include "api/trainers.h"

#include "fuse/engine.h"

struct cxn_trainer_row cxn_trainer_choose(enum cxn_precision precision)
{
    const bool bf16 = precision == CXN_PRECISION_BF16;
    return (struct cxn_trainer_row){ .trainer = &cxn_trainer_cpu,
                                     .engine = bf16 ? &cxn_engine_bf16 : &cxn_engine_fp32 };
}
