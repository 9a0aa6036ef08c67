# How every C file of the tree is compiled, whichever the compiler.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Assertions stay on: a router that is wrong about itself should stop, not go on.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

add_compile_definitions(_GNU_SOURCE ROUTERD_VERSION="${PROJECT_VERSION}")
add_compile_options(-Wall -Wextra -Wshadow -Wmissing-prototypes -Werror -fno-omit-frame-pointer
                    -fstack-protector-strong)
add_link_options(-pie -Wl,-z,relro,-z,now)

if(ROUTERD_SANITIZE)
  add_compile_options(-fsanitize=${ROUTERD_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ROUTERD_SANITIZE})
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

if(ROUTERD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
