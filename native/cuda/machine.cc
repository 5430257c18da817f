// The machine over CUDA's runtime.
#include "cuda/machine.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "cuda/platform.h"
#include "cuda/repeated.h"

namespace gradloom::cuda {
namespace {

std::recursive_mutex everyDevice;  // memory may be given back within a call
thread_local Machine* chosen = nullptr;

void* takeMemory(size_t bytes) {
  void* memory = nullptr;
  if (cudaMalloc(&memory, bytes) == cudaSuccess) return memory;
  (void)cudaGetLastError();  // it was said
  return nullptr;
}

void giveMemory(void* memory) {
  (void)cudaFree(memory);
}

// Tells the emulated device how much of a block is somebody's; a real one has no use for it.
void tellExtent([[maybe_unused]] const Machine& machine, [[maybe_unused]] void* memory,
                [[maybe_unused]] size_t bytes, [[maybe_unused]] size_t used) {
#if defined(GRADLOOM_CUDA_EMULATED)
  emulator::enqueueExtent(memory, Allocator::rounded(bytes), used, machine.stream());
#endif
}

std::string limitText(size_t limit) {
  return limit >= Allocator::noLimit ? ""
                                     : "; the limit set is " + std::to_string(limit) + " bytes";
}

cudaStream_t streamOf(const Machine& machine) {
  return static_cast<cudaStream_t>(machine.stream());
}

}  // namespace

int Machine::count(std::string* reason) {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  if (error == cudaSuccess && devices > 0) return devices;
  (void)cudaGetLastError();
  *reason = error == cudaSuccess ? "no CUDA device was found"
                                 : std::string("CUDA says: ") + cudaGetErrorString(error);
  return 0;
}

Machine& Machine::at(int number) {
  static std::mutex opening;
  static auto& machines = *new std::vector<std::unique_ptr<Machine>>;  // finalizers come late
  const std::lock_guard<std::mutex> lock(opening);
  if (size_t(number) >= machines.size()) machines.resize(size_t(number) + 1);
  std::unique_ptr<Machine>& machine = machines[size_t(number)];
  if (!machine) machine.reset(new Machine(number));
  return *machine;
}

Machine& Machine::current() {
  return *chosen;
}

Machine::Machine(int number) : index(number), allocator(takeMemory, giveMemory) {
  check(cudaSetDevice(number), "choosing the device");
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  queue = stream;
}

void Machine::check(int error, const char* what) {
  if (error == cudaSuccess) return;
  std::string message = std::string(what) + ": " + cudaGetErrorString(cudaError_t(error));
  if (last.name != nullptr) message += "; launched last: " + last.text();
  throw DeviceFailure{error == cudaErrorMemoryAllocation, message};
}

void* Machine::allocate(size_t bytes) {
  void* memory = allocator.allocate(bytes);
  if (memory == nullptr) {
    size_t vacant = 0, total = 0;
    (void)cudaMemGetInfo(&vacant, &total);
    throw DeviceFailure{true, "cannot allocate " + std::to_string(bytes) +
                                  " bytes on the device: it has " + std::to_string(total) +
                                  " bytes, of which " + std::to_string(statistics().inUse) +
                                  " are in use by tensors" + limitText(allocator.limit())};
  }
  tellExtent(*this, memory, bytes, bytes);
  return memory;
}

void Machine::free(void* memory, size_t bytes) {
  tellExtent(*this, memory, bytes, 0);
  allocator.free(memory, bytes);
}

void Machine::trim() {
  allocator.trim();
}

const double* Machine::live(const double* numbers) const {
  return repeated == nullptr ? nullptr : repeated->live(numbers);
}

const Philox* Machine::randomBegin() const {
  return repeated == nullptr ? nullptr : repeated->randomBegin();
}

void Machine::fillZero(void* memory, size_t bytes) {
  if (bytes == 0) return;
  check(cudaMemsetAsync(memory, 0, bytes, streamOf(*this)), "filling memory");
  done.fills++;
}

void Machine::write(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  for (size_t at = 0; at < bytes; at += Uploads::slotBytes) {
    const size_t part = std::min(bytes - at, Uploads::slotBytes);
    char* const target = static_cast<char*>(to) + at;
    const char* const source = static_cast<const char*>(from) + at;
    if (part >= Uploads::least && uploads.send(target, source, part))
      done.besideWork.add(part);
    else
      writeInOrder(target, source, part);
  }
  done.toDevice.add(bytes);
}

// On the machine's own stream.
void Machine::writeInOrder(char* to, const char* from, size_t bytes) {
  for (size_t at = 0; at < bytes; at += Staging::blockBytes) {
    const size_t part = std::min(bytes - at, Staging::blockBytes);
    const char* const source = from + at;
    char* const staged = staging.take(part);
    if (staged != nullptr) std::memcpy(staged, source, part);
    check(cudaMemcpyAsync(to + at, staged != nullptr ? staged : source, part,
                          cudaMemcpyHostToDevice, streamOf(*this)),
          "copying to the device");
  }
}

void Machine::read(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  char* const staged = staging.take(bytes);
  check(cudaMemcpyAsync(staged != nullptr ? staged : to, from, bytes, cudaMemcpyDeviceToHost,
                        streamOf(*this)),
        "copying from the device");
  done.fromDevice.add(bytes);
  synchronize();
  if (staged != nullptr) std::memcpy(to, staged, bytes);
}

void Machine::copy(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, streamOf(*this)),
        "copying on the device");
  done.onDevice.add(bytes);
}

void Machine::synchronize() {
  waited();
  check(cudaStreamSynchronize(streamOf(*this)), "computing");
}

bool Machine::idle() {
  const cudaError_t state = cudaStreamQuery(streamOf(*this));
  if (state == cudaErrorNotReady) return false;
  check(state, "computing");
  return true;
}

void Machine::launched(const Label& kernel) {
  last = kernel;
  done.launched(kernel);
}

std::string Machine::describe() const {
  cudaDeviceProp properties{};
  if (cudaGetDeviceProperties(&properties, index) != cudaSuccess) return "unknown device";
  const size_t mebibytes = properties.totalGlobalMem >> 20;
  return std::string(properties.name) + ", compute capability " + std::to_string(properties.major) +
         "." + std::to_string(properties.minor) + ", " +
         std::to_string(properties.multiProcessorCount) + " multiprocessors, " +
         std::to_string(mebibytes) + " MiB";
}

Turn::Turn(Machine& machine) : lock(everyDevice), before(chosen) {
  chosen = &machine;
  machine.check(cudaSetDevice(machine.number()), "choosing the device");
}

Turn::~Turn() {
  chosen = before;
  // A call within another, which goes on with its own device.
  if (before != nullptr) (void)cudaSetDevice(before->number());
}

void Turn::finish() {
#if defined(GRADLOOM_CUDA_EMULATED)
  const std::string wrong = emulator::endOfCall();
  if (!wrong.empty()) throw DeviceFailure{false, wrong};
#endif
}

}  // namespace gradloom::cuda
