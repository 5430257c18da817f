# CUDA devices in the addon. GRADLOOM_CUDA:
#   AUTO      when nvcc is found and the environment variable GRADLOOM_CUDA asks for it: compiling
#             for every architecture takes minutes, which a build for the processor need not
#   ON        always; fails without nvcc
#   OFF       never
#   EMULATED  the same sources on a device emulated on the processor, which checks every access
# Sets cuda_libraries, which the addon links.
set(GRADLOOM_CUDA_ARCHITECTURES
  "75-real;80-real;86-real;89-real;90-real;100-real;120-real;75-virtual;120-virtual" CACHE STRING
  "CUDA architectures to compile for, as CMAKE_CUDA_ARCHITECTURES has them")
set(GRADLOOM_CUDART Static CACHE STRING "CUDA's runtime library: Static or Shared")
set_property(CACHE GRADLOOM_CUDART PROPERTY STRINGS Static Shared)

sources_of(cuda cuda_sources)
sources_of(cudacore cuda_core_sources)
sources_of(cudaaddon cuda_addon_sources)
sources_of(emulator emulator_sources)
set(cuda_libraries "")
set(cuda_mode ${GRADLOOM_CUDA})
if(cuda_mode STREQUAL "AUTO")
  set(cuda_mode OFF)
  if("$ENV{GRADLOOM_CUDA}" MATCHES "^(1|on|ON)$")
    set(cuda_mode WANTED)
  endif()
endif()

if(cuda_mode MATCHES "^(ON|WANTED)$")
  include(CheckLanguage)
  check_language(CUDA) # only looks
  if(CMAKE_CUDA_COMPILER)
    set(CMAKE_CUDA_ARCHITECTURES 75)
    set(CMAKE_CUDA_RUNTIME_LIBRARY ${GRADLOOM_CUDART}) # of what links it, too
    enable_language(CUDA)
    set(CMAKE_CUDA_ARCHITECTURES ${GRADLOOM_CUDA_ARCHITECTURES})
    if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.8) # which knows of the last two
      list(FILTER CMAKE_CUDA_ARCHITECTURES EXCLUDE REGEX "^1[02]0-")
    endif()
  elseif(cuda_mode STREQUAL "ON")
    message(FATAL_ERROR "GRADLOOM_CUDA=ON, but no CUDA compiler (nvcc) was found")
  else()
    message(STATUS "gradloom: no CUDA compiler (nvcc) was found; building for the processor only")
    set(cuda_mode OFF)
  endif()
endif()

if(NOT cuda_mode STREQUAL "OFF")
  add_library(cuda OBJECT ${cuda_sources} ${cuda_core_sources})
  target_include_directories(cuda PUBLIC native)
  target_link_libraries(cuda PUBLIC ${CMAKE_DL_LIBS}) # cuBLASLt is looked for at run time
  target_compile_definitions(cuda INTERFACE GRADLOOM_CUDA)
  target_sources(cuda INTERFACE ${cuda_addon_sources})
  list(APPEND cuda_libraries cuda)
endif()

if(cuda_mode STREQUAL "EMULATED")
  if(GRADLOOM_SANITIZE)
    message(FATAL_ERROR "The emulated device has checks of its own: set no GRADLOOM_SANITIZE")
  endif()
  add_library(emulator OBJECT ${emulator_sources})
  target_link_libraries(emulator PRIVATE settings)
  target_link_libraries(cuda PRIVATE settings)
  target_compile_definitions(cuda PUBLIC GRADLOOM_CUDA_EMULATED)
  list(APPEND cuda_libraries emulator)
  set_source_files_properties(${cuda_sources} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-xc++")
  # -fsanitize=thread puts a call around every access; emulator/instrument.cc is what they call.
  target_compile_options(cuda PRIVATE
    -O1 -fsanitize=thread -ffp-contract=off -Wno-unknown-pragmas)
elseif(NOT cuda_mode STREQUAL "OFF")
  set_target_properties(cuda PROPERTIES
    CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON CUDA_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(cuda PUBLIC Threads::Threads)
  # For the sources without kernels. nvcc would go through them once for each architecture.
  target_include_directories(cuda SYSTEM PRIVATE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
  if(GRADLOOM_CUDART STREQUAL "Shared" AND UNIX AND NOT APPLE)
    # RUNPATH, not RPATH: LD_LIBRARY_PATH may name another libcudart than the one linked with.
    target_link_options(cuda INTERFACE LINKER:--enable-new-dtags)
  endif()
  # PTX as text: what runs it need not be NVIDIA's, and ours in ptx/ reads it as users have it.
  target_compile_options(cuda PRIVATE
    "$<$<COMPILE_LANGUAGE:CUDA>:--Werror=all-warnings;--no-compress>"
    $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<NOT:$<CXX_COMPILER_ID:MSVC>>>:-fvisibility=hidden>)
  # The bits of random numbers are specified: no fused multiply-add.
  set_source_files_properties(native/cuda/random.cu PROPERTIES COMPILE_OPTIONS "-fmad=false")
  include(native/cuda/ptx/ptx.cmake OPTIONAL) # not in the package
endif()
