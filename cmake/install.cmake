# `cmake --install`: the programs, the manual pages, the profiles, the examples and the systemd unit.
include(GNUInstallDirs)

install(TARGETS routerd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS routerctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

foreach(section 1 5 8)
  file(GLOB pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/*.${section}")
  install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
install(FILES docs/openapi.yaml DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY configs/examples DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.yaml")
install(DIRECTORY configs/profiles DESTINATION ${CMAKE_INSTALL_DATADIR}/routerd FILES_MATCHING PATTERN "*.yaml")
install(FILES routerctl/routerctl.bash RENAME routerctl
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)

# The unit in the tree is as for a package; elsewhere it names the program where it is.
file(READ "${PROJECT_SOURCE_DIR}/configs/systemd/routerd.service" unit)
string(REPLACE "=/usr/sbin/" "=${CMAKE_INSTALL_FULL_SBINDIR}/" unit "${unit}")
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/generated/routerd.service" CONTENT "${unit}" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/generated/routerd.service" DESTINATION lib/systemd/system)
