# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(net unit/test_net.c)
cxn_unit_test(train_view unit/test_train_view.c)
cxn_unit_test(winograd unit/test_winograd.c)
cxn_unit_test(hinge unit/test_hinge.c)
cxn_unit_program(engine unit/test_engine.c unit/quantized_case.c unit/small_net.c)
cxn_unit_parts(engine references c avx2 avxvnni avx512 vnni amx)
cxn_threads_test(engine engine_references engine_c engine_avx2 engine_avxvnni engine_avx512
  engine_vnni engine_amx)
cxn_unit_test(optimized unit/test_optimized.c unit/derived_case.c unit/small_net.c)
cxn_unit_test(quantized unit/test_quantized.c unit/derived_case.c unit/quantized_case.c
  unit/small_net.c)
cxn_threads_test(optimized)
cxn_unit_test(calibration unit/test_calibration.c unit/small_net.c)
cxn_unit_test(ranges unit/test_ranges.c)
cxn_threads_test(calibration)
set(train_case unit/train_case.c unit/train_replay.c unit/small_net.c unit/formula.c)
cxn_unit_test(trainer unit/test_trainer.c ${train_case})
cxn_unit_program(trainer_steps unit/test_trainer_steps.c ${train_case})
cxn_unit_parts(trainer_steps gradients f32 bf16)
cxn_unit_program(trainer_bits unit/test_trainer_bits.c ${train_case})
cxn_unit_parts(trainer_bits levels 2 3 7)
cxn_long_if_sanitized(trainer_steps_bf16 trainer_bits_3 trainer_bits_7)
cxn_threads_test(trainer_bits trainer_bits_2)
cxn_unit_test(trainer_faults unit/test_trainer_faults.c ${train_case})
cxn_threads_test(trainer_faults)
cxn_unit_test(trainer_full unit/test_trainer_full.c ${train_case})
set_tests_properties(trainer_full PROPERTIES LABELS long)
cxn_unit_test(cpu unit/test_cpu.c)

# The kernel test bench: `checkkern --bench` measures, -t and -c choose, --seed repeats.
set(checkkern
  kern/check_conv.c kern/check_conv_bordered.c kern/check_conv_bordered_i8.c kern/check_hinge_i8.c
  kern/check_fused.c kern/check_grad.c
  kern/check_head.c kern/check_hinge_conv.c kern/check_norm_relu.c
  kern/check_norm_relu_grad_bf16.c kern/check_pool.c
  kern/check_turn_bf16.c kern/check_wgrad_bf16.c kern/check_window.c kern/check_winograd.c
  kern/checkkern.c kern/ck.c)
add_executable(checkkern ${checkkern} kern/machine.c)
target_include_directories(checkkern PRIVATE ${CXN_TEST_INCLUDES})
target_link_libraries(checkkern PRIVATE chexnet_static m)
cxn_script_test(kern checkkern)
add_test(NAME bench_shapes COMMAND ${CMAKE_COMMAND} -E env BUILD=${PROJECT_BINARY_DIR}
         ${PROJECT_SOURCE_DIR}/bench/shapes -t linear_f32)
set_tests_properties(bench_shapes PROPERTIES LABELS short PASS_REGULAR_EXPRESSION
  "CPU: [^\n]*\nlinear_f32 +c +[^\n]* us +[0-9.]+ GFLOP/s +[0-9]+ %\n[0-9]+ measured, 0 failed")

# The same for the rows that this CPU may lack: their sources once more, with an <immintrin.h> of
# our own in plain C. These objects come before the library, whose own are then not linked.
if(CXN_X86)
  add_library(emulated_rows OBJECT)
  foreach(level avx512 vnni amx)
    get_target_property(files room_kern_${level} SOURCES)
    list(TRANSFORM files PREPEND ${PROJECT_SOURCE_DIR}/src/kern/)
    target_sources(emulated_rows PRIVATE ${files})
  endforeach()
  target_include_directories(emulated_rows PRIVATE
    ${CMAKE_CURRENT_SOURCE_DIR}/kern/emulate ${CXN_TEST_INCLUDES})
  # Nothing but these objects and the emulation passes such vectors. Optimised as well as sanitized,
  # some of them take gcc more than a minute each.
  target_compile_options(emulated_rows PRIVATE -Wno-psabi)
  if(CXN_SANITIZE)
    target_compile_options(emulated_rows PRIVATE -O0)
  endif()
  add_executable(checkkern_emulated ${checkkern} kern/emulate/amx.c kern/emulate/machine.c
    $<TARGET_OBJECTS:emulated_rows>)
  set_source_files_properties(kern/emulate/amx.c PROPERTIES COMPILE_OPTIONS -Wno-psabi)
  target_include_directories(checkkern_emulated PRIVATE ${CXN_TEST_INCLUDES})
  target_link_libraries(checkkern_emulated PRIVATE chexnet_static m)
  cxn_script_test(kern_emulated checkkern_emulated)
  # And the engines on top of these rows.
  cxn_unit_program(engine_emulated unit/test_engine.c unit/quantized_case.c unit/small_net.c
    kern/emulate/amx.c kern/emulate/cpu.c $<TARGET_OBJECTS:emulated_rows>)
  foreach(level avx512 vnni amx)
    cxn_unit_parts(engine_emulated ${level})
    set_tests_properties(engine_emulated_${level} PROPERTIES LABELS long)
  endforeach()
endif()

# What `chexnet cpu` prints, and its one line about a level that there is none of.
add_test(NAME cpu_command COMMAND chexnet_command cpu --cpu c)
set_tests_properties(cpu_command PROPERTIES PASS_REGULAR_EXPRESSION
  "level: c\n.*AVX2 +no .*conv_f32 .* c +picked\n.*not a medical device\\.\n$")
add_test(NAME cpu_command_json COMMAND chexnet_command cpu --json --cpu=c)
set_tests_properties(cpu_command_json PROPERTIES PASS_REGULAR_EXPRESSION
  "\"level\": \"c\".*\"operation\": \"sigmoid_f32\"")
add_test(NAME cpu_command_level COMMAND chexnet_command cpu --cpu mmx)
set_tests_properties(cpu_command_level PROPERTIES PASS_REGULAR_EXPRESSION
  "chexnet: unknown instruction level 'mmx', expected c, avx2, avxvnni, avx512, vnni or amx\n$")
set_tests_properties(cpu_command cpu_command_json cpu_command_level PROPERTIES LABELS short)
