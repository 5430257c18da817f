// cuBLASLt, declared here as far as it is used: its headers are no requirement. The numbers are
// those of cublasLt.h and library_types.h since CUDA 11.
#include "cuda/blas.h"

#include <cstdlib>
#include <map>
#include <vector>

#include "cuda/product.h"

#if !defined(_WIN32)
#include <dlfcn.h>
#endif

namespace gradloom::cuda {

// Functions of the library, under their names without `cublasLt`.
#define GRADLOOM_BLAS_FUNCTIONS(ROW)                                                               \
  ROW(Create, int, void** handle)                                                                  \
  ROW(GetVersion, size_t, )                                                                        \
  ROW(MatmulDescCreate, int, void** description, int computeType, int scaleType)                   \
  ROW(MatmulDescDestroy, int, void* description)                                                   \
  ROW(MatmulDescSetAttribute, int, void* description, int attribute, const void* value,            \
      size_t bytes)                                                                                \
  ROW(MatrixLayoutCreate, int, void** layout, int type, uint64_t rows, uint64_t columns,           \
      int64_t stride)                                                                              \
  ROW(MatrixLayoutDestroy, int, void* layout)                                                      \
  ROW(MatrixLayoutSetAttribute, int, void* layout, int attribute, const void* value, size_t bytes) \
  ROW(Matmul, int, void* handle, void* description, const void* alpha, const void* a,              \
      void* aLayout, const void* b, void* bLayout, const void* beta, const void* c, void* cLayout, \
      void* d, void* dLayout, const void* algorithm, void* workspace, size_t workspaceBytes,       \
      void* stream)

struct BlasLibrary {
#define GRADLOOM_MEMBER(name, Result, ...) Result (*name)(__VA_ARGS__) = nullptr;
  GRADLOOM_BLAS_FUNCTIONS(GRADLOOM_MEMBER)
#undef GRADLOOM_MEMBER
};

namespace {

enum { real32 = 0, real64 = 1 };  // cudaDataType
enum { compute32 = 68, compute64 = 70, fast16 = 74, fastBrain16 = 75, fastTf32 = 77 };
enum { transposeFirst = 3, transposeSecond = 4 };  // of a product
enum { matrices = 5, matrixStride = 6 };           // of a layout

bool isWanted() {
  const char* const given = std::getenv("GRADLOOM_CUDA_MATMUL");
  const std::string wanted = given == nullptr ? "" : given;
  if (wanted == "cublas") return true;
  if (wanted.empty() || wanted == "own") return false;
  throw DeviceFailure{false, "GRADLOOM_CUDA_MATMUL is \"" + wanted + "\"; expected own or cublas"};
}

// Newest first; their functions used here are the same.
constexpr const char* names[] = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11",
                                 "libcublasLt.so"};

#if defined(_WIN32)

bool find(BlasLibrary&, std::string& reason) {
  reason = "it is looked for on Linux only";
  return false;
}

#else

// Takes the functions; false, and the name of one, when one is missing.
bool take(void* library, BlasLibrary& found, std::string& missing) {
#define GRADLOOM_TAKE(name, ...)                                             \
  missing = "cublasLt" #name;                                                \
  *reinterpret_cast<void**>(&found.name) = dlsym(library, "cublasLt" #name); \
  if (found.name == nullptr) return false;
  GRADLOOM_BLAS_FUNCTIONS(GRADLOOM_TAKE)
#undef GRADLOOM_TAKE
  return true;
}

bool find(BlasLibrary& found, std::string& reason) {
  for (const char* name : names) {
    void* const library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      reason += (reason.empty() ? "tried " : "; ") + std::string(dlerror());
      continue;
    }
    std::string missing;
    if (take(library, found, missing)) return true;
    reason += (reason.empty() ? "tried " : "; ") + std::string(name) + ": has no " + missing;
  }
  return false;
}

#endif

}  // namespace

// What is known of the library on one machine.
struct BlasState {
  Blas blas;
  std::string reason;  // why it cannot be had

  BlasState() {
    static BlasLibrary library;
    static std::string missing;
    static const bool found = find(library, missing);
    reason = missing;
    if (!found) return;
    const int status = library.Create(&blas.handle);
    if (status == 0)
      blas.library = &library;
    else
      reason = "cublasLtCreate returned status " + std::to_string(status);
  }

  static const BlasState& current() {
    static auto& all = *new std::map<int, BlasState>;  // one thread at a time: Turn
    return all[Machine::current().number()];
  }
};

const Blas* Blas::current() {
  if (!isWanted()) return nullptr;
  const BlasState& state = BlasState::current();
  return state.blas.library == nullptr ? nullptr : &state.blas;
}

std::string Blas::complaint() {
  if (!isWanted() || current() != nullptr) return {};
  return "GRADLOOM_CUDA_MATMUL=cublas, but cuBLASLt cannot be used, so that products are computed "
         "by "
         "our own kernels: " +
         BlasState::current().reason;
}

std::string Blas::describe() {
  const Blas* const blas = current();
  return blas == nullptr ? "products by own kernels"
                         : "products by cuBLASLt " + std::to_string(blas->library->GetVersion());
}

