// One row of a gated recurrent unit, gates [r, z, n], and of its relatives. The candidate n multiplies r h_before, so a
// step and its backward pass come in two halves with a matrix product between them. Each kind is compiled by itself: its
// flags are constants.
enum {
  CK_ADMITTING = 1,     // z is the share of n, not that of h_before
  CK_UPDATE_FIRST = 2,  // gates [z, r, n], and z has no recurrent term
};

// r, z = sigmoid(sums); rh = r h_before.
CK_INLINE void CK(gru_kind_gates)(int kind, ck_gate_sums sums, const float *h_before, float *gates, float *rh,
                                  size_t hidden) {
  const size_t at_r = kind & CK_UPDATE_FIRST ? hidden : 0, at_z = hidden - at_r;
  ck_gate_sums update = sums;
  if (kind & CK_UPDATE_FIRST) update.recurrent = NULL;
  CK_EACH(j, l, hidden) {
    vf r = CK(vsigmoid)(CK(vgate)(sums, at_r + j, l));
    CK(vput)(gates + at_r + j, r, l);
    CK(vput)(gates + at_z + j, CK(vsigmoid)(CK(vgate)(update, at_z + j, l)), l);
    CK(vput)(rh + j, h_before ? r * CK(vget)(h_before + j, l) : vsplat(0), l);
  }
}

// n = tanh(sums of n); h = (1 - z) n + z h_before. `sums` begins at the candidate.
CK_INLINE void CK(gru_kind_output)(int kind, ck_gate_sums sums, const float *h_before, float *gates, float *h,
                                   size_t hidden) {
  const size_t at_z = kind & CK_UPDATE_FIRST ? 0 : hidden;
  CK_EACH(j, l, hidden) {
    vf n = CK(vtanh)(CK(vgate)(sums, j, l)), z = CK(vget)(gates + at_z + j, l);
    vf before = h_before ? CK(vget)(h_before + j, l) : vsplat(0);
    CK(vput)(gates + 2 * hidden + j, n, l);
    CK(vput)(h + j, kind & CK_ADMITTING ? before + z * (n - before) : n + z * (before - n), l);
  }
}

// z and n become the gradients of their sums; dh_before += z dh.
CK_INLINE void CK(gru_kind_output_backward)(int kind, float *gates, const float *h_before, const float *dh,
                                            float *dh_before, size_t hidden) {
  float *pz = gates + (kind & CK_UPDATE_FIRST ? 0 : hidden), *pn = gates + 2 * hidden;
  CK_EACH(j, l, hidden) {
    vf z = CK(vget)(pz + j, l), n = CK(vget)(pn + j, l), dhj = CK(vget)(dh + j, l);
    vf before = h_before ? CK(vget)(h_before + j, l) : vsplat(0);
    vf old = kind & CK_ADMITTING ? n : before, new = kind & CK_ADMITTING ? before : n;
    vf share = kind & CK_ADMITTING ? z : 1.0f - z, rest = kind & CK_ADMITTING ? 1.0f - z : z;
    CK(vput)(pz + j, dhj * (old - new) * z * (1.0f - z), l);
    CK(vput)(pn + j, dhj * share * (1.0f - n * n), l);
    if (dh_before) CK(vput)(dh_before + j, CK(vget)(dh_before + j, l) + rest * dhj, l);
  }
}

// r becomes the gradient of its sum, given that of rh; dh_before += r drh. Without h_before r had no effect.
CK_INLINE void CK(gru_kind_gates_backward)(int kind, float *gates, const float *h_before, const float *drh,
                                           float *dh_before, size_t hidden) {
  float *pr = gates + (kind & CK_UPDATE_FIRST ? hidden : 0);
  CK_EACH(j, l, hidden) {
    vf r = CK(vget)(pr + j, l), d = drh ? CK(vget)(drh + j, l) : vsplat(0);
    vf before = h_before ? CK(vget)(h_before + j, l) : vsplat(0);
    CK(vput)(pr + j, d * before * r * (1.0f - r), l);
    if (dh_before) CK(vput)(dh_before + j, CK(vget)(dh_before + j, l) + r * d, l);
  }
}

#define CK_GRU(name, kind)                                                                                            \
  static void CK(name##_gates)(ck_gate_sums sums, const float *h_before, float *gates, float *rh, size_t hidden) {    \
    CK(gru_kind_gates)(kind, sums, h_before, gates, rh, hidden);                                                      \
  }                                                                                                                   \
  static void CK(name##_output)(ck_gate_sums sums, const float *h_before, float *gates, float *h, size_t hidden) {    \
    CK(gru_kind_output)(kind, sums, h_before, gates, h, hidden);                                                      \
  }                                                                                                                   \
  static void CK(name##_output_backward)(float *gates, const float *h_before, const float *dh, float *dh_before,      \
                                         size_t hidden) {                                                             \
    CK(gru_kind_output_backward)(kind, gates, h_before, dh, dh_before, hidden);                                       \
  }                                                                                                                   \
  static void CK(name##_gates_backward)(float *gates, const float *h_before, const float *drh, float *dh_before,      \
                                        size_t hidden) {                                                              \
    CK(gru_kind_gates_backward)(kind, gates, h_before, drh, dh_before, hidden);                                       \
  }
CK_GRU(gru, 0)
CK_GRU(mut, CK_ADMITTING)
CK_GRU(mut1, CK_ADMITTING | CK_UPDATE_FIRST)
#define CK_GRU_KERNELS(name) \
  {CK(name##_gates), CK(name##_output), CK(name##_output_backward), CK(name##_gates_backward)}
