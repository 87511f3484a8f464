/* SPDX-License-Identifier: Apache-2.0 */
#include "train/state.h"

#include <math.h>
#include <stdbool.h>

static bool is_better(const struct cxn_epoch_result *a, const struct cxn_epoch_result *b)
{
    const bool known = !isnan(a->val_mean_auc), known_b = !isnan(b->val_mean_auc);
    if (known != known_b) return known;
    return known ? a->val_mean_auc > b->val_mean_auc : a->val_loss < b->val_loss;
}

size_t cxn_state_best(const struct cxn_epoch_result *epochs, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (is_better(&epochs[i], &epochs[best])) best = i;
    return best;
}
