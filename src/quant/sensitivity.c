/* SPDX-License-Identifier: Apache-2.0 */
#include "quant/sensitivity.h"

#include "quant/engine.h"
#include "quant/quantize.h"

struct measuring {
    const struct cxn_sensitivity_input *input;
    const struct cxn_env *env;
    bool *two_parts; /* [fold->count] */
    float *prob;     /* [count][classes] */
    size_t probs;
};

static enum cxn_status run_quantized(const struct measuring *m, const cxn_quantized *quantized,
                                     struct cxn_error *err)
{
    const struct cxn_engine_source source = { .net = quantized->fold->net,
                                              .quantized = quantized };
    cxn_engine_state *state;
    enum cxn_status status = cxn_engine_int8.open(&state, &source, m->env, err);
    if (status == CXN_OK)
        status = cxn_engine_int8.run(state, m->input->views, m->input->count, m->prob, err);
    cxn_engine_int8.close(&state);
    return status;
}

/* With the parts that have two now. */
static enum cxn_status measure_error(const struct measuring *m, double *error,
                                     struct cxn_error *err)
{
    cxn_quantized *quantized;
    enum cxn_status status = cxn_quantized_make(&quantized, m->input->source,
                                                m->input->calibration, m->two_parts, m->env->mem,
                                                err);
    if (status == CXN_OK) status = run_quantized(m, quantized, err);
    cxn_quantized_close(&quantized);
    double sum = 0.0;
    for (size_t i = 0; status == CXN_OK && i < m->probs; i++) {
        const double change = (double)m->prob[i] - (double)m->input->wanted[i];
        sum += change * change;
    }
    *error = sum / (double)m->probs;
    return status;
}

static void insert(struct cxn_sensitivity *rows, size_t count, struct cxn_sensitivity row)
{
    for (; count > 0 && rows[count - 1].fall < row.fall; count--) rows[count] = rows[count - 1];
    rows[count] = row;
}

static size_t count_convolutions(const cxn_fold *fold)
{
    size_t count = 0;
    for (size_t i = 0; i < fold->count; i++) count += fold->parts[i].kind == CXN_PART_CONV;
    return count;
}

static enum cxn_status measure_all(struct measuring *m, struct cxn_sensitivity *rows,
                                   size_t *row_count, struct cxn_error *err)
{
    const cxn_fold *fold = m->input->source->fold;
    const size_t total = count_convolutions(fold);
    double whole;
    enum cxn_status status = measure_error(m, &whole, err);
    *row_count = 0;
    for (size_t i = 0; status == CXN_OK && i < fold->count; i++) {
        double error;
        if (fold->parts[i].kind != CXN_PART_CONV) continue;
        m->two_parts[i] = true;
        status = measure_error(m, &error, err);
        m->two_parts[i] = false;
        insert(rows, (*row_count)++, (struct cxn_sensitivity){ i, whole - error });
        if (status == CXN_OK && cxn_progress_stops(m->input->progress, *row_count, total))
            status = cxn_fail(err, CXN_E_STOPPED, "stopped after %zu of %zu layers", *row_count,
                              total);
    }
    return status;
}

enum cxn_status cxn_sensitivity_measure(const struct cxn_sensitivity_input *input,
                                        const struct cxn_env *env, struct cxn_sensitivity *rows,
                                        size_t *row_count, struct cxn_error *err)
{
    const cxn_fold *fold = input->source->fold;
    struct measuring m = { .input = input, .env = env,
                           .probs = input->count * fold->net->config.classes };
    m.two_parts = cxn_alloc_zero(env->mem, fold->count, sizeof *m.two_parts);
    m.prob = cxn_alloc(env->mem, m.probs, sizeof *m.prob);
    const enum cxn_status status =
        m.two_parts && m.prob ? measure_all(&m, rows, row_count, err)
                              : cxn_fail_nomem(err, env->mem, m.probs * sizeof *m.prob,
                                               "what a layer's 8 bits cost");
    cxn_free(m.two_parts);
    cxn_free(m.prob);
    return status;
}