namespace {

// A matrix as the library has it: column by column, `stride` apart.
struct Matrix {
  const void* at;
  bool transposed;
  int64_t rows, columns, stride, matrixStride;
};

// The library reads columns where we read rows, so it is asked for the transpose of the product:
// out' [n, m] = b' [n, k] · a' [k, m].
template <class T>
Matrix firstOf(const Factor<T>& b, const Sizes& size) {
  if (b.columnStride == 1) return {b.at, true, size.k, size.n, b.rowStride, b.matrixStride};
  return {b.at, false, size.n, size.k, b.columnStride, b.matrixStride};
}
template <class T>
Matrix secondOf(const Factor<T>& a, const Sizes& size) {
  if (a.columnStride == 1) return {a.at, false, size.k, size.m, a.rowStride, a.matrixStride};
  return {a.at, true, size.m, size.k, a.columnStride, a.matrixStride};
}

template <class T>
int computeType() {
  if (sizeof(T) == 8) return compute64;
  switch (precision()) {
    case Precision::tf32:
      return fastTf32;
    case Precision::float16:
      return fast16;
    case Precision::bfloat16:
      return fastBrain16;
    default:
      return compute32;
  }
}

// One call of the library: what it is described with, for as long as it takes.
class Request {
 public:
  explicit Request(const BlasLibrary& functions) : library(functions) {}
  ~Request() {
    for (void* layout : layouts) (void)library.MatrixLayoutDestroy(layout);
    if (description != nullptr) (void)library.MatmulDescDestroy(description);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  void* describe(int computed, int type, bool transposedFirst, bool transposedSecond) {
    note(library.MatmulDescCreate(&description, computed, type));
    const int32_t first = transposedFirst ? 1 : 0, second = transposedSecond ? 1 : 0;
    if (status != 0) return nullptr;
    note(library.MatmulDescSetAttribute(description, transposeFirst, &first, sizeof(first)));
    note(library.MatmulDescSetAttribute(description, transposeSecond, &second, sizeof(second)));
    return description;
  }

  void* layOut(const Matrix& matrix, int type, int64_t batch) {
    // The only column, or row, may be nearer to the next than it is long; the library won't have
    // it.
    const int64_t stride = matrix.stride > matrix.rows ? matrix.stride : matrix.rows;
    void* layout = nullptr;
    note(library.MatrixLayoutCreate(&layout, type, uint64_t(matrix.rows), uint64_t(matrix.columns),
                                    stride));
    if (status != 0) return nullptr;
    layouts.push_back(layout);
    const auto count = int32_t(batch);
    note(library.MatrixLayoutSetAttribute(layout, matrices, &count, sizeof(count)));
    note(library.MatrixLayoutSetAttribute(layout, matrixStride, &matrix.matrixStride,
                                          sizeof(matrix.matrixStride)));
    return layout;
  }

  // Keeps the first status that is not 0.
  void note(int returned) {
    if (status == 0) status = returned;
  }
  int status = 0;

 private:
  const BlasLibrary& library;
  void* description = nullptr;
  std::vector<void*> layouts;
};

template <class T>
int call(const BlasLibrary& library, void* handle, const Product<T>& product, int computed,
         void* stream) {
  const Sizes& size = product.size;
  const int type = sizeof(T) == 8 ? real64 : real32;
  const Matrix first = firstOf(product.b, size), second = secondOf(product.a, size);
  const Matrix result = {product.to.out, false, size.n, size.m, size.n, size.m * size.n};
  const T alpha = 1, beta = product.to.accumulate ? 1 : 0;
  Request request(library);
  void* const description = request.describe(computed, type, first.transposed, second.transposed);
  void* const layoutA = request.layOut(first, type, size.batch);
  void* const layoutB = request.layOut(second, type, size.batch);
  void* const layoutC = request.layOut(result, type, size.batch);
  if (request.status != 0) return request.status;
  // Without workspace, and with the algorithm that the library thinks best.
  return library.Matmul(handle, description, &alpha, first.at, layoutA, second.at, layoutB, &beta,
                        result.at, layoutC, product.to.out, layoutC, nullptr, nullptr, 0, stream);
}

template <class T>
size_t bytesOf(const Factor<T>& factor, int64_t batch, int64_t elements) {
  return size_t((batch - 1) * factor.matrixStride + elements) * sizeof(T);
}

}  // namespace

template <class T>
void Blas::multiply(const Product<T>& product) const {
  const auto& [batch, m, n, k] = product.size;
  Machine& machine = Machine::current();
  const auto work = [library = library, handle = handle, product, computed = computeType<T>(),
                     stream = machine.stream()] {
    return call(*library, handle, product, computed, stream);
  };
  const Label label("cublasLtMatmul", {batch, m, n, k});
  machine.launched(label);
#if defined(GRADLOOM_CUDA_EMULATED)
  machine.check(emulator::enqueueLibrary("cublasLtMatmul",
                                         {{product.a.at, bytesOf(product.a, batch, m * k)},
                                          {product.b.at, bytesOf(product.b, batch, k * n)}},
                                         {product.to.out, size_t(batch * m * n) * sizeof(T)}, work,
                                         machine.stream()),
                "launching");
#else
  const int status = work();
  if (status == 0) return;
  throw DeviceFailure{false, label.text() + " returned status " + std::to_string(status) +
                                 "; unset GRADLOOM_CUDA_MATMUL for our own kernels"};
#endif
}

template void Blas::multiply(const Product<float>&) const;
template void Blas::multiply(const Product<double>&) const;

}  // namespace gradloom::cuda
