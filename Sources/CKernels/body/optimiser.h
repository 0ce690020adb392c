// One pass over a parameter: gradient norms, Adam, moving averages. Bound by memory, so each touches it once.

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

// Adam (Kingma & Ba 2015) as torch.optim.Adam computes it: epsilon outside the root of the corrected moment.
static void CK(adam)(float *w, const float *g, float *m, float *v, size_t count, ck_adam a) {
  CK_EACH(i, l, count) {
    vf wi = CK(vget)(w + i, l);
    vf gi = CK(vget)(g + i, l) * a.gradient_scale + wi * a.weight_decay;
    vf mi = CK(vget)(m + i, l), vi_ = CK(vget)(v + i, l);
    mi = mi + (gi - mi) * a.one_minus_beta1;
    vi_ = vi_ * a.beta2 + gi * gi * a.one_minus_beta2;
    vf root = __builtin_elementwise_sqrt(vi_) * a.inverse_root_correction2 + a.epsilon;
    CK(vput)(m + i, mi, l);
    CK(vput)(v + i, vi_, l);
    CK(vput)(w + i, wi - a.step_size * mi / root, l);
  }
}

static void CK(moving_average)(float *average, const float *x, size_t count, float decay) {
  CK_EACH(i, l, count) {
    vf a = CK(vget)(average + i, l);
    CK(vput)(average + i, a + (CK(vget)(x + i, l) - a) * (1.0f - decay), l);
  }
}
