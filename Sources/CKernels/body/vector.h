// Vectors of VL floats, loads and stores, and names that end in the instruction set. Included once per set.
#include "CKernels.h"
#include <string.h>

typedef float vf __attribute__((vector_size(VL * 4)));
typedef int32_t vi __attribute__((vector_size(VL * 4)));
typedef float vf_unaligned __attribute__((vector_size(VL * 4), aligned(4), may_alias));

#define CK_JOIN2(a, b) a##_##b
#define CK_JOIN(a, b) CK_JOIN2(a, b)
#define CK(name) CK_JOIN(name, ISA)
// Loops of a fixed length whose vectors are to stay in registers: at -O2 the compiler keeps the longer ones as loops.
#define CK_UNROLL _Pragma("clang loop unroll(full)")
#define CK_INLINE static inline __attribute__((always_inline))

CK_INLINE vf CK(vload)(const float *p) { return *(const vf_unaligned *)p; }
CK_INLINE void CK(vstore)(float *p, vf v) { *(vf_unaligned *)p = v; }
CK_INLINE vf CK(vsplat)(float x) { return x - (vf){0}; }
CK_INLINE vf CK(vmax)(vf a, vf b) {
  vi mask = a > b;  // and the compiler makes it one instruction; where either is NaN, b
  return (vf)((mask & (vi)a) | (~mask & (vi)b));
}
#define vload CK(vload)
#define vstore CK(vstore)
#define vsplat CK(vsplat)
#define vmax CK(vmax)

CK_INLINE int CK(lanes)(size_t rest) { return rest < VL ? (int)rest : VL; }
CK_INLINE vf CK(vget)(const float *p, int lanes) {
  if (lanes == VL) return vload(p);
  vf v = vsplat(0);
  memcpy(&v, p, (size_t)lanes * 4);
  return v;
}
CK_INLINE void CK(vput)(float *p, vf v, int lanes) {
  if (lanes == VL) vstore(p, v);
  else memcpy(p, &v, (size_t)lanes * 4);
}

// Rounded to the nearest bfloat16, ties to even; what is no number must not round to infinity.
typedef uint32_t vu __attribute__((vector_size(VL * 4)));
typedef uint16_t CK(vs) __attribute__((vector_size(VL * 2), aligned(2), may_alias));
CK_INLINE void CK(vput_bfloat)(uint16_t *p, vf v, int lanes) {
  vu bits = (vu)v, nan = (vu)((bits & 0x7FFFFFFF) > 0x7F800000);
  vu rounded = ((bits + 0x7FFF + (bits >> 16 & 1)) & ~nan) | ((bits | 0x400000) & nan);
  CK(vs) halves = __builtin_convertvector(rounded >> 16, CK(vs));
  if (lanes == VL) *(CK(vs) *)p = halves;
  else memcpy(p, &halves, (size_t)lanes * 2);
}

// The first and the second half of two vectors, a lane of each in turn.
#if VL == 4
#define CK_ZIP_LOW 0, 4, 1, 5
#define CK_ZIP_HIGH 2, 6, 3, 7
#elif VL == 8
#define CK_ZIP_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define CK_ZIP_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#else
#define CK_ZIP_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define CK_ZIP_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#endif

// VL rows of VL become VL columns: log2(VL) times, rows that are half of all apart are zipped.
CK_INLINE void CK(transpose)(vf *rows) {
  for (int step = VL; step > 1; step /= 2) {
    vf zipped[VL];
    for (int i = 0; i < VL / 2; i++) {
      zipped[2 * i] = __builtin_shufflevector(rows[i], rows[i + VL / 2], CK_ZIP_LOW);
      zipped[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + VL / 2], CK_ZIP_HIGH);
    }
    for (int i = 0; i < VL; i++) rows[i] = zipped[i];
  }
}
