// One row of a minimal gated recurrent unit, gates [z, n], neither of which sees h_before.

static void CK(min_gru_step)(ck_gate_sums sums, const float *h_before, float *gates, float *h, size_t hidden) {
  CK_EACH(j, l, hidden) {
    vf z = CK(vsigmoid)(CK(vgate)(sums, j, l)), n = CK(vgate)(sums, hidden + j, l);
    vf before = h_before ? CK(vget)(h_before + j, l) : vsplat(0);
    if (gates) {
      CK(vput)(gates + j, z, l);
      CK(vput)(gates + hidden + j, n, l);
    }
    CK(vput)(h + j, before + z * (n - before), l);
  }
}

static void CK(min_gru_backward)(float *gates, const float *h_before, const float *dh, float *dh_before,
                                 size_t hidden) {
  CK_EACH(j, l, hidden) {
    vf z = CK(vget)(gates + j, l), n = CK(vget)(gates + hidden + j, l), dhj = CK(vget)(dh + j, l);
    vf before = h_before ? CK(vget)(h_before + j, l) : vsplat(0);
    CK(vput)(gates + j, dhj * (n - before) * z * (1.0f - z), l);
    CK(vput)(gates + hidden + j, dhj * z, l);
    if (dh_before) CK(vput)(dh_before + j, CK(vget)(dh_before + j, l) + (1.0f - z) * dhj, l);
  }
}
