# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: command, both libraries, headers, chexnet.pc, the package that
# find_package(chexnet) finds, manual page and bash completion.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/chexnet)
set(generated ${CMAKE_BINARY_DIR}/package)

install(TARGETS chexnet_command RUNTIME)
install(DIRECTORY include/chexnet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING
        PATTERN "*.h")
if(TARGET chexnet_mpi)
  install(TARGETS chexnet_mpi LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/chexnet)
endif()
# Two sets: the static library needs the packages of its dependencies, the shared one does not.
install(TARGETS chexnet EXPORT chexnetTargets LIBRARY)
install(TARGETS chexnet_static EXPORT chexnetStaticTargets ARCHIVE)
foreach(set chexnetTargets chexnetStaticTargets)
  install(EXPORT ${set} NAMESPACE chexnet:: DESTINATION ${package_dir})
endforeach()

set(CXN_CONFIG_CHECKS)
foreach(requirement IN LISTS CXN_CONFIG_REQUIRES)
  string(REPLACE " " ";" words ${requirement})
  list(GET words 0 prefix)
  list(GET words 1 module)
  string(APPEND CXN_CONFIG_CHECKS "  chexnet_static_needs(${prefix} ${module})\n")
endforeach()
configure_package_config_file(cmake/chexnetConfig.cmake.in ${generated}/chexnetConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${generated}/chexnetConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${generated}/chexnetConfig.cmake ${generated}/chexnetConfigVersion.cmake
        DESTINATION ${package_dir})

list(JOIN CXN_PKG_CONFIG_REQUIRES ", " CXN_PKG_CONFIG_REQUIRES_LINE)
# Relative, so that the tree may be installed anywhere: lib/x86_64-linux-gnu/pkgconfig is deep.
file(RELATIVE_PATH CXN_PREFIX_FROM_PKG_CONFIG /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
configure_file(cmake/chexnet.pc.in ${generated}/chexnet.pc @ONLY)
install(FILES ${generated}/chexnet.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# The tables of the command write its manual page and its completion.
foreach(page man completion)
  add_custom_command(OUTPUT ${generated}/chexnet.${page} DEPENDS chexnet_command VERBATIM
                     COMMAND sh -c "\"$1\" --$2 > \"$3\"" sh $<TARGET_FILE:chexnet_command> ${page}
                             ${generated}/chexnet.${page})
endforeach()
add_custom_target(manual ALL DEPENDS ${generated}/chexnet.man ${generated}/chexnet.completion)
install(FILES ${generated}/chexnet.man DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 RENAME chexnet.1)
install(FILES ${generated}/chexnet.completion RENAME chexnet
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
