# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(weights_real unit/test_weights_real.c)
cxn_unit_test(pickle unit/test_pickle.c unit/weights_case.c)
cxn_unit_test(weights unit/test_weights.c unit/weights_case.c)
cxn_unit_test(legacy unit/test_legacy.c unit/weights_case.c)
cxn_unit_test(zip unit/test_zip.c unit/weights_case.c)
cxn_unit_test(safetensors unit/test_safetensors.c unit/weights_case.c)
cxn_unit_test(weights_faults unit/test_weights_faults.c unit/weights_case.c)
cxn_unit_test(info unit/test_info.c)
