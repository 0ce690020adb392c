// One row of a long short-term memory, gates [i, f, o, g].

static void CK(lstm_step)(ck_gate_sums sums, const float *c_before, float *gates, float *c, float *tanh_c, float *h,
                          size_t hidden) {
  CK_EACH(j, l, hidden) {
    vf i = CK(vsigmoid)(CK(vgate)(sums, j, l));
    vf f = CK(vsigmoid)(CK(vgate)(sums, hidden + j, l));
    vf o = CK(vsigmoid)(CK(vgate)(sums, 2 * hidden + j, l));
    vf g = CK(vtanh)(CK(vgate)(sums, 3 * hidden + j, l));
    vf cell = i * g;
    if (c_before) cell += f * CK(vget)(c_before + j, l);
    vf t = CK(vtanh)(cell);
    if (gates) {
      CK(vput)(gates + j, i, l);
      CK(vput)(gates + hidden + j, f, l);
      CK(vput)(gates + 2 * hidden + j, o, l);
      CK(vput)(gates + 3 * hidden + j, g, l);
    }
    if (tanh_c) CK(vput)(tanh_c + j, t, l);
    CK(vput)(c + j, cell, l);
    CK(vput)(h + j, o * t, l);
  }
}

static void CK(lstm_backward)(float *gates, const float *c_before, const float *tanh_c, const float *dh, float *dc,
                              size_t hidden) {
  float *pi = gates, *pf = gates + hidden, *po = gates + 2 * hidden, *pg = gates + 3 * hidden;
  CK_EACH(j, l, hidden) {
    vf i = CK(vget)(pi + j, l), f = CK(vget)(pf + j, l), o = CK(vget)(po + j, l), g = CK(vget)(pg + j, l);
    vf t = CK(vget)(tanh_c + j, l), dhj = CK(vget)(dh + j, l);
    vf before = c_before ? CK(vget)(c_before + j, l) : vsplat(0);
    vf dcell = CK(vget)(dc + j, l) + dhj * o * (1.0f - t * t);
    CK(vput)(pi + j, dcell * g * i * (1.0f - i), l);
    CK(vput)(pf + j, dcell * before * f * (1.0f - f), l);
    CK(vput)(po + j, dhj * t * o * (1.0f - o), l);
    CK(vput)(pg + j, dcell * i * (1.0f - g * g), l);
    CK(vput)(dc + j, dcell * f, l);
  }
}
