// CUDA devices in the native surface (where the addon was built with them).
#pragma once

#include <js_native_api_types.h>

namespace gradloom::api {

// Defines `cuda` among the addon's exports: see CudaAddon in src/backends/cuda.ts.
void defineCuda(napi_env env, napi_value exports);

}  // namespace gradloom::api
