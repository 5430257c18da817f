/* What roofline.c and copy.c share: a clock, and a copy by either kind of stores. */

#include <stddef.h>
#include <time.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* A copy, by stores through the caches or past them. Up to 15 floats more are written than n. */
static inline void copy(float *to, const float *from, size_t n, int past) {
#if defined(__SSE2__)
  if (past) {
    for (size_t i = 0; i < n; i += 16) {
      __builtin_prefetch(from + i + 256);
      for (size_t j = i; j < i + 16; j += 4) _mm_stream_ps(to + j, _mm_loadu_ps(from + j));
    }
    _mm_sfence();
    return;
  }
#endif
  (void)past;
  for (size_t i = 0; i < n; i++) to[i] = from[i];
}
