// The activations of fully connected layers beside ReLU, and the way back through them.

// f(x); `kind` is known where this is compiled.
CK_INLINE vf CK(vactivate)(int kind, float slope, vf x) {
  switch (kind) {
  case CK_LEAKY: return CK(vselect)(x > 0.0f, x, slope * x);
  case CK_ELU: return CK(vselect)(x > 0.0f, x, CK(vexp)(x) - 1.0f);
  case CK_TANH: return CK(vtanh)(x);
  default: return CK(vsigmoid)(x);
  }
}

// f'(x)
CK_INLINE vf CK(vslope)(int kind, float slope, vf x) {
  vf one = vsplat(1), y;
  switch (kind) {
  case CK_LEAKY: return CK(vselect)(x > 0.0f, one, vsplat(slope));
  case CK_ELU: return CK(vselect)(x > 0.0f, one, CK(vexp)(x));
  case CK_TANH: y = CK(vtanh)(x); return one - y * y;
  default: y = CK(vsigmoid)(x); return y * (one - y);
  }
}

#define CK_ACTIVATIONS(body) body(CK_LEAKY) body(CK_ELU) body(CK_TANH) body(CK_SIGMOID)

static void CK(activation_row)(int activation, float slope, const float *x, float *y, size_t count) {
#define CK_FORWARD(kind)                                                                                               \
  if (activation == kind) CK_EACH(i, l, count) CK(vput)(y + i, CK(vactivate)(kind, slope, CK(vget)(x + i, l)), l);
  CK_ACTIVATIONS(CK_FORWARD)
#undef CK_FORWARD
}

static void CK(activation_backward_row)(int activation, float slope, const float *x, float *dy, size_t count) {
#define CK_BACKWARD(kind)                                                                                              \
  if (activation == kind)                                                                                              \
    CK_EACH(i, l, count)                                                                                               \
      CK(vput)(dy + i, CK(vget)(dy + i, l) * CK(vslope)(kind, slope, CK(vget)(x + i, l)), l);
  CK_ACTIVATIONS(CK_BACKWARD)
#undef CK_BACKWARD
}

static float CK(negative_products)(const float *x, const float *dy, size_t count) {
  vf sum = vsplat(0);
  // Lanes left over hold 0.
  CK_EACH(i, l, count) {
    vf v = CK(vget)(x + i, l);
    sum += CK(vselect)(v > 0.0f, vsplat(0), v * CK(vget)(dy + i, l));
  }
  return CK(vsum)(sum);
}

static void CK(maxout_row)(const float *a, const float *b, float *y, size_t count) {
  CK_EACH(i, l, count) CK(vput)(y + i, vmax(CK(vget)(a + i, l), CK(vget)(b + i, l)), l);
}

static void CK(maxout_backward_row)(const float *a, const float *b, const float *dy, float *da, float *db,
                                    size_t count) {
  CK_EACH(i, l, count) {
    vi first = CK(vget)(a + i, l) >= CK(vget)(b + i, l);
    vf d = CK(vget)(dy + i, l);
    CK(vput)(da + i, (vf)(first & (vi)d), l);
    CK(vput)(db + i, (vf)(~first & (vi)d), l);
  }
}
