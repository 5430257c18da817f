// Matrix products by cuBLASLt instead of our kernels, where GRADLOOM_CUDA_MATMUL=cublas asks for
// it. The library is looked for when a device is opened; neither a build nor an installation needs
// it.
#pragma once

#include <string>

namespace gradloom::cuda {

struct BlasLibrary;
template <class T>
struct Product;

class Blas {
 public:
  // That of the current machine; null where it is not asked for or cannot be had. Throws
  // DeviceFailure when GRADLOOM_CUDA_MATMUL has no meaning.
  static const Blas* current();
  // Whether our kernels take the place of the library that was asked for, and why. Else empty.
  static std::string complaint();
  // Which library the current machine's products come from.
  static std::string describe();

  // The product, added to the output if so asked; of the epilogue nothing else.
  template <class T>
  void multiply(const Product<T>& product) const;

 private:
  friend struct BlasState;
  const BlasLibrary* library = nullptr;
  void* handle = nullptr;
};

}  // namespace gradloom::cuda
