// Vectors of VL floats, loads and stores, and names that end in the instruction set. Included once per set.
#include "CKernels.h"
#include <string.h>

typedef float vf __attribute__((vector_size(VL * 4)));
typedef int32_t vi __attribute__((vector_size(VL * 4)));
typedef float vf_unaligned __attribute__((vector_size(VL * 4), aligned(4), may_alias));

#define CK_JOIN2(a, b) a##_##b
#define CK_JOIN(a, b) CK_JOIN2(a, b)
#define CK(name) CK_JOIN(name, ISA)

static inline __attribute__((always_inline)) vf CK(vload)(const float *p) { return *(const vf_unaligned *)p; }
static inline __attribute__((always_inline)) void CK(vstore)(float *p, vf v) { *(vf_unaligned *)p = v; }
static inline __attribute__((always_inline)) vf CK(vsplat)(float x) { return x - (vf){0}; }
static inline __attribute__((always_inline)) vf CK(vmax)(vf a, vf b) {
  vi mask = a > b;  // and the compiler makes it one instruction; where either is NaN, b
  return (vf)((mask & (vi)a) | (~mask & (vi)b));
}
#define vload CK(vload)
#define vstore CK(vstore)
#define vsplat CK(vsplat)
#define vmax CK(vmax)
