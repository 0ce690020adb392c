// One row of a plain recurrent network, whose one gate is h: tanh or ReLU of its sum.

CK_INLINE void CK(rnn_kind_step)(int rectified, ck_gate_sums sums, float *gates, float *h, size_t hidden) {
  CK_EACH(j, l, hidden) {
    vf x = CK(vgate)(sums, j, l);
    vf y = rectified ? vmax(vsplat(0), x) : CK(vtanh)(x);
    if (gates) CK(vput)(gates + j, y, l);
    CK(vput)(h + j, y, l);
  }
}

CK_INLINE void CK(rnn_kind_backward)(int rectified, float *gates, const float *dh, size_t hidden) {
  CK_EACH(j, l, hidden) {
    vf y = CK(vget)(gates + j, l), d = CK(vget)(dh + j, l);
    CK(vput)(gates + j, rectified ? CK(vselect)(y > vsplat(0), d, vsplat(0)) : d * (1.0f - y * y), l);
  }
}

#define CK_RNN(name, rectified)                                                                                       \
  static void CK(name##_step)(ck_gate_sums sums, float *gates, float *h, size_t hidden) {                             \
    CK(rnn_kind_step)(rectified, sums, gates, h, hidden);                                                             \
  }                                                                                                                   \
  static void CK(name##_backward)(float *gates, const float *dh, size_t hidden) {                                     \
    CK(rnn_kind_backward)(rectified, gates, dh, hidden);                                                              \
  }
CK_RNN(rnn, 0)
CK_RNN(irnn, 1)
