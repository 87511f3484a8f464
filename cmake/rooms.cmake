# SPDX-License-Identifier: Apache-2.0
# A room is a folder of src/: one object library, so that the shared and the static library and
# the tests are built from the same objects. ci/check.sh proves which rooms a room may include.
function(cxn_room name)
  add_library(room_${name} OBJECT ${ARGN})
  target_include_directories(room_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src
                                                  ${PROJECT_SOURCE_DIR}/include)
  set_property(GLOBAL APPEND PROPERTY CXN_ROOMS room_${name})
endfunction()
