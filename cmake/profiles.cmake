# The shipped profiles become a C file of the model's room; without a profile directory routerd has them still.
file(GLOB profiles CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/configs/profiles/*.yaml")
set(profiles_c "${PROJECT_BINARY_DIR}/generated/profiles_builtin.c")
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/generated")
add_custom_command(
  OUTPUT "${profiles_c}"
  COMMAND /usr/bin/python3 "${PROJECT_SOURCE_DIR}/cmake/profiles.py" "${profiles_c}" ${profiles}
  DEPENDS ${profiles} "${PROJECT_SOURCE_DIR}/cmake/profiles.py"
  COMMENT "Writing the built-in profiles"
  VERBATIM)
target_sources(room_model PRIVATE "${profiles_c}")
