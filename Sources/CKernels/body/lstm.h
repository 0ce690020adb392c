// One row of a long short-term memory, gates [i, f, o, g], and of its variants. Each is compiled by itself: its flags
// are constants.
enum {
  CK_PEEPHOLES = 1,  // i and f see c_before, o sees c
  CK_COUPLED = 2,    // f = 1 - i; gates [i, o, g]
  CK_NO_FORGET = 4,  // f = 1; gates [i, o, g]
  CK_MAXOUT = 8,     // g = max(g1, g2) without tanh; gates [i, f, o, g1, g2]
  CK_LINEAR = 16,    // h = o c without tanh
};

CK_INLINE void CK(lstm_variant_step)(int variant, ck_gate_sums sums, const float *peepholes, const float *c_before,
                                     float *gates, float *c, float *tanh_c, float *h, size_t hidden) {
  const int forgets = !(variant & (CK_COUPLED | CK_NO_FORGET)), peeps = variant & CK_PEEPHOLES;
  const size_t at_o = forgets ? 2 * hidden : hidden, at_g = at_o + hidden;
  CK_EACH(j, l, hidden) {
    vf before = c_before ? CK(vget)(c_before + j, l) : vsplat(0);
    vf i = CK(vgate)(sums, j, l), f = forgets ? CK(vgate)(sums, hidden + j, l) : vsplat(1);
    if (peeps) {
      i += CK(vget)(peepholes + j, l) * before;
      f += CK(vget)(peepholes + hidden + j, l) * before;
    }
    i = CK(vsigmoid)(i);
    if (forgets) f = CK(vsigmoid)(f);
    if (variant & CK_COUPLED) f = 1.0f - i;
    vf o = CK(vgate)(sums, at_o + j, l);
    if (!peeps) o = CK(vsigmoid)(o);
    vf g = CK(vgate)(sums, at_g + j, l), other = g;
    if (variant & CK_MAXOUT) other = CK(vgate)(sums, at_g + hidden + j, l);
    else g = CK(vtanh)(g);
    vf cell = i * (variant & CK_MAXOUT ? vmax(g, other) : g);
    if (c_before) cell += f * before;
    vf t = variant & CK_LINEAR ? cell : CK(vtanh)(cell);
    if (peeps) o = CK(vsigmoid)(o + CK(vget)(peepholes + 2 * hidden + j, l) * cell);
    if (gates) {
      CK(vput)(gates + j, i, l);
      if (forgets) CK(vput)(gates + hidden + j, f, l);
      CK(vput)(gates + at_o + j, o, l);
      CK(vput)(gates + at_g + j, g, l);
      if (variant & CK_MAXOUT) CK(vput)(gates + at_g + hidden + j, other, l);
    }
    if (tanh_c) CK(vput)(tanh_c + j, t, l);
    CK(vput)(c + j, cell, l);
    CK(vput)(h + j, o * t, l);
  }
}

CK_INLINE void CK(lstm_variant_backward)(int variant, float *gates, const float *peepholes, const float *c_before,
                                         const float *tanh_c, const float *dh, float *dc, size_t hidden) {
  const int forgets = !(variant & (CK_COUPLED | CK_NO_FORGET)), peeps = variant & CK_PEEPHOLES;
  float *pi = gates, *pf = gates + hidden, *po = gates + (forgets ? 2 : 1) * hidden, *pg = po + hidden;
  float *pother = pg + hidden;
  CK_EACH(j, l, hidden) {
    vf i = CK(vget)(pi + j, l), o = CK(vget)(po + j, l), g = CK(vget)(pg + j, l);
    vf f = forgets ? CK(vget)(pf + j, l) : variant & CK_COUPLED ? 1.0f - i : vsplat(1);
    vf t = CK(vget)(tanh_c + j, l), dhj = CK(vget)(dh + j, l);
    vf before = c_before ? CK(vget)(c_before + j, l) : vsplat(0);
    vf dcell = CK(vget)(dc + j, l) + (variant & CK_LINEAR ? dhj * o : dhj * o * (1.0f - t * t));
    vf d_o = dhj * t * o * (1.0f - o);
    if (peeps) dcell += d_o * CK(vget)(peepholes + 2 * hidden + j, l);
    CK(vput)(po + j, d_o, l);
    if (variant & CK_MAXOUT) {  // of equals the first
      vf other = CK(vget)(pother + j, l), largest = vmax(g, other);
      vi second = other > g;
      vf dg = dcell * i;
      CK(vput)(pg + j, CK(vselect)(second, vsplat(0), dg), l);
      CK(vput)(pother + j, CK(vselect)(second, dg, vsplat(0)), l);
      g = largest;
    } else {
      CK(vput)(pg + j, dcell * i * (1.0f - g * g), l);
    }
    if (variant & CK_COUPLED) g -= before;
    vf di = dcell * g * i * (1.0f - i), dbefore = dcell * f;
    CK(vput)(pi + j, di, l);
    if (forgets) {
      vf df = dcell * before * f * (1.0f - f);
      CK(vput)(pf + j, df, l);
      if (peeps) dbefore += df * CK(vget)(peepholes + hidden + j, l);
    }
    if (peeps) dbefore += di * CK(vget)(peepholes + j, l);
    CK(vput)(dc + j, dbefore, l);
  }
}

#define CK_LSTM(name, variant)                                                                                        \
  static void CK(name##_step)(ck_gate_sums sums, const float *peepholes, const float *c_before, float *gates,         \
                              float *c, float *tanh_c, float *h, size_t hidden) {                                     \
    CK(lstm_variant_step)(variant, sums, peepholes, c_before, gates, c, tanh_c, h, hidden);                           \
  }                                                                                                                   \
  static void CK(name##_backward)(float *gates, const float *peepholes, const float *c_before, const float *tanh_c,   \
                                  const float *dh, float *dc, size_t hidden) {                                        \
    CK(lstm_variant_backward)(variant, gates, peepholes, c_before, tanh_c, dh, dc, hidden);                           \
  }
CK_LSTM(lstm, 0)
CK_LSTM(lstm_peephole, CK_PEEPHOLES)
CK_LSTM(lstm_coupled, CK_COUPLED)
CK_LSTM(lstm_no_forget, CK_NO_FORGET)
CK_LSTM(lstm_maxout, CK_MAXOUT)
CK_LSTM(lstm_linear, CK_LINEAR)
#define CK_LSTM_KERNELS(name) {CK(name##_step), CK(name##_backward)}
