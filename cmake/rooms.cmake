# Rooms: one static library per folder, which can include the rooms below it and no others. For each
# room a directory of links in the build tree is its whole include path, so an include that goes up
# (or sideways) finds no file. cmake/check_layers.py, run by every build, refuses the ways around it
# and keeps the pure files pure.
# The backends' rooms are folders of the top level, all others are inside routerd.
set(ROOMS_TOP ovs net ipsec bgp dhcp)
function(room_folder name ret_folder)
  if(name IN_LIST ROOMS_TOP)
    set(${ret_folder} "${PROJECT_SOURCE_DIR}/${name}" PARENT_SCOPE)
  else()
    set(${ret_folder} "${PROJECT_SOURCE_DIR}/routerd/${name}" PARENT_SCOPE)
  endif()
endfunction()
set(ROOMS_VIEW "${PROJECT_BINARY_DIR}/rooms")

# Fills the directory of links for OWNER and puts it on TARGET's include path.
function(rooms_visible target owner)
  set(view "${ROOMS_VIEW}/${owner}")
  file(REMOVE_RECURSE "${view}")
  file(MAKE_DIRECTORY "${view}")
  foreach(room ${ARGN})
    room_folder(${room} folder)
    file(CREATE_LINK "${folder}" "${view}/${room}" SYMBOLIC)
  endforeach()
  target_include_directories(${target} PRIVATE "${view}")
endfunction()

function(rooms_libraries target scope)
  foreach(library ${ARGN})
    if(NOT LIB_${library})
      message(FATAL_ERROR "cmake/dependencies.cmake knows no ${library}")
    endif()
    target_link_libraries(${target} ${scope} ${LIB_${library}})
  endforeach()
endfunction()

# routerd_room(NAME SEES room... LIBRARIES library...): skipped while the folder has no C file.
function(routerd_room name)
  cmake_parse_arguments(ROOM "" "" "SEES;LIBRARIES" ${ARGN})
  room_folder(${name} folder)
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.c")
  if(NOT sources)
    return()
  endif()
  add_library(room_${name} STATIC ${sources})
  set_target_properties(room_${name} PROPERTIES OUTPUT_NAME ${name})
  rooms_visible(room_${name} ${name} ${name} ${ROOM_SEES})
  rooms_libraries(room_${name} PUBLIC ${ROOM_LIBRARIES})
  foreach(below ${ROOM_SEES})
    if(TARGET room_${below})
      target_link_libraries(room_${name} INTERFACE room_${below})
    endif()
  endforeach()
  add_dependencies(room_${name} layers)
  set_property(GLOBAL APPEND PROPERTY ROOMS room_${name})
endfunction()

set(layers_folders ${ROOMS_TOP})
list(TRANSFORM layers_folders REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/\\1/*.[ch]")
file(GLOB_RECURSE layers_sources CONFIGURE_DEPENDS ${layers_folders} "${PROJECT_SOURCE_DIR}/routerd/*.[ch]"
     "${PROJECT_SOURCE_DIR}/routerctl/*.[ch]")
add_custom_command(
  OUTPUT "${PROJECT_BINARY_DIR}/layers.stamp"
  COMMAND /usr/bin/python3 "${PROJECT_SOURCE_DIR}/cmake/check_layers.py" "${PROJECT_SOURCE_DIR}"
  COMMAND "${CMAKE_COMMAND}" -E touch "${PROJECT_BINARY_DIR}/layers.stamp"
  DEPENDS ${layers_sources} "${PROJECT_SOURCE_DIR}/cmake/check_layers.py"
  COMMENT "Checking the layers")
add_custom_target(layers ALL DEPENDS "${PROJECT_BINARY_DIR}/layers.stamp")

# Compiles a file's text into a room's library as `const char NAME[]`.
function(room_embed room name file)
  set(output "${PROJECT_BINARY_DIR}/generated/${name}.c")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${PROJECT_BINARY_DIR}/generated"
    COMMAND /usr/bin/python3 "${PROJECT_SOURCE_DIR}/cmake/embed.py" "${name}" "${file}" "${output}"
    DEPENDS "${file}" "${PROJECT_SOURCE_DIR}/cmake/embed.py"
    COMMENT "Embedding ${file}")
  target_sources(room_${room} PRIVATE "${output}")
endfunction()
