// CUDA's runtime for programs: the code that nvcc registers when a program starts, and launches.
#include <cstring>
#include <map>
#include <memory>

#include "cuda/ptx/device.h"
#include "cuda/ptx/fatbinary.h"
#include "cuda/ptx/memory.h"
#include "cuda/ptx/run.h"

namespace gradloom::ptx {
namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

// One source's code. Its text is read when a kernel is launched first.
struct Binary {
  const void* wrapper;
  std::unique_ptr<Module> module;
  Symbols variables;
  std::map<std::string, Program> programs;
};

struct Kernel {
  Binary* binary;
  std::string name;
};

std::map<const void*, Kernel>& kernels() {
  static auto& all = *new std::map<const void*, Kernel>;
  return all;
}

void load(Binary& binary) {
  if (binary.module) return;
  binary.module = std::make_unique<Module>(textIn(binary.wrapper));
  Memory& memory = Memory::device();
  for (const Variable& each : binary.module->variables()) {
    const uint64_t address = memory.allocate(each.bytes);
    std::memset(memory.data(address), 0, each.bytes);
    std::memcpy(memory.data(address), each.initial.data(), each.initial.size());
    memory.markWritten(*memory.find(address, each.bytes), address, each.bytes);
    binary.variables[each.name] = {Space::global, address};
  }
}

const Program& programOf(const Kernel& kernel) {
  load(*kernel.binary);
  auto& programs = kernel.binary->programs;
  const auto found = programs.find(kernel.name);
  if (found != programs.end()) return found->second;
  return programs[kernel.name] =
             decode(*kernel.binary->module, kernel.name, kernel.binary->variables);
}

bool fits(const dim3& grid, const dim3& block, const Program& program, size_t shared) {
  const uint64_t threads = uint64_t(block.x) * block.y * block.z;
  return threads > 0 && threads <= program.mostThreads && block.z <= 64 && grid.x > 0 &&
         grid.y > 0 && grid.z > 0 && grid.x <= 0x7fffffff && grid.y <= 65535 && grid.z <= 65535 &&
         program.sharedBytes + shared <= 48 << 10;
}

cudaError_t launch(const void* function, dim3 grid, dim3 block, void** arguments, size_t shared,
                   cudaStream_t stream) {
  Device& device = Device::get();
  const Lock lock(device.turn);
  const auto found = kernels().find(function);
  if (found == kernels().end()) return device.say(cudaErrorInvalidDeviceFunction);
  try {
    const Program& program = programOf(found->second);
    if (!fits(grid, block, program, shared)) return device.say(cudaErrorInvalidConfiguration);
    Launch what{&program, {grid.x, grid.y, grid.z}, {block.x, block.y, block.z}, shared, {}};
    what.parameters.resize(program.parameterBytes);
    for (size_t i = 0; i < program.parameters.size(); i++) {
      const Parameter& each = program.parameters[i];
      std::memcpy(what.parameters.data() + each.offset, arguments[i], each.bytes);
    }
    return device.enqueue(stream, [what = std::move(what)] { return run(what); });
  } catch (const std::runtime_error& error) {
    const std::string text = found->second.name + ": " + error.what();
    device.enqueue(stream, [text] { return text; });
    return cudaSuccess;  // told when somebody waits, with its sentence
  }
}

struct Configuration {
  dim3 grid, block;
  size_t shared;
  cudaStream_t stream;
};
thread_local Configuration configuration;

}  // namespace
}  // namespace gradloom::ptx

using namespace gradloom::ptx;

extern "C" {

void** __cudaRegisterFatBinary(void* wrapper) {
  return reinterpret_cast<void**>(new Binary{wrapper, nullptr, {}, {}});
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}  // queued work may still need it
char __cudaInitModule(void**) {
  return 1;
}

void __cudaRegisterFunction(void** handle, const char* host, char*, const char* name, int, uint3*,
                            uint3*, dim3*, dim3*, int*) {
  const Lock lock(Device::get().turn);
  kernels()[host] = {reinterpret_cast<Binary*>(handle), name};
}
void __cudaRegisterVar(void**, char*, char*, const char*, int, size_t, int, int) {}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, cudaStream_t stream) {
  configuration = {grid, block, shared, stream};
  return 0;
}
cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared, void* stream) {
  *grid = configuration.grid;
  *block = configuration.block;
  *shared = configuration.shared;
  *static_cast<cudaStream_t*>(stream) = configuration.stream;
  return cudaSuccess;
}

cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  *kernel = reinterpret_cast<cudaKernel_t>(const_cast<void*>(function));
  return cudaSuccess;
}
cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments,
                               size_t shared, cudaStream_t stream) {
  return launch(kernel, grid, block, arguments, shared, stream);
}
cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments,
                             size_t shared, cudaStream_t stream) {
  return launch(function, grid, block, arguments, shared, stream);
}

}  // extern "C"
