# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(sort unit/test_sort.c)
cxn_unit_test(list unit/test_list.c)
cxn_unit_test(eval unit/test_eval.c)
target_link_libraries(test_eval PRIVATE PkgConfig::JANSSON)
cxn_unit_test(predictions unit/test_predictions.c)
cxn_unit_test(eval_api unit/test_eval_api.c)
target_link_libraries(test_eval_api PRIVATE PkgConfig::JANSSON)
