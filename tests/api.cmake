# SPDX-License-Identifier: Apache-2.0
# The public API and the command as a whole. The weights they share are made by formula, once.
set(weights ${CMAKE_CURRENT_BINARY_DIR}/formula.safetensors)
add_executable(make_weights unit/make_weights.c unit/formula.c)
target_include_directories(make_weights PRIVATE ${CXN_TEST_INCLUDES})
target_link_libraries(make_weights PRIVATE chexnet_static m)
add_test(NAME formula_weights COMMAND make_weights ${weights})
set_tests_properties(formula_weights PROPERTIES FIXTURES_SETUP weights LABELS "short;threads")
add_dependencies(programs_of_threads make_weights)
set(quantized ${CMAKE_CURRENT_BINARY_DIR}/random-int8.safetensors)
cxn_unit_program(make_quantized unit/make_quantized.c unit/quantized_case.c)
add_test(NAME quantized_model COMMAND test_make_quantized ${quantized})
set_tests_properties(quantized_model PROPERTIES FIXTURES_SETUP quantized LABELS short)

cxn_unit_program(full unit/test_full.c unit/formula.c)
cxn_unit_parts(full reference fp32 bf16)
cxn_unit_test(api unit/test_api.c)
cxn_unit_test(bench unit/test_bench.c)
cxn_unit_test(shapes unit/test_shapes.c)
set_tests_properties(full_reference full_fp32 full_bf16 api PROPERTIES FIXTURES_REQUIRED weights
  ENVIRONMENT CXN_FORMULA_WEIGHTS=${weights})
cxn_threads_test(full full_fp32 full_bf16)

foreach(mode bf16 reference)
  cxn_script_test(cli_infer_${mode} tests/cli_infer.sh $<TARGET_FILE:chexnet_command> ${weights}
                  ${mode})
endforeach()
foreach(part fast c)
  cxn_script_test(cli_bench_${part} tests/cli_bench.sh $<TARGET_FILE:chexnet_command> ${weights}
                  ${quantized} ${part})
endforeach()
cxn_script_test(cli_calibrate tests/cli_calibrate.sh $<TARGET_FILE:chexnet_command> ${weights})
cxn_script_test(table tests/table.sh $<TARGET_FILE:chexnet_command> ${weights} ${quantized})
cxn_script_test(cli_bad_input tests/cli_bad_input.sh $<TARGET_FILE:chexnet_command> ${weights})
foreach(part refused models)
  cxn_script_test(cli_optimize_${part} tests/cli_optimize.sh $<TARGET_FILE:chexnet_command>
                  ${weights} ${part})
  cxn_script_test(cli_export_${part} tests/cli_export.sh $<TARGET_FILE:chexnet_command>
                  ${weights} ${part})
endforeach()
cxn_script_test(onnx_peers tests/peers.sh onnx_peers.py $<TARGET_FILE:chexnet_command>)
set_tests_properties(onnx_peers PROPERTIES LABELS long)
cxn_script_test(cli_quantized tests/cli_quantized.sh $<TARGET_FILE:chexnet_command> ${weights}
                ${quantized})
cxn_script_test(cli_export_quantized tests/cli_export_quantized.sh $<TARGET_FILE:chexnet_command>
                ${quantized})
foreach(part refused models)
  cxn_script_test(cli_quantize_${part} tests/cli_quantize.sh $<TARGET_FILE:chexnet_command>
                  ${weights} ${part})
endforeach()
set_tests_properties(cli_infer_bf16 cli_infer_reference cli_bench_c cli_calibrate cli_bad_input
  cli_optimize_refused cli_optimize_models cli_quantize_refused cli_quantize_models
  cli_export_refused cli_export_models PROPERTIES FIXTURES_REQUIRED weights)
set_tests_properties(cli_bench_fast cli_quantized cli_export_quantized table PROPERTIES
  FIXTURES_REQUIRED "weights;quantized")
# Whole networks in plain C: what the kernels' and the engines' tests have sanitized.
cxn_long_if_sanitized(full_reference shapes cli_infer_reference cli_bench_fast cli_bench_c
  cli_optimize_models cli_export_models cli_export_quantized cli_quantize_refused
  cli_quantize_models cli_quantized cli_calibrate table)
foreach(suite short long)
  foreach(sample nih_sample nih_sample_int8)
    add_test(NAME ${sample}_${suite} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/${sample}.sh
             $<TARGET_FILE:chexnet_command> ${suite})
    set_tests_properties(${sample}_${suite} PROPERTIES LABELS ${suite} SKIP_RETURN_CODE 77
      TIMEOUT 3600)
  endforeach()
endforeach()
cxn_long_if_sanitized(nih_sample_short nih_sample_int8_short)
