// IEEE half and bfloat16 to and from float. Scalar code that the compiler turns into F16C where it exists.

static void CK(half_to_float)(const uint16_t *source, float *destination, size_t count) {
  for (size_t i = 0; i < count; i++) {
    _Float16 h;
    memcpy(&h, source + i, 2);
    destination[i] = (float)h;
  }
}

static void CK(bfloat_to_float)(const uint16_t *source, float *destination, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = (uint32_t)source[i] << 16;
    memcpy(destination + i, &bits, 4);
  }
}

static void CK(float_to_half)(const float *source, uint16_t *destination, size_t count) {
  for (size_t i = 0; i < count; i++) {
    _Float16 h = (_Float16)source[i];
    memcpy(destination + i, &h, 2);
  }
}

static void CK(float_to_bfloat)(const float *source, uint16_t *destination, size_t count) {
  for (size_t i = 0; i < count; i += VL) {
    int lanes = CK(lanes)(count - i);
    CK(vput_bfloat)(destination + i, CK(vget)(source + i, lanes), lanes);
  }
}

// y[r] = w[r] . x for four rows `stride` apart: one pass over x. Rows come from memory, and the hardware's own prefetching
// stops at each page of a mapped file: so two kilobytes ahead.
typedef _Float16 CK(vh) __attribute__((vector_size(VL * 2), aligned(2), may_alias));
CK_INLINE vf CK(vload_half)(const uint16_t *p) { return __builtin_convertvector(*(const CK(vh) *)p, vf); }
CK_INLINE float CK(one_half)(const uint16_t *p) {
  float value;
  CK(half_to_float)(p, &value, 1);
  return value;
}
#define CK_DOT_4(name, T, LOAD, ONE)                                                                                   \
  static void CK(name)(const T *w, size_t stride, const float *x, size_t count, float *y) {                            \
    vf sums[4] = {0};                                                                                                  \
    size_t i = 0;                                                                                                      \
    for (; i + VL <= count; i += VL) {                                                                                 \
      vf v = vload(x + i);                                                                                             \
      for (int r = 0; r < 4; r++) {                                                                                    \
        __builtin_prefetch(w + r * stride + i + 2048 / sizeof(T));                                                     \
        sums[r] += LOAD(w + r * stride + i) * v;                                                                       \
      }                                                                                                                \
    }                                                                                                                  \
    for (int r = 0; r < 4; r++) {                                                                                      \
      float sum = 0;                                                                                                   \
      for (int lane = 0; lane < VL; lane++) sum += sums[r][lane];                                                      \
      for (size_t rest = i; rest < count; rest++) sum += ONE(w + r * stride + rest) * x[rest];                         \
      y[r] = sum;                                                                                                      \
    }                                                                                                                  \
  }
#define CK_ONE_FLOAT(p) (*(p))
CK_DOT_4(half_dot_4, uint16_t, CK(vload_half), CK(one_half))
CK_DOT_4(float_dot_4, float, vload, CK_ONE_FLOAT)
