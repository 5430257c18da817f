# The test runtime: `ptx` builds a libcudart that interprets PTX on the processor. No part of any
# other target; it needs nvcc's headers only. Include it after native/cuda/cuda.cmake.
sources_of(ptx ptx_sources)
add_library(ptx SHARED EXCLUDE_FROM_ALL ${ptx_sources})
target_link_libraries(ptx PRIVATE settings)
target_include_directories(ptx SYSTEM PRIVATE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
# It runs on the machine that it is built on. Products and sums round as the PTX says.
target_compile_options(ptx PRIVATE -O3 -march=native -ffp-contract=off -fno-math-errno
  -fno-trapping-math)
set_source_files_properties(native/cuda/ptx/rounded.cc PROPERTIES COMPILE_OPTIONS
  "-frounding-math;-ftrapping-math;-O1")
# What programs call; the version script lists it.
file(GLOB runtime_sources native/cuda/ptx/runtime_*.cc)
set_source_files_properties(${runtime_sources} PROPERTIES COMPILE_OPTIONS -fvisibility=default)
set_target_properties(ptx PROPERTIES OUTPUT_NAME cudart SUFFIX .so.13
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/ptx
  LINK_DEPENDS ${CMAKE_SOURCE_DIR}/native/cuda/ptx/libcudart.map)
target_link_options(ptx PRIVATE -Wl,-soname,libcudart.so.13
  -Wl,--version-script=${CMAKE_SOURCE_DIR}/native/cuda/ptx/libcudart.map)
