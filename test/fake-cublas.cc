// A library with the binary interface of cuBLASLt, as far as the addon uses it, that computes on
// the processor in double and refuses what the real one refuses: descriptions of other sizes than
// the documented, matrices that do not fit together, columns closer than they are long. It appends
// a line for every product to the file that FAKE_CUBLAS_LOG names.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

constexpr int success = 0, notInitialized = 1, invalidValue = 7, notSupported = 15;

struct Description {
  int computeType, scaleType;
  int32_t transposed[2] = {0, 0};
};
struct Layout {
  int type;
  uint64_t rows, columns;
  int64_t stride;
  int32_t count = 1;
  int64_t matrixStride = 0;

  size_t at(int64_t matrix, uint64_t row, uint64_t column) const {
    return size_t(matrix * matrixStride) + column * size_t(stride) + row;
  }
};

int handleOfOurs = 0;

int set(void* member, size_t expected, const void* value, size_t bytes) {
  if (bytes != expected) return invalidValue;
  std::memcpy(member, value, bytes);
  return success;
}

uint64_t rowsOf(const Layout& layout, bool transposed) {
  return transposed ? layout.columns : layout.rows;
}
uint64_t columnsOf(const Layout& layout, bool transposed) {
  return transposed ? layout.rows : layout.columns;
}

template <class T>
double element(const void* memory, const Layout& layout, bool transposed, int64_t matrix,
               uint64_t row, uint64_t column) {
  const T* values = static_cast<const T*>(memory);
  return double(
      values[transposed ? layout.at(matrix, column, row) : layout.at(matrix, row, column)]);
}

template <class T>
void multiply(const Description& how, T alpha, const void* a, const Layout& layoutA, const void* b,
              const Layout& layoutB, T beta, const void* c, void* d, const Layout& layoutD) {
  const bool first = how.transposed[0] != 0, second = how.transposed[1] != 0;
  const uint64_t inner = columnsOf(layoutA, first);
  for (int64_t matrix = 0; matrix < layoutD.count; matrix++) {
    for (uint64_t j = 0; j < layoutD.columns; j++) {
      for (uint64_t i = 0; i < layoutD.rows; i++) {
        double sum = 0;
        for (uint64_t p = 0; p < inner; p++) {
          sum += element<T>(a, layoutA, first, matrix, i, p) *
                 element<T>(b, layoutB, second, matrix, p, j);
        }
        double value = double(alpha) * sum;
        // With beta 0 the library does not read C.
        if (beta != 0) value += double(beta) * element<T>(c, layoutD, false, matrix, i, j);
        static_cast<T*>(d)[layoutD.at(matrix, i, j)] = T(value);
      }
    }
  }
}

void log(const Description& how, const Layout& a, const Layout& b, const Layout& d) {
  const char* const path = std::getenv("FAKE_CUBLAS_LOG");
  std::FILE* const file = path == nullptr ? nullptr : std::fopen(path, "a");
  if (file == nullptr) return;
  std::fprintf(file, "compute %d scale %d batch %d: %llu x %llu by %llu x %llu to %llu x %llu\n",
               how.computeType, how.scaleType, d.count, (unsigned long long)a.rows,
               (unsigned long long)a.columns, (unsigned long long)b.rows,
               (unsigned long long)b.columns, (unsigned long long)d.rows,
               (unsigned long long)d.columns);
  std::fclose(file);
}

}  // namespace

EXPORT size_t cublasLtGetVersion() {
  return 130999;
}

EXPORT int cublasLtCreate(void** handle) {
  if (std::getenv("FAKE_CUBLAS_BROKEN") != nullptr) return notInitialized;
  *handle = &handleOfOurs;
  return success;
}

EXPORT int cublasLtMatmulDescCreate(void** description, int computeType, int scaleType) {
  const bool single = scaleType == 0 && (computeType == 68 || computeType == 74 ||
                                         computeType == 75 || computeType == 77);
  if (!single && !(scaleType == 1 && computeType == 70)) return invalidValue;
  *description = new Description{computeType, scaleType};
  return success;
}
EXPORT int cublasLtMatmulDescDestroy(void* description) {
  delete static_cast<Description*>(description);
  return success;
}
EXPORT int cublasLtMatmulDescSetAttribute(void* description, int attribute, const void* value,
                                          size_t bytes) {
  if (attribute != 3 && attribute != 4) return invalidValue;
  return set(&static_cast<Description*>(description)->transposed[attribute - 3], 4, value, bytes);
}

EXPORT int cublasLtMatrixLayoutCreate(void** layout, int type, uint64_t rows, uint64_t columns,
                                      int64_t stride) {
  if (rows == 0 || columns == 0 || stride < int64_t(rows)) return invalidValue;
  *layout = new Layout{type, rows, columns, stride};
  return success;
}
EXPORT int cublasLtMatrixLayoutDestroy(void* layout) {
  delete static_cast<Layout*>(layout);
  return success;
}
EXPORT int cublasLtMatrixLayoutSetAttribute(void* layout, int attribute, const void* value,
                                            size_t bytes) {
  Layout& of = *static_cast<Layout*>(layout);
  if (attribute == 5) return set(&of.count, 4, value, bytes);
  return attribute == 6 ? set(&of.matrixStride, 8, value, bytes) : invalidValue;
}

EXPORT int cublasLtMatmul(void* handle, void* description, const void* alpha, const void* a,
                          void* aLayout, const void* b, void* bLayout, const void* beta,
                          const void* c, void* cLayout, void* d, void* dLayout,
                          const void* algorithm, void* workspace, size_t workspaceBytes,
                          void* stream) {
  if (handle != &handleOfOurs || stream == nullptr) return notInitialized;
  if (algorithm != nullptr || workspace != nullptr || workspaceBytes != 0) return notSupported;
  const Description& how = *static_cast<Description*>(description);
  const Layout& layoutA = *static_cast<Layout*>(aLayout);
  const Layout& layoutB = *static_cast<Layout*>(bLayout);
  const Layout& layoutD = *static_cast<Layout*>(dLayout);
  const bool first = how.transposed[0] != 0, second = how.transposed[1] != 0;
  const bool fits = columnsOf(layoutA, first) == rowsOf(layoutB, second) &&
                    rowsOf(layoutA, first) == layoutD.rows &&
                    columnsOf(layoutB, second) == layoutD.columns && cLayout == dLayout &&
                    layoutA.count == layoutD.count && layoutB.count == layoutD.count;
  for (const Layout* each : {&layoutA, &layoutB, &layoutD}) {
    if (each->type != how.scaleType) return invalidValue;
  }
  if (!fits) return invalidValue;
  log(how, layoutA, layoutB, layoutD);
  if (how.scaleType == 1) {
    multiply(how, *static_cast<const double*>(alpha), a, layoutA, b, layoutB,
             *static_cast<const double*>(beta), c, d, layoutD);
  } else {
    multiply(how, *static_cast<const float*>(alpha), a, layoutA, b, layoutB,
             *static_cast<const float*>(beta), c, d, layoutD);
  }
  return success;
}
