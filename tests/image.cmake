# SPDX-License-Identifier: Apache-2.0
function(cxn_image_test name)
  cxn_unit_test(image_${name} unit/test_image_${name}.c unit/image_support.c ${ARGN})
endfunction()

cxn_image_test(resize)
cxn_image_test(files)
cxn_image_test(faults_png unit/image_craft.c)
cxn_image_test(faults_jpeg unit/image_craft.c)
cxn_image_test(memory)

# The whole sample takes seconds; the short suite sees every kind of file in it.
add_executable(test_image_nih unit/test_image_nih.c unit/image_support.c)
target_include_directories(test_image_nih PRIVATE ${CXN_TEST_INCLUDES})
target_link_libraries(test_image_nih PRIVATE chexnet_static PkgConfig::CMOCKA)
foreach(size short all)
  add_test(NAME image_nih_${size} COMMAND test_image_nih ${size}
           WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(image_nih_${size} PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77 LABELS short)
endforeach()
set_tests_properties(image_nih_all PROPERTIES LABELS long)
