/*
 * A tuned copy: how long all cores together take to copy an array of floats, each its part, by
 * stores through the caches or past them. Prints the median milliseconds of the faster kind.
 * Usage: copy FLOATS THREADS SECONDS. Compiled by contestants/copy.mjs.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "copy.h"

enum { MAX_THREADS = 256, MAX_TIMES = 100000 };

static size_t floats;
static int threads;
static float *from, *to;
static atomic_long turn, done; /* the copy under way, 0 before the first; its parts done */
static int past;                 /* the caches */

static void copy_part(long part) {
  const size_t unit = 1024, units = floats / unit; /* the last part takes what is left */
  const size_t first = units * (size_t)part / (size_t)threads * unit;
  const size_t next = units * (size_t)(part + 1) / (size_t)threads * unit;
  copy(to + first, from + first, (part + 1 == threads ? floats : next) - first, past);
}

static void *help(void *argument) {
  const long part = (long)argument;
  for (long last = 0;;) {
    long next;
    while ((next = atomic_load(&turn)) == last) {
#if defined(__SSE2__)
      _mm_pause();
#endif
    }
    if (next < 0) return NULL;
    last = next;
    copy_part(part);
    atomic_fetch_add(&done, 1);
  }
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static float *array(void) {
  float *made = NULL;
  if (posix_memalign((void **)&made, 2 << 20, 4 * floats + 64) != 0) exit(1);
#if defined(MADV_HUGEPAGE)
  madvise(made, 4 * floats, MADV_HUGEPAGE);
#endif
  for (size_t i = 0; i < floats; i++) made[i] = (float)(i & 1023);
  return made;
}

/* The median over so many seconds, after a quarter of them to warm up. */
static double median(double seconds) {
  static double times[MAX_TIMES];
  int count = 0;
  const double began = now();
  double end = began;
  while (end - began < 1.25 * seconds && count < MAX_TIMES) {
    const double start = now();
    atomic_store(&done, 0);
    atomic_fetch_add(&turn, 1);
    copy_part(0);
    while (atomic_load(&done) < threads - 1) {
    }
    end = now();
    if (start - began >= 0.25 * seconds) times[count++] = 1000 * (end - start);
  }
  if (count == 0) return 1000 * (end - began);
  qsort(times, (size_t)count, sizeof(double), ascending);
  return times[count / 2];
}

int main(int count, char **values) {
  if (count != 4) return 2;
  floats = (size_t)atof(values[1]), threads = atoi(values[2]);
  const double seconds = atof(values[3]);
  if (threads < 1 || threads > MAX_THREADS) return 2;
  from = array(), to = array();
  pthread_t ids[MAX_THREADS];
  for (long part = 1; part < threads; part++) {
    if (pthread_create(&ids[part], NULL, help, (void *)part) != 0) return 1;
  }
  const double through = median(seconds / 2);
  past = 1;
  const double beyond = median(seconds / 2);
  atomic_store(&turn, -1);
  for (long part = 1; part < threads; part++) pthread_join(ids[part], NULL);
  printf("%.6f\n", through < beyond ? through : beyond);
  return 0;
}
