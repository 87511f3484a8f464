/* SPDX-License-Identifier: Apache-2.0 */
/* {"skipped": 0, "epochs": [[val_loss, val_mean_auc or null], ...]} */
#include <math.h>

#include "train/loop.h"

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *cxn_state_json(const struct cxn_train_state *state)
{
    json_t *epochs = json_array();
    int failed = epochs ? 0 : -1;
    for (size_t i = 0; i < state->epoch_count; i++)
        failed |= json_array_append_new(epochs, json_pack("[o, o]",
                                                          number(state->epochs[i].val_loss),
                                                          number(state->epochs[i].val_mean_auc)));
    if (!failed)
        return json_pack("{s:I, s:o}", "skipped", (json_int_t)state->skipped, "epochs", epochs);
    json_decref(epochs);
    return NULL;
}

static enum cxn_status bad(struct cxn_error *err, const char *what)
{
    return cxn_fail(err, CXN_E_FORMAT, "the state of the checkpoint: %s", what);
}

static bool read_epoch(const json_t *pair, struct cxn_epoch_result *r)
{
    const json_t *loss = json_array_get(pair, 0), *auc = json_array_get(pair, 1);
    if (json_array_size(pair) != 2) return false;
    if (!json_is_number(loss) || !(json_is_number(auc) || json_is_null(auc))) return false;
    r->val_loss = json_number_value(loss);
    r->val_mean_auc = json_is_null(auc) ? NAN : json_number_value(auc);
    return r->val_loss >= 0 && !(r->val_mean_auc < 0 || r->val_mean_auc > 1);
}

enum cxn_status cxn_state_read(struct cxn_train_state *state, const struct cxn_place *place,
                               const json_t *object, size_t epochs, struct cxn_error *err)
{
    const json_t *skipped = json_object_get(object, "skipped");
    const json_t *list = json_object_get(object, "epochs");
    if (!json_is_integer(skipped) || json_integer_value(skipped) < 0)
        return bad(err, "no count of skipped images");
    if (!json_is_array(list) || json_array_size(list) > epochs ||
        json_array_size(list) != place->epoch)
        return bad(err, "another number of epochs than the settings and its place tell");
    state->step = place->step;
    state->skipped = (uint64_t)json_integer_value(skipped);
    state->epoch_count = json_array_size(list);
    for (size_t i = 0; i < state->epoch_count; i++)
        if (!read_epoch(json_array_get(list, i), &state->epochs[i]))
            return bad(err, "an epoch without loss and AUC");
    return CXN_OK;
}
