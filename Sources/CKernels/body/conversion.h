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
  for (size_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, source + i, 4);
    // To nearest, ties to even; what is no number must not round to infinity.
    uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    destination[i] = (uint16_t)((bits & 0x7FFFFFFF) > 0x7F800000 ? bits >> 16 | 0x40 : rounded);
  }
}

#define CK_AHEAD 2048  // bytes

// y[r] = w[r] . x for four rows of halves `stride` apart: one pass over x.
typedef _Float16 CK(vh) __attribute__((vector_size(VL * 2), aligned(2), may_alias));
static inline __attribute__((always_inline)) vf CK(vload_half)(const uint16_t *p) {
  return __builtin_convertvector(*(const CK(vh) *)p, vf);
}

static void CK(half_dot_4)(const uint16_t *w, size_t stride, const float *x, size_t count, float *y) {
  vf sums[4] = {0};
  size_t i = 0;
  for (; i + VL <= count; i += VL) {
    vf v = vload(x + i);
    // Rows come from memory, and the hardware's own prefetching stops at each page of a mapped file.
    for (int r = 0; r < 4; r++) {
      __builtin_prefetch(w + r * stride + i + CK_AHEAD / 2);
      sums[r] += CK(vload_half)(w + r * stride + i) * v;
    }
  }
  for (int r = 0; r < 4; r++) {
    float sum = 0;
    for (int lane = 0; lane < VL; lane++) sum += sums[r][lane];
    for (size_t rest = i; rest < count; rest++) {
      float value;
      CK(half_to_float)(w + r * stride + rest, &value, 1);
      sum += value * x[rest];
    }
    y[r] = sum;
  }
}

static void CK(float_dot_4)(const float *w, size_t stride, const float *x, size_t count, float *y) {
  vf sums[4] = {0};
  size_t i = 0;
  for (; i + VL <= count; i += VL) {
    vf v = vload(x + i);
    for (int r = 0; r < 4; r++) {
      __builtin_prefetch(w + r * stride + i + CK_AHEAD / 4);
      sums[r] += vload(w + r * stride + i) * v;
    }
  }
  for (int r = 0; r < 4; r++) {
    float sum = 0;
    for (int lane = 0; lane < VL; lane++) sum += sums[r][lane];
    for (size_t rest = i; rest < count; rest++) sum += w[r * stride + rest] * x[rest];
    y[r] = sum;
  }
}
