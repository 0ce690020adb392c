// One pass over a parameter: gradient norms, optimisers, moving averages. Bound by memory, so each touches it once.

// Float sums of 16 vectors at a time, added up in double.
static double CK(sum_of_squares)(const float *x, size_t count) {
  double total = 0;
  size_t i = 0;
  for (; i + 16 * VL <= count; i += 16 * VL) {
    vf s[4] = {vsplat(0), vsplat(0), vsplat(0), vsplat(0)};
    for (int k = 0; k < 16; k++) {
      vf v = vload(x + i + k * VL);
      s[k & 3] += v * v;
    }
    total += CK(vsum)((s[0] + s[1]) + (s[2] + s[3]));
  }
  for (; i < count; i++) total += (double)x[i] * x[i];
  return total;
}

// The gradient clipped and with its L2 penalty.
CK_INLINE vf CK(penalised)(const float *g, vf w, int lanes, ck_update a) {
  vf scaled = vmax(CK(vget)(g, lanes) * a.gradient_scale, vsplat(-a.limit));
  return -vmax(-scaled, vsplat(-a.limit)) + w * a.penalty;
}

// Adam (Kingma & Ba 2015) as torch.optim.Adam computes it: epsilon outside the root of the corrected moment. With
// `kept` below 1 it is AdamW (Loshchilov & Hutter 2019).
static void CK(adam)(float *w, const float *g, float *m, float *v, size_t count, ck_update a) {
  CK_EACH(i, l, count) {
    vf wi = CK(vget)(w + i, l), gi = CK(penalised)(g + i, wi, l, a);
    vf mi = CK(vget)(m + i, l), vi_ = CK(vget)(v + i, l);
    mi = mi + (gi - mi) * a.one_minus_beta1;
    vi_ = vi_ * a.beta2 + gi * gi * a.one_minus_beta2;
    vf root = __builtin_elementwise_sqrt(vi_) * a.inverse_root_correction2 + a.epsilon;
    CK(vput)(m + i, mi, l);
    CK(vput)(v + i, vi_, l);
    CK(vput)(w + i, wi * a.kept - a.step_size * mi / root, l);
  }
}

static void CK(scaled_descent)(float *w, const float *g, float *v, size_t count, ck_update a) {
  CK_EACH(i, l, count) {
    vf wi = CK(vget)(w + i, l), gi = CK(penalised)(g + i, wi, l, a);
    vf vi_ = CK(vget)(v + i, l) * a.beta2 + gi * gi * a.one_minus_beta2;
    CK(vput)(v + i, vi_, l);
    CK(vput)(w + i, wi * a.kept - a.step_size * gi / (__builtin_elementwise_sqrt(vi_) + a.epsilon), l);
  }
}

static void CK(descent)(float *w, const float *g, float *m, size_t count, ck_update a) {
  CK_EACH(i, l, count) {
    vf wi = CK(vget)(w + i, l), gi = CK(penalised)(g + i, wi, l, a);
    if (m) {
      vf mi = CK(vget)(m + i, l) * a.momentum + gi;
      CK(vput)(m + i, mi, l);
      gi = a.nesterov ? gi + mi * a.momentum : mi;
    }
    CK(vput)(w + i, wi * a.kept - gi * a.step_size, l);
  }
}

static void CK(moving_average)(float *average, const float *x, size_t count, float decay) {
  CK_EACH(i, l, count) {
    vf a = CK(vget)(average + i, l);
    CK(vput)(average + i, a + (CK(vget)(x + i, l) - a) * (1.0f - decay), l);
  }
}
