# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(sort unit/test_sort.c)
cxn_unit_test(list unit/test_list.c)
cxn_unit_test(eval unit/test_eval.c)
target_link_libraries(test_eval PRIVATE PkgConfig::JANSSON)
cxn_unit_test(predictions unit/test_predictions.c)
cxn_unit_test(eval_api unit/test_eval_api.c)
target_link_libraries(test_eval_api PRIVATE PkgConfig::JANSSON)
cxn_script_test(cli_eval tests/cli_eval.sh $<TARGET_FILE:chexnet_command>)
cxn_script_test(official_lists tests/official_lists.sh $<TARGET_FILE:chexnet_command>)
cxn_unit_test(auc_table unit/test_auc_table.c ${PROJECT_SOURCE_DIR}/tools/auc_table.c
              ${PROJECT_SOURCE_DIR}/tools/json_out.c)
target_include_directories(test_auc_table PRIVATE ${PROJECT_SOURCE_DIR}/tools)
target_link_libraries(test_auc_table PRIVATE PkgConfig::JANSSON)
