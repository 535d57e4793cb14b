# A room is a folder of sources and a library of the same name (src/kernel/find, photon_kernel_find).
# Its sources see the headers of the rooms that USES names, and no others: every room shows its own
# headers, and only those, in an include folder of links. So a wrong #include does not compile.
# WITHOUT names sources of the folder that this build leaves out, as others do the same in it. HEAVY is a
# header of a library that most sources of the room include, and that takes long to compile.
#   photon_room(ROOM [USES ROOM...] [LIBRARIES TARGET...] [WITHOUT SOURCE...] [HEAVY HEADER])
function(photon_room room)
  cmake_parse_arguments(arg "" "HEAVY" "USES;LIBRARIES;WITHOUT" ${ARGN})
  photon_room_target(${room} target)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${room}/*.cpp)
  foreach(source ${arg_WITHOUT})
    list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/src/${room}/${source})
  endforeach()
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${room}/*.h)
  set(shown ${PROJECT_BINARY_DIR}/rooms/${target})
  file(REMOVE_RECURSE ${shown})
  file(MAKE_DIRECTORY ${shown}/${room})
  foreach(header ${headers})
    get_filename_component(name ${header} NAME)
    file(CREATE_LINK ${header} ${shown}/${room}/${name} SYMBOLIC)
  endforeach()
  if(sources)
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC ${shown})
    foreach(used ${arg_USES})
      photon_room_target(${used} used_target)
      target_link_libraries(${target} PRIVATE ${used_target})
    endforeach()
    # Headers of these are in the room's own headers, or may be.
    target_link_libraries(${target} PUBLIC ${arg_LIBRARIES})
    photon_precompile(${target} ${arg_HEAVY})
  endif()
endfunction()

function(photon_room_target room result)
  string(REPLACE / _ name ${room})
  set(${result} photon_${name} PARENT_SCOPE)
endfunction()

# With PHOTON_DMESG_PRECOMPILE, what most sources include is compiled once, for all rooms with the same heavy
# header, if they have one: with the first of them.
#   photon_precompile(TARGET [HEADER])
function(photon_precompile target)
  if(NOT PHOTON_DMESG_PRECOMPILE)
    return()
  endif()
  get_property(first GLOBAL PROPERTY "photon_precompiled_${ARGN}")
  if(first)
    target_precompile_headers(${target} REUSE_FROM ${first})
    return()
  endif()
  set_property(GLOBAL PROPERTY "photon_precompiled_${ARGN}" ${target})
  set(headers algorithm array cstdint filesystem functional map memory optional ostream set span string string_view
    utility vector fmt/format.h fmt/ranges.h ${ARGN})
  list(TRANSFORM headers REPLACE "(.+)" "<\\1>")
  target_precompile_headers(${target} PRIVATE ${headers})
endfunction()
