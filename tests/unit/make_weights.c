/* SPDX-License-Identifier: Apache-2.0 */
/* make_weights FILE: the formula's DenseNet-121 as safetensors, for tests of the command. */
#include <stdio.h>

#include "formula.h"
#include "model/safetensors.h"

static enum cxn_status write_weights(const cxn_net *net, const float *block, const char *path,
                                     struct cxn_error *err)
{
    static const struct cxn_env env;
    struct cxn_out_tensor *tensors = cxn_alloc_zero(NULL, net->tensor_count, sizeof *tensors);
    if (!tensors) return CXN_E_NOMEM;
    for (size_t i = 0; i < net->tensor_count; i++) {
        const struct cxn_net_tensor *t = &net->tensors[i];
        tensors[i] = (struct cxn_out_tensor){ .name = t->name, .dtype = CXN_DTYPE_F32,
                                              .rank = t->rank, .data = block + t->offset };
        for (uint32_t d = 0; d < t->rank; d++) tensors[i].dims[d] = t->dims[d];
    }
    const struct cxn_safetensors_content content = { .tensors = tensors,
                                                     .tensor_count = net->tensor_count };
    const enum cxn_status status = cxn_safetensors_write(&env, path, &content, err);
    cxn_free(tensors);
    return status;
}

int main(int argc, char **argv)
{
    struct cxn_error err = { "" };
    cxn_net *net = NULL;
    float *block = NULL;
    if (argc != 2) return 2;
    enum cxn_status status = cxn_net_open(&net, &cxn_densenet121, NULL, &err);
    if (status == CXN_OK) block = cxn_alloc(NULL, net->float_count, sizeof *block);
    if (block) {
        formula_weights(net, block);
        status = write_weights(net, block, argv[1], &err);
    }
    cxn_free(block);
    cxn_net_close(&net);
    if (status != CXN_OK) fprintf(stderr, "%s\n", err.text);
    return cxn_status_exit(status);
}
