/*
 * What this machine can do at most: multiply-adds on registers, and memory bandwidth by working
 * set, on 1 and N threads: roofline N SECONDS. Prints JSON.
 *
 * As a watch, roofline N SECONDS watch, it says for every line of its input how many multiply-adds
 * a second the slowest of N threads gets now: fewer, where another program uses the cores or their
 * other hardware threads.
 *
 * Compiled by roofline.ts with -O3 -march=native.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy.h"

#if defined(__AVX512F__)
#define LANES 16
#define REGISTERS 24
#elif defined(__AVX__)
#define LANES 8
#define REGISTERS 12
#else
#define LANES 4
#define REGISTERS 24
#endif

typedef float vector __attribute__((vector_size(4 * LANES)));

enum { MAX_THREADS = 256 };

typedef struct {
  size_t floats;      /* of each array; 0: multiply-adds instead of traffic */
  int arrays;         /* 2: copy, 3: triad, 1: sum */
  double seconds;     /* to work for */
  double rate;        /* result: FLOP or bytes a second */
  pthread_barrier_t *start;
} Work;

static volatile float sink;

/* Independent chains of multiply-adds, as many as hide the latency. */
static void multiply_adds(Work *work) {
  vector chains[REGISTERS];
  for (int i = 0; i < REGISTERS; i++) chains[i] = (vector){0} + (float)i;
  const vector factor = (vector){0} + 0.9999999f, term = (vector){0} + 1e-7f;
  const long block = 10000; /* of some 30 us */
  double done = 0, began = now(), end;
  do {
    for (long r = 0; r < block; r++) {
#pragma GCC unroll 32
      for (int i = 0; i < REGISTERS; i++) chains[i] = chains[i] * factor + term;
    }
    done += 2.0 * LANES * REGISTERS * block;
    end = now();
  } while (end - began < work->seconds);
  float sum = 0;
  for (int i = 0; i < REGISTERS; i++) sum += chains[i][0];
  sink = sum;
  work->rate = done / (end - began);
}

static void traffic(Work *work) {
  const size_t n = work->floats;
  float *a = aligned_alloc(64, 4 * n), *b = aligned_alloc(64, 4 * n), *c = aligned_alloc(64, 4 * n);
  if (!a || !b || !c) exit(1);
  for (size_t i = 0; i < n; i++) a[i] = b[i] = c[i] = (float)(i & 1023);
  const double bytes = 4.0 * (double)n * work->arrays;
  double best = 0, began = now();
  int past = 0; /* in turns: the faster copy counts */
  pthread_barrier_wait(work->start);
  do {
    const long repetitions = 1 + (long)(2e7 / bytes);
    const double start = now();
    for (long r = 0; r < repetitions; r++) {
      if (work->arrays == 2) {
        copy(a, b, n, past);
      } else if (work->arrays == 3) {
        for (size_t i = 0; i < n; i++) a[i] = b[i] + 0.5f * c[i];
      } else {
        vector sums[8] = {{0}};
        for (size_t i = 0; i + 8 * LANES <= n; i += 8 * LANES) {
          const vector *v = (const vector *)(b + i);
#pragma GCC unroll 8
          for (int k = 0; k < 8; k++) sums[k] += v[k];
        }
        sink = sums[0][0] + sums[3][1] + sums[7][0];
      }
      __asm__ volatile("" ::"r"(a), "r"(b), "r"(c) : "memory");
    }
    const double rate = bytes * (double)repetitions / (now() - start);
    if (rate > best) best = rate;
    past = !past;
  } while (now() - began < work->seconds);
  work->rate = best;
  free(a), free(b), free(c);
}

static void *run(void *argument) {
  Work *work = argument;
  if (work->floats) traffic(work);
  else pthread_barrier_wait(work->start), multiply_adds(work);
  return NULL;
}

typedef struct {
  double sum, least; /* of the threads' rates, in billions a second */
} Rates;

/* `floats` is of all threads together. */
static Rates rates(int threads, size_t floats, int arrays, double seconds) {
  pthread_barrier_t start;
  pthread_barrier_init(&start, NULL, (unsigned)threads);
  pthread_t ids[MAX_THREADS];
  Work works[MAX_THREADS];
  for (int t = 0; t < threads; t++) {
    size_t share = floats / (size_t)threads & ~(size_t)255;
    works[t] = (Work){share, arrays, seconds, 0, &start};
    pthread_create(&ids[t], NULL, run, &works[t]);
  }
  Rates all = {0, 1e9};
  for (int t = 0; t < threads; t++) {
    pthread_join(ids[t], NULL);
    const double rate = works[t].rate / 1e9;
    all.sum += rate;
    if (rate < all.least) all.least = rate;
  }
  return all;
}

static double together(int threads, size_t floats, int arrays, double seconds) {
  return rates(threads, floats, arrays, seconds).sum;
}

/* A contestant's manners: see protocol.ts. */
static void watch(int threads, double seconds) {
  printf("{\"version\":\"watch\"}\n");
  fflush(stdout);
  for (int c; (c = getchar()) != EOF;) {
    if (c != '\n') continue;
    printf("{\"value\":%.3f}\n", rates(threads, 0, 0, seconds).least);
    fflush(stdout);
  }
}

int main(int count, char **values) {
  int most = count > 1 ? atoi(values[1]) : 1;
  const double seconds = count > 2 ? atof(values[2]) : 0.2;
  if (most > MAX_THREADS) most = MAX_THREADS;
  if (count > 3 && strcmp(values[3], "watch") == 0) return watch(most, seconds), 0;
  printf("{\"threads\":[");
  for (int pass = 0; pass < (most > 1 ? 2 : 1); pass++) {
    const int threads = pass == 0 ? 1 : most;
    printf("%s{\"threads\":%d,\"gflops\":%.2f,\"bandwidth\":[", pass ? "," : "", threads,
           together(threads, 0, 0, seconds));
    for (int k = 15; k <= 28; k++) { /* 32 KiB to 256 MiB in all arrays together */
      if (k == 21 || k == 23 || k == 27) continue; /* caches end where the rest are */
      const double set = (double)((size_t)1 << k);
      printf("%s{\"bytes\":%.0f,\"copy\":%.2f,\"triad\":%.2f,\"sum\":%.2f}", k > 15 ? "," : "", set,
             together(threads, (size_t)(set / 8), 2, seconds / 4),
             together(threads, (size_t)(set / 12), 3, seconds / 4),
             together(threads, (size_t)(set / 4), 1, seconds / 4));
    }
    printf("]}");
  }
  printf("]}\n");
  return 0;
}
