// The addon as a module: one JavaScript function for each row of GRADLOOM_API, the hash of the
// tables it was built from, the instruction set it runs with (isa) and those it could (isas), and
// useLargePages.
// Loaded anew for every environment, Node's main thread and its workers; they share only the thread
// pool.
#include <napi.h>

#include <mutex>

#include "api/api.h"
#include "api/cuda.h"
#include "api/device.h"
#include "api/marshal.h"
#include "api/program.h"
#include "cpu/kernels.h"
#include "cpu/scratch.h"
#include "cpu/threads.h"

namespace gradloom {
namespace {

#define GRADLOOM_SIGNATURE(name, arguments) {#name, arguments, &api::processor},
constexpr api::Signature signatures[] = {GRADLOOM_API(GRADLOOM_SIGNATURE)
                                             GRADLOOM_RECORDING_API(GRADLOOM_SIGNATURE)};
#undef GRADLOOM_SIGNATURE

#define GRADLOOM_KERNEL(name, arguments) api::Binding<api::name, true>::run,
#define GRADLOOM_CALLBACK(name, arguments) api::Binding<api::name>::run,
constexpr napi_callback callbacks[] = {GRADLOOM_API(GRADLOOM_KERNEL)
                                           GRADLOOM_RECORDING_API(GRADLOOM_CALLBACK)};
#undef GRADLOOM_KERNEL
#undef GRADLOOM_CALLBACK

// How many environments have the addon loaded. With the last one it may be unloaded, and then no
// helper may be running its code.
class Environments {
 public:
  void enter() {
    const std::lock_guard<std::mutex> lock(mutex);
    count++;
  }
  void leave() {
    const std::lock_guard<std::mutex> lock(mutex);
    if (--count == 0) stopThreads();
  }

 private:
  std::mutex mutex;
  int count = 0;
};
Environments environments;

void defineFunctions(Napi::Env env, Napi::Object exports) {
  for (size_t i = 0; i < std::size(signatures); i++) {
    void* signature = const_cast<api::Signature*>(&signatures[i]);
    napi_value function = nullptr;
    const napi_status status = napi_create_function(env, signatures[i].name, NAPI_AUTO_LENGTH,
                                                    callbacks[i], signature, &function);
    if (status != napi_ok) throw Napi::Error::New(env);
    exports.Set(signatures[i].name, Napi::Value(env, function));
  }
}

// useLargePages(array). Not a kernel: no recording may repeat it.
void largePages(const Napi::CallbackInfo& info) {
  if (!info[0].IsTypedArray()) {
    throw Napi::TypeError::New(info.Env(), "useLargePages: argument 1 is not a typed array");
  }
  const Napi::TypedArray array = info[0].As<Napi::TypedArray>();
  void* data = nullptr;  // shared memory, too, which ArrayBuffer would refuse
  napi_get_typedarray_info(info.Env(), array, nullptr, nullptr, &data, nullptr, nullptr);
  if (data != nullptr) useLargePages(data, array.ByteLength());
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  defineFunctions(env, exports);
  exports.Set("tableHash", Napi::Number::New(env, GRADLOOM_TABLE_HASH));
  exports.Set("isa", Napi::String::New(env, kernels().name));
  const Napi::Array names = Napi::Array::New(env);
  for (int i = 0; const Kernels* each = kernelsAt(i); i++) names.Set(uint32_t(i), each->name);
  exports.Set("isas", names);
  exports.Set("useLargePages", Napi::Function::New(env, largePages, "useLargePages"));
#if defined(GRADLOOM_CUDA)
  api::defineCuda(env, exports);
#endif
  environments.enter();
  env.AddCleanupHook([] { environments.leave(); });
  return exports;
}

NODE_API_MODULE(gradloom, initialize)

}  // namespace
}  // namespace gradloom
