# Read by cpack for each kind of package: what goes into it. The first part of a project is its build folder.
list(GET CPACK_INSTALL_CMAKE_PROJECTS 0 build)
set(zsh zsh)
if(CPACK_GENERATOR STREQUAL DEB)
  set(zsh zsh-debian)
endif()
set(CPACK_INSTALL_CMAKE_PROJECTS "${build};photon-dmesg;program;/;${build};photon-dmesg;${zsh};/")
