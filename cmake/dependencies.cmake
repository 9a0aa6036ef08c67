# The libraries of others. All headers come in as system ones, so that our warnings are about our code.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(module yaml-0.1 libcjson libevent libevent_pthreads libevent_openssl libcrypto libssl
        libnl-3.0 libnl-route-3.0 libmnl libnftables cmocka)
  string(REGEX REPLACE "[^a-z0-9]" "_" name "${module}")
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET "${module}")
  set(LIB_${module} PkgConfig::${name})
endforeach()

# libopenvswitch is where ./dev setup leaves it, unless -DROUTERD_OVS=DIRECTORY says otherwise.
if(NOT ROUTERD_OVS)
  set(cache "$ENV{XDG_CACHE_HOME}")
  if(NOT cache)
    set(cache "$ENV{HOME}/.cache")
  endif()
  execute_process(COMMAND dpkg-query -W "-f=\${Version}" openvswitch-source
                  OUTPUT_VARIABLE version ERROR_QUIET)
  set(ROUTERD_OVS "${cache}/routerd/openvswitch-${version}")
endif()
if(NOT EXISTS "${ROUTERD_OVS}/lib/libopenvswitch.a")
  message(FATAL_ERROR "no libopenvswitch in ${ROUTERD_OVS}: run ./dev setup first")
endif()
# <openvswitch/...> are its public headers, <lib/...> the others. Its symbols stay inside our
# program: libstrongswan, libjansson and json-c export some of the same names.
add_library(openvswitch STATIC IMPORTED)
set_target_properties(openvswitch PROPERTIES IMPORTED_LOCATION "${ROUTERD_OVS}/lib/libopenvswitch.a")
target_include_directories(openvswitch SYSTEM INTERFACE "${ROUTERD_OVS}/include")
target_link_libraries(openvswitch INTERFACE Threads::Threads m rt)
target_link_options(openvswitch INTERFACE -Wl,--exclude-libs,libopenvswitch.a)
set(LIB_openvswitch openvswitch)
set(LIB_threads Threads::Threads)
