/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_quantized FILE: a quantised DenseNet-121 of random numbers, with layers put back, for tests
 * of the command. What the reference would say there is none to ask: its answers are the engine's.
 */
#include <stdio.h>

#include "cpu/cpu.h"
#include "data/list.h"
#include "quant/engine.h"
#include "quant/quantized_file.h"
#include "quantized_case.h"

static enum cxn_status write_model(const struct cxn_env *env, const cxn_quantized *quantized,
                                   const char *path, struct cxn_error *err)
{
    const struct cxn_engine_source source = { .net = quantized->fold->net,
                                              .quantized = quantized };
    float answers[CXN_PROBE_VIEWS * CXN_FINDING_COUNT];
    struct cxn_probe probe;
    struct cxn_quantized_content content = {
        .derived = { .source_name = "random", .version = "0", .level = "c" },
        .about = { .images = 1 },
        .quantized = quantized, .probe = &probe, .reference = answers, .answers = answers
    };
    cxn_sha256_hex("", 0, content.derived.source_sha256);
    cxn_sha256_hex("", 0, content.about.calibration_sha256);
    enum cxn_status status = cxn_probe_draw(&probe, env, err);
    if (status == CXN_OK)
        status = cxn_probe_ask(&probe, &cxn_engine_int8, &source, env, answers, err);
    if (status == CXN_OK) status = cxn_quantized_write(env, path, &content, err);
    cxn_probe_close(&probe);
    return status;
}

int main(int argc, char **argv)
{
    struct cxn_env env = { .cpu = cxn_cpu_detect() };
    struct cxn_error err = { "" };
    cxn_net *net = NULL;
    cxn_fold *fold = NULL;
    cxn_quantized *quantized = NULL;
    if (argc != 2) return 2;
    enum cxn_status status = cxn_pool_open(&env.pool, 1, &err);
    if (status == CXN_OK) status = cxn_net_open(&net, &cxn_densenet121, NULL, &err);
    if (status == CXN_OK) status = cxn_fold_open(&fold, net, NULL, &err);
    if (status == CXN_OK) {
        quantized = random_quantized(fold, true, 1);
        status = write_model(&env, quantized, argv[1], &err);
    }
    cxn_quantized_close(&quantized);
    cxn_fold_close(&fold);
    cxn_net_close(&net);
    cxn_pool_close(&env.pool);
    if (status != CXN_OK) fprintf(stderr, "%s\n", err.text);
    return cxn_status_exit(status);
}
