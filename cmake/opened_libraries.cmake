# Libraries that the program opens when it needs them (src/base/shared_library.h): it is compiled with
# their headers and not linked with them. What looks at what a program is linked with does not see them,
# so it is told: scripts/package by the file opened-libraries in the build folder, which has a name a
# line, cpack by the variables opened_debian_packages and opened_rpm_capabilities.
#   photon_opened_library(NAME FOUND)
#     NAME     makes the target NAME_headers, for the room that compiles with them, and the variable
#              NAME_soname: what is opened, libNAME.so.9 for example
#     FOUND    what pkg_check_modules has found it as
function(photon_opened_library name found)
  find_library(PHOTON_DMESG_OPENED_${name} ${name} HINTS ${${found}_LIBRARY_DIRS} REQUIRED)
  mark_as_advanced(PHOTON_DMESG_OPENED_${name})
  set(library ${PHOTON_DMESG_OPENED_${name}})
  execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${library} OUTPUT_VARIABLE described ERROR_QUIET)
  if(NOT described MATCHES "SONAME +([^ \n]+)")
    message(FATAL_ERROR "${library}: expected a shared library with a SONAME, found none")
  endif()
  set(soname ${CMAKE_MATCH_1})
  set(${name}_soname ${soname} PARENT_SCOPE)
  # Another version of it has other headers, and another name.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${library})

  add_library(${name}_headers INTERFACE)
  target_include_directories(${name}_headers SYSTEM INTERFACE ${${found}_INCLUDE_DIRS})
  target_compile_options(${name}_headers INTERFACE ${${found}_CFLAGS_OTHER})

  get_property(sonames GLOBAL PROPERTY photon_opened_sonames)
  list(APPEND sonames ${soname})
  set_property(GLOBAL PROPERTY photon_opened_sonames ${sonames})
  list(JOIN sonames "\n" lines)
  file(WRITE ${PROJECT_BINARY_DIR}/opened-libraries "${lines}\n")

  set(word_size "")
  if(CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(word_size "()(64bit)")
  endif()
  set(opened_rpm_capabilities ${opened_rpm_capabilities} "${soname}${word_size}" PARENT_SCOPE)
  execute_process(COMMAND dpkg-query --search "*/${soname}" OUTPUT_VARIABLE owner ERROR_QUIET)
  if(owner MATCHES "^([^:, ]+)")
    set(opened_debian_packages ${opened_debian_packages} "${CMAKE_MATCH_1} (>= ${${found}_VERSION})"
        PARENT_SCOPE)
  endif()
endfunction()
