// One row of a gated recurrent unit, gates [r, z, n]. The candidate n multiplies r h_before, so a step and its backward
// pass come in two halves with a matrix product between them.

// r, z = sigmoid(sums); rh = r h_before.
static void CK(gru_gates)(ck_gate_sums sums, const float *h_before, float *gates, float *rh, size_t hidden) {
  CK_EACH(j, l, hidden) {
    vf r = CK(vsigmoid)(CK(vgate)(sums, j, l));
    CK(vput)(gates + j, r, l);
    CK(vput)(gates + hidden + j, CK(vsigmoid)(CK(vgate)(sums, hidden + j, l)), l);
    CK(vput)(rh + j, h_before ? r * CK(vget)(h_before + j, l) : vsplat(0), l);
  }
}

// n = tanh(sums of n); h = (1 - z) n + z h_before. `sums` begins at the candidate.
static void CK(gru_output)(ck_gate_sums sums, const float *h_before, float *gates, float *h, size_t hidden) {
  CK_EACH(j, l, hidden) {
    vf n = CK(vtanh)(CK(vgate)(sums, j, l)), z = CK(vget)(gates + hidden + j, l);
    vf before = h_before ? CK(vget)(h_before + j, l) : vsplat(0);
    CK(vput)(gates + 2 * hidden + j, n, l);
    CK(vput)(h + j, n + z * (before - n), l);
  }
}

// z and n become the gradients of their sums; dh_before += z dh.
static void CK(gru_output_backward)(float *gates, const float *h_before, const float *dh, float *dh_before,
                                    size_t hidden) {
  float *pz = gates + hidden, *pn = gates + 2 * hidden;
  CK_EACH(j, l, hidden) {
    vf z = CK(vget)(pz + j, l), n = CK(vget)(pn + j, l), dhj = CK(vget)(dh + j, l);
    vf before = h_before ? CK(vget)(h_before + j, l) : vsplat(0);
    CK(vput)(pz + j, dhj * (before - n) * z * (1.0f - z), l);
    CK(vput)(pn + j, dhj * (1.0f - z) * (1.0f - n * n), l);
    if (dh_before) CK(vput)(dh_before + j, CK(vget)(dh_before + j, l) + z * dhj, l);
  }
}

// r becomes the gradient of its sum, given that of rh; dh_before += r drh. Without h_before r had no effect.
static void CK(gru_gates_backward)(float *gates, const float *h_before, const float *drh, float *dh_before,
                                   size_t hidden) {
  CK_EACH(j, l, hidden) {
    vf r = CK(vget)(gates + j, l), d = drh ? CK(vget)(drh + j, l) : vsplat(0);
    vf before = h_before ? CK(vget)(h_before + j, l) : vsplat(0);
    CK(vput)(gates + j, d * before * r * (1.0f - r), l);
    if (dh_before) CK(vput)(dh_before + j, CK(vget)(dh_before + j, l) + r * d, l);
  }
}
