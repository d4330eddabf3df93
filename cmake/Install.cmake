# `cmake --install`: the library, its headers, ingot-run, and what find_package(ingot) and
# pkg-config read.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS ingot EXPORT ingot-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(INGOT_LINALG)
  install(TARGETS ingot-linalg EXPORT ingot-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
set_target_properties(ingot-run PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
install(TARGETS ingot-run RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/ingot DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT ingot-targets NAMESPACE ingot:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ingot)
configure_package_config_file(cmake/ingot-config.cmake.in ${CMAKE_BINARY_DIR}/ingot-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ingot)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ingot-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ingot-config.cmake ${CMAKE_BINARY_DIR}/ingot-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ingot)
# Relative to the .pc file, so that an installed tree may be moved.
file(RELATIVE_PATH INGOT_PC_PREFIX
  /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/ingot.pc.in ${CMAKE_BINARY_DIR}/ingot.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/ingot.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
