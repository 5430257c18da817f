// Memory of CUDA devices as JavaScript objects.
#pragma once

#include "api/call.h"
#include "cuda/machine.h"

namespace gradloom::api {

// See Device in api/device.h.
bool isMemory(napi_env env, napi_value value);
bool readMemory(napi_env env, napi_value value, Array& array);

// How often memory was given back that objects still referred to.
uint64_t releases();

// Makes `target`, a fresh object, hold zeros.
void allocate(const Call& call, napi_value target, int dtype, int64_t length);
// Makes `target`, a fresh object, hold a part of another's memory.
void view(const Call& call, napi_value target, napi_value source, int64_t start, int64_t length);
// Gives memory back, whoever still refers to it.
void release(const Call& call, napi_value array);

// Until it is called with null, this thread's calls note what they refuse in `word`, int32 [2].
void deferChecks(const Call& call, napi_value word);
// The word for calls on a machine; null when there is none, or its memory was given back.
unsigned long long* deferredTo(const cuda::Machine& machine);

}  // namespace gradloom::api
