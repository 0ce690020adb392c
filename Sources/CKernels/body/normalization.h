// Batch normalisation: sums over the pixels of each channel, and what they make of a row.

static void CK(column_squares)(const float *x, const float *mean, size_t rows, size_t columns, float *sums) {
  CK_EACH(j, l, columns) {
    vf sum = vsplat(0), m = CK(vget)(mean + j, l);
    for (size_t r = 0; r < rows; r++) {
      vf d = CK(vget)(x + r * columns + j, l) - m;
      sum += d * d;
    }
    CK(vput)(sums + j, sum, l);
  }
}

static void CK(column_covariances)(const float *x, const float *mean, const float *dy, size_t rows, size_t columns,
                                   float *sums) {
  CK_EACH(j, l, columns) {
    vf sum = vsplat(0), m = CK(vget)(mean + j, l);
    for (size_t r = 0; r < rows; r++)
      sum += (CK(vget)(x + r * columns + j, l) - m) * CK(vget)(dy + r * columns + j, l);
    CK(vput)(sums + j, sum, l);
  }
}

static void CK(scale_shift_relu_row)(const float *x, const float *scale, const float *shift, float *y, size_t count) {
  CK_EACH(i, l, count)
    CK(vput)(y + i, vmax(vsplat(0), CK(vget)(x + i, l) * CK(vget)(scale + i, l) + CK(vget)(shift + i, l)), l);
}

static void CK(normalization_backward_row)(const float *x, const float *mean, const float *a, const float *b,
                                           const float *c, float *dy, size_t count) {
  CK_EACH(i, l, count) {
    vf centred = CK(vget)(x + i, l) - CK(vget)(mean + i, l);
    CK(vput)(dy + i, CK(vget)(a + i, l) * CK(vget)(dy + i, l) + CK(vget)(b + i, l) * centred + CK(vget)(c + i, l), l);
  }
}
