// Chooses the table of kernels for this CPU.
#include "CKernels.h"
#include <string.h>

extern const ck_kernels ck_table_baseline;
#if defined(__x86_64__)
extern const ck_kernels ck_table_avx2, ck_table_avx512;

static int has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
         __builtin_cpu_supports("bmi2");
}

static int has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
#endif

const ck_kernels *ck_kernels_named(const char *name) {
  if (strcmp(name, "baseline") == 0) return &ck_table_baseline;
#if defined(__x86_64__)
  if (strcmp(name, "avx2") == 0 && has_avx2()) return &ck_table_avx2;
  if (strcmp(name, "avx512") == 0 && has_avx512()) return &ck_table_avx512;
#endif
  return NULL;
}

const ck_kernels *ck_kernels_best(void) {
#if defined(__x86_64__)
  if (has_avx512()) return &ck_table_avx512;
  if (has_avx2()) return &ck_table_avx2;
#endif
  return &ck_table_baseline;
}

int ck_has_avx512_bf16(void) {
#if defined(__x86_64__)
  return has_avx512() && __builtin_cpu_supports("avx512bf16");
#else
  return 0;
#endif
}
