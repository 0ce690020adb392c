// Fused pointwise loops of the decoder: exponentials, softmax with cross-entropy, top-k, dropout, sums.
// Every loop takes any count: the lanes left over go through a padded vector.
#include <math.h>

CK_INLINE vf CK(vselect)(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
CK_INLINE float CK(vsum)(vf v) {
  float sum = 0;
  for (int l = 0; l < VL; l++) sum += v[l];
  return sum;
}
#define CK_EACH(i, l, n) for (size_t i = 0, l; i < (n) && (l = CK(lanes)((n) - i), 1); i += VL)

// e^x within 2e-7: x = n ln 2 + r, |r| <= ln 2 / 2, the polynomial of Cephes' expf, and 2^n in two factors so that
// results run from the smallest denormal to infinity.
CK_INLINE vf CK(vexp)(vf x) {
  const float round = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number, kept in the low bits
  vf low = vsplat(-104.0f), high = vsplat(89.0f);
  x = CK(vselect)(x < low, low, CK(vselect)(x > high, high, x));
  vf shifted = x * 1.44269504088896341f + round;
  vf n = shifted - round;
  vi exponent = (vi)shifted - (vi)vsplat(round);
  vf r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  vf p = vsplat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  vi half = exponent >> 1;
  return p * (vf)((half + 127) << 23) * (vf)((exponent - half + 127) << 23);
}

CK_INLINE vf CK(vsigmoid)(vf x) { return 1.0f / (1.0f + CK(vexp)(-x)); }

// Near zero the polynomial of Cephes' tanhf, elsewhere 1 - 2 / (e^2x + 1).
CK_INLINE vf CK(vtanh)(vf x) {
  vf z = x * x;
  vf p = vsplat(-5.70498872745e-3f);
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  vf small = p * z * x + x;
  vf large = 1.0f - 2.0f / (CK(vexp)(x + x) + 1.0f);
  vf size = (vf)((vi)x & 0x7fffffff);
  return CK(vselect)(size < 0.625f, small, large);
}

static void CK(exp_row)(const float *x, float *y, size_t count) {
  CK_EACH(i, l, count) CK(vput)(y + i, CK(vexp)(CK(vget)(x + i, l)), l);
}
static void CK(sigmoid_row)(const float *x, float *y, size_t count) {
  CK_EACH(i, l, count) CK(vput)(y + i, CK(vsigmoid)(CK(vget)(x + i, l)), l);
}
static void CK(tanh_row)(const float *x, float *y, size_t count) {
  CK_EACH(i, l, count) CK(vput)(y + i, CK(vtanh)(CK(vget)(x + i, l)), l);
}
static void CK(tanh_backward_row)(const float *x, const float *dy, float *dx, size_t count) {
  CK_EACH(i, l, count) {
    vf y = CK(vtanh)(CK(vget)(x + i, l));
    CK(vput)(dx + i, CK(vget)(dx + i, l) + CK(vget)(dy + i, l) * (1.0f - y * y), l);
  }
}

// ---- Softmax -------------------------------------------------------------------------------------------------------

// x += bias; the largest.
CK_INLINE float CK(add_and_max)(float *x, const float *bias, size_t count) {
  vf best = vsplat(-INFINITY);
  CK_EACH(i, l, count) {
    vf v = CK(vget)(x + i, l);
    if (bias) {
      v += CK(vget)(bias + i, l);
      CK(vput)(x + i, v, l);
    }
    if (l < VL)
      for (int k = l; k < VL; k++) v[k] = -INFINITY;
    best = vmax(v, best);
  }
  float largest = -INFINITY;
  for (int l = 0; l < VL; l++) largest = best[l] > largest ? best[l] : largest;
  return largest;
}

// sum of e^(x - largest); with `e`, each is kept there.
CK_INLINE float CK(exp_sum)(const float *x, float largest, float *e, size_t count) {
  vf sum = vsplat(0);
  CK_EACH(i, l, count) {
    vf v = CK(vget)(x + i, l) - largest;
    if (l < VL)
      for (int k = l; k < VL; k++) v[k] = -INFINITY;
    v = CK(vexp)(v);
    if (e) CK(vput)(e + i, v, l);
    sum += v;
  }
  return CK(vsum)(sum);
}

static float CK(cross_entropy_row)(float *logits, const float *bias, size_t count, size_t target, float scale,
                                   float smoothing) {
  float largest = CK(add_and_max)(logits, bias, count);
  float chosen = logits[target];
  float sum = CK(exp_sum)(logits, largest, scale != 0 ? logits : 0, count);
  if (scale != 0) {
    float factor = scale / sum;
    float share = scale * smoothing / (float)count;  // of the target's probability, what every class gets
    CK_EACH(i, l, count) CK(vput)(logits + i, CK(vget)(logits + i, l) * factor - share, l);
    logits[target] -= scale * (1 - smoothing);
  }
  return chosen - largest - logf(sum);
}

static int CK(top_k_row)(float *logits, const float *bias, size_t count, const int32_t *excluded,
                         int excluded_count, int k, int32_t *ids, float *log_probs) {
  float largest = CK(add_and_max)(logits, bias, count);
  float log_sum = logf(CK(exp_sum)(logits, largest, 0, count));
  for (int i = 0; i < excluded_count; i++) logits[excluded[i]] = -INFINITY;
  int found = 0;
  float threshold = -INFINITY;  // only what is larger enters: of equals, the first stays
  CK_EACH(i, l, count) {
    vf v = CK(vget)(logits + i, l);
    if (l < VL)
      for (int j = l; j < VL; j++) v[j] = -INFINITY;
    vi above = v > threshold;
    int32_t any = 0;
    for (int j = 0; j < VL; j++) any |= above[j];
    if (!any) continue;
    for (int j = 0; j < (int)l; j++) {
      float value = logits[i + j];
      if (!(value > threshold)) continue;
      int place = found < k ? found++ : k - 1;
      for (; place > 0 && log_probs[place - 1] < value; place--) {
        log_probs[place] = log_probs[place - 1];
        ids[place] = ids[place - 1];
      }
      log_probs[place] = value;
      ids[place] = (int32_t)(i + j);
      if (found == k) threshold = log_probs[k - 1];
    }
  }
  for (int i = 0; i < found; i++) log_probs[i] = log_probs[i] - largest - log_sum;
  return found;
}

// ---- Bias, ReLU, dropout -------------------------------------------------------------------------------------------

// Two rounds of a 32-bit mixer (Wellons, "lowbias32") over the element's number, keyed between and before.
CK_INLINE vu CK(hash)(uint32_t index, ck_dropout d) {
  vu x;
  for (int l = 0; l < VL; l++) x[l] = (uint32_t)l;
  x += index;
  x = x * 0x9E3779B1u + d.key0;
  for (int round = 0; round < 2; round++) {
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    x ^= x >> 16;
    x ^= round == 0 ? d.key1 : 0;
  }
  return x;
}
CK_INLINE vf CK(vdrop)(vf v, uint32_t index, ck_dropout d) {
  if (d.threshold == 0) return v;
  vi keep = CK(hash)(index, d) >= d.threshold;
  return (vf)(keep & (vi)(v * d.scale));
}

static void CK(dropout_row)(const float *x, float *y, size_t count, uint32_t index, ck_dropout d) {
  CK_EACH(i, l, count) CK(vput)(y + i, CK(vdrop)(CK(vget)(x + i, l), index + (uint32_t)i, d), l);
}

static void CK(bias_row)(float *x, const float *bias, size_t count) {
  CK_EACH(i, l, count) CK(vput)(x + i, CK(vget)(x + i, l) + CK(vget)(bias + i, l), l);
}

static void CK(bias_relu_row)(float *x, const float *bias, size_t count, uint32_t index, ck_dropout d) {
  CK_EACH(i, l, count) {
    vf v = vmax(vsplat(0), CK(vget)(x + i, l) + CK(vget)(bias + i, l));
    CK(vput)(x + i, CK(vdrop)(v, index + (uint32_t)i, d), l);
  }
}

static void CK(relu_backward_row)(const float *y, float *dy, size_t count, float scale) {
  CK_EACH(i, l, count) {
    vi live = CK(vget)(y + i, l) > 0.0f;
    CK(vput)(dy + i, (vf)(live & (vi)(CK(vget)(dy + i, l) * scale)), l);
  }
}

// ---- Sums ----------------------------------------------------------------------------------------------------------

static void CK(column_sums)(const float *x, size_t rows, size_t stride, size_t columns, float *sums) {
  size_t j = 0;
  for (; j + 4 * VL <= columns; j += 4 * VL) {
    vf s[4] = {vsplat(0), vsplat(0), vsplat(0), vsplat(0)};
    for (size_t r = 0; r < rows; r++)
      for (int v = 0; v < 4; v++) s[v] += vload(x + r * stride + j + v * VL);
    for (int v = 0; v < 4; v++) vstore(sums + j + v * VL, s[v]);
  }
  for (; j < columns; j += VL) {
    int l = CK(lanes)(columns - j);
    vf s = vsplat(0);
    for (size_t r = 0; r < rows; r++) s += CK(vget)(x + r * stride + j, l);
    CK(vput)(sums + j, s, l);
  }
}

static void CK(add_products)(const float *x, const float *y, float *sums, size_t count) {
  CK_EACH(i, l, count) CK(vput)(sums + i, CK(vget)(sums + i, l) + CK(vget)(x + i, l) * CK(vget)(y + i, l), l);
}

static void CK(axpy)(float a, const float *x, float *y, size_t count) {
  CK_EACH(i, l, count) CK(vput)(y + i, CK(vget)(y + i, l) + a * CK(vget)(x + i, l), l);
}
static void CK(scale)(float a, float *x, size_t count) {
  CK_EACH(i, l, count) CK(vput)(x + i, CK(vget)(x + i, l) * a, l);
}
