// The whole native surface: what JavaScript can call, with the methods of src/backends/backend.ts
// under their names and with their arguments in order. Every function checks all it is given
// (types, lengths against sizes, ranges, reach of strides) and throws BadArgument; no arguments
// whatsoever may make it touch memory that is not theirs.
#pragma once

#include <cstdint>

#include "api/call.h"

// Function, names of its arguments.
#define GRADLOOM_API(ROW)                                                                          \
  ROW(map, "kernel out x0 x1 x2 x3 p q")                                                           \
  ROW(mapStrided, "kernel out x0 x1 x2 x3 p q walk")                                               \
  ROW(select, "out condition a b")                                                                 \
  ROW(cast, "out a toBool")                                                                        \
  ROW(fill, "out value")                                                                           \
  ROW(copy, "out outOffset a aOffset walk")                                                        \
  ROW(gather, "out a index outer n count inner")                                                   \
  ROW(scatterAdd, "out a index outer n count inner")                                               \
  ROW(takeAlong, "out a index outer n count inner")                                                \
  ROW(putAlongAdd, "out a index outer n count inner")                                              \
  ROW(sort, "values index a rows n k descending")                                                  \
  ROW(reduce, "reduction out a outer n inner")                                                     \
  ROW(cumsum, "out a outer n inner reverse")                                                       \
  ROW(matmul, "out a b batch m n k strideA strideB transA transB accumulate")                      \
  ROW(dense, "out pre x w bias rows units features activation p q")                                \
  ROW(denseBackward, "dx dw db scratch g x w y pre rows units features derivative p q accumulate") \
  ROW(softmax, "out a rows columns logarithm")                                                     \
  ROW(softmaxBackward, "out g y rows columns logarithm")                                           \
  ROW(crossEntropy, "loss difference logits target rows classes")                                  \
  ROW(scaleRows, "out a scale rows columns factor")                                                \
  ROW(batchNorm, "out mean inverse variance x gamma beta rows channels epsilon")                   \
  ROW(batchNormBackward, "dx dgamma dbeta g x mean inverse gamma rows channels")                   \
  ROW(random, "distribution out key0 key1 counter0 counter1 p q")                                  \
  ROW(dropout, "out x rate a b c key0 key1 counter0 counter1")                                     \
  ROW(update, "update parameters gradients states hyper")                                          \
  ROW(loadRows, "out data index center scale n count width")                                       \
  ROW(threads, "")                                                                                 \
  ROW(setThreads, "count")                                                                         \
  ROW(describe, "")

namespace gradloom::api {

// elementwise.cc
void map(const Call&, int kernel, Array out, Array x0, MaybeArray x1, MaybeArray x2, MaybeArray x3,
         double p, double q);
void mapStrided(const Call&, int kernel, Array out, Array x0, MaybeArray x1, MaybeArray x2,
                MaybeArray x3, double p, double q, HostArray walk);
void select(const Call&, Array out, Array condition, Array a, Array b);
void cast(const Call&, Array out, Array a, bool toBool);
void fill(const Call&, Array out, double value);

// movement.cc
void copy(const Call&, Array out, int64_t outOffset, Array a, int64_t aOffset, HostArray walk);
int64_t gather(const Call&, Array out, Array a, Array index, int64_t outer, int64_t n,
               int64_t count, int64_t inner);
int64_t scatterAdd(const Call&, Array out, Array a, Array index, int64_t outer, int64_t n,
                   int64_t count, int64_t inner);
int64_t takeAlong(const Call&, Array out, Array a, Array index, int64_t outer, int64_t n,
                  int64_t count, int64_t inner);
int64_t putAlongAdd(const Call&, Array out, Array a, Array index, int64_t outer, int64_t n,
                    int64_t count, int64_t inner);
void sort(const Call&, Array values, Array index, Array a, int64_t rows, int64_t n, int64_t k,
          bool descending);
void reduce(const Call&, int reduction, Array out, Array a, int64_t outer, int64_t n,
            int64_t inner);
void cumsum(const Call&, Array out, Array a, int64_t outer, int64_t n, int64_t inner, bool reverse);

// layers.cc
void matmul(const Call&, Array out, Array a, Array b, int64_t batch, int64_t m, int64_t n,
            int64_t k, int64_t strideA, int64_t strideB, bool transA, bool transB, bool accumulate);
void dense(const Call&, Array out, MaybeArray pre, Array x, Array w, MaybeArray bias, int64_t rows,
           int64_t units, int64_t features, int activation, double p, double q);
void denseBackward(const Call&, MaybeArray dx, MaybeArray dw, MaybeArray db, Array scratch, Array g,
                   Array x, Array w, Array y, MaybeArray pre, int64_t rows, int64_t units,
                   int64_t features, int derivative, double p, double q, bool accumulate);
void softmax(const Call&, Array out, Array a, int64_t rows, int64_t columns, bool logarithm);
void softmaxBackward(const Call&, Array out, Array g, Array y, int64_t rows, int64_t columns,
                     bool logarithm);
int64_t crossEntropy(const Call&, Array loss, MaybeArray difference, Array logits, Array target,
                     int64_t rows, int64_t classes);
void scaleRows(const Call&, Array out, Array a, Array scale, int64_t rows, int64_t columns,
               double factor);
void batchNorm(const Call&, Array out, Array mean, Array inverse, Array variance, Array x,
               MaybeArray gamma, MaybeArray beta, int64_t rows, int64_t channels, double epsilon);
void batchNormBackward(const Call&, MaybeArray dx, MaybeArray dgamma, MaybeArray dbeta, Array g,
                       Array x, Array mean, Array inverse, MaybeArray gamma, int64_t rows,
                       int64_t channels);

// training.cc
void random(const Call&, int distribution, Array out, uint32_t key0, uint32_t key1,
            uint32_t counter0, uint32_t counter1, double p, double q);
void dropout(const Call&, Array out, Array x, double rate, double a, double b, double c,
             uint32_t key0, uint32_t key1, uint32_t counter0, uint32_t counter1);
void update(const Call&, int update, const ArrayList& parameters, const ArrayList& gradients,
            const ArrayList& states, LiveArray hyper);
int64_t loadRows(const Call&, Array out, Array data, MaybeArray index, MaybeArray center,
                 MaybeArray scale, int64_t n, int64_t count, int64_t width);

// training.cc: the machine
int64_t threads(const Call&);
void setThreads(const Call&, int64_t count);
std::string describe(const Call&);

}  // namespace gradloom::api
