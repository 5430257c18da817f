// Memory of CUDA devices as JavaScript objects, which JavaScript makes and this module fills.
#include "api/cuda_memory.h"

#include <atomic>
#include <memory>
#include <utility>

#include "api/marshal.h"

namespace gradloom::api {
namespace {

using cuda::Machine;

// Memory of a machine, given back with its last view or when asked for.
class Block {
 public:
  Block(Machine& owner, size_t size) : machine(owner), bytes(size), memory(owner.allocate(size)) {}
  ~Block() { free(); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void free() {
    if (memory == nullptr) return;
    const cuda::Turn turn(machine);  // finalizers come outside of any call
    machine.free(std::exchange(memory, nullptr), bytes);
  }

  Machine& machine;
  const size_t bytes;
  void* memory;
};

// What a JavaScript object of ours holds: a part of a block. No block: no elements.
struct Memory {
  std::shared_ptr<Block> block;
  char* data;
  int64_t length;
  DType dtype;
  int64_t accounted;  // bytes that V8 was told of
};

// Tells our objects from all others.
constexpr napi_type_tag memoryTag = {0x6772'6164'6c6f'6f6d, 0x6375'6461'6d65'6d6f};

Memory* memoryOf(napi_env env, napi_value value) {
  bool ours = false;
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return nullptr;
  if (napi_check_object_type_tag(env, value, &memoryTag, &ours) != napi_ok || !ours) return nullptr;
  void* found = nullptr;
  return napi_unwrap(env, value, &found) == napi_ok ? static_cast<Memory*>(found) : nullptr;
}

}  // namespace

bool isMemory(napi_env env, napi_value value) {
  return memoryOf(env, value) != nullptr;
}

bool readMemory(napi_env env, napi_value value, Array& array) {
  const Memory* found = memoryOf(env, value);
  if (found == nullptr) return false;
  if (found->block) {
    const bool here = &found->block->machine == &Machine::current();
    if (!here || found->block->memory == nullptr) return false;
  }
  array.data = found->length == 0 ? nothing() : found->data;
  array.length = found->length;
  array.dtype = found->dtype;
  return true;
}

namespace {

// V8 collects the sooner, the more memory it knows its objects to hold.
void account(napi_env env, int64_t bytes) {
  int64_t ignored = 0;
  napi_adjust_external_memory(env, bytes, &ignored);
}

// Makes `target`, a fresh object, hold memory. Views hold none of their own.
void wrap(const Call& call, napi_value target, Memory held, bool isView) {
  held.accounted = isView || !held.block ? 0 : int64_t(held.block->bytes);
  auto holder = std::make_unique<Memory>(std::move(held));
  const auto finalize = [](napi_env env, void* data, void*) {
    const std::unique_ptr<Memory> last(static_cast<Memory*>(data));
    account(env, -last->accounted);
  };
  if (napi_type_tag_object(call.environment(), target, &memoryTag) != napi_ok ||
      napi_wrap(call.environment(), target, holder.get(), finalize, nullptr, nullptr) != napi_ok) {
    call.typeError(0, "is not a fresh object");
  }
  const Memory* const kept = holder.release();  // the object's from now on
  account(call.environment(), kept->accounted);
}

}  // namespace

void allocate(const Call& call, napi_value target, int dtype, int64_t length) {
  call.checkNumber(1, dtype, 4);
  Memory memory{nullptr, nullptr, length, static_cast<DType>(dtype), 0};
  const int64_t bytes = call.product({length, bytesOf(memory.dtype)});
  if (bytes > 0) {
    Machine& machine = Machine::current();
    memory.block = std::make_shared<Block>(machine, size_t(bytes));
    memory.data = static_cast<char*>(memory.block->memory);
    machine.fillZero(memory.data, size_t(bytes));
  }
  wrap(call, target, std::move(memory), false);
}

void view(const Call& call, napi_value target, napi_value source, int64_t start, int64_t length) {
  const Memory* whole = memoryOf(call.environment(), source);
  if (whole == nullptr) call.typeError(1, call.device().notAnArray);
  if (start > whole->length || length > whole->length - start) {
    call.rangeError(3, "reaches beyond the array");
  }
  Memory part = *whole;
  if (part.data != nullptr) part.data += start * bytesOf(part.dtype);
  part.length = length;
  wrap(call, target, std::move(part), true);
}

namespace {

std::atomic<uint64_t> released{0};

}  // namespace

void release(const Call& call, napi_value array) {
  const Memory* memory = memoryOf(call.environment(), array);
  if (memory == nullptr) call.typeError(0, call.device().notAnArray);
  if (memory->block) memory->block->free();
  released++;
}

uint64_t releases() {
  return released;
}

namespace {

thread_local Memory deferred{nullptr, nullptr, 0, DType::int32, 0};

}  // namespace

void deferChecks(const Call& call, napi_value word) {
  const Memory* memory = memoryOf(call.environment(), word);
  napi_valuetype type = napi_undefined;
  napi_typeof(call.environment(), word, &type);
  if (memory == nullptr && type != napi_null) call.typeError(0, call.device().neitherNullNorArray);
  if (memory == nullptr) {
    deferred.block = nullptr;
    return;
  }
  if (memory->dtype != DType::int32 || memory->length != 2 ||
      reinterpret_cast<uintptr_t>(memory->data) % sizeof(unsigned long long) != 0) {
    call.rangeError(0, "is no int32 array of two elements with memory of its own");
  }
  deferred = *memory;
}

unsigned long long* deferredTo(const Machine& machine) {
  const Block* const block = deferred.block.get();
  const bool there = block != nullptr && &block->machine == &machine && block->memory != nullptr;
  return there ? reinterpret_cast<unsigned long long*>(deferred.data) : nullptr;
}

}  // namespace gradloom::api
