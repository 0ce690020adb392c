// Products of a matrix that lies in the cache with one row: what a general product spends before it multiplies is more
// than they take.

// What `sums` of VL numbers adds to y[from...to - 1], of which lane 0 is y[at].
CK_INLINE void CK(put_sums)(float *y, size_t at, size_t from, size_t to, vf sums, int adds) {
  float values[VL];
  memcpy(values, &sums, sizeof values);
  for (size_t i = from; i < to; i++) y[i] = adds ? y[i] + values[i - at] : values[i - at];
}

// y[j] = sum over k of x[k] w[k][j], or is added to.
static void CK(row_times_matrix)(const float *x, const float *w, size_t stride, size_t count, size_t columns, float *y,
                                 int adds) {
  size_t j = 0;
  for (; j + 4 * VL <= columns; j += 4 * VL) {
    vf s[4];
    for (int r = 0; r < 4; r++) s[r] = adds ? vload(y + j + r * VL) : vsplat(0);
    for (size_t k = 0; k < count; k++)
      for (int r = 0; r < 4; r++) s[r] += vsplat(x[k]) * vload(w + k * stride + j + r * VL);
    for (int r = 0; r < 4; r++) vstore(y + j + r * VL, s[r]);
  }
  for (; j < columns && columns >= VL; j += VL) {
    // The last ones are a whole vector too, of which some lanes are there already.
    size_t at = j + VL <= columns ? j : columns - VL;
    vf even = vsplat(0), odd = vsplat(0);
    size_t k = 0;
    for (; k + 2 <= count; k += 2) {
      even += vsplat(x[k]) * vload(w + k * stride + at);
      odd += vsplat(x[k + 1]) * vload(w + (k + 1) * stride + at);
    }
    if (k < count) even += vsplat(x[k]) * vload(w + k * stride + at);
    CK(put_sums)(y, at, j, at + VL, even + odd, adds);
  }
  for (; j < columns; j++) {
    float sum = 0;
    for (size_t k = 0; k < count; k++) sum += x[k] * w[k * stride + j];
    y[j] = adds ? y[j] + sum : sum;
  }
}

// y[r] = sum over i of w[r][i] x[i], or is added to: VL rows at a time, whose sums are turned and added up.
static void CK(matrix_times_row)(const float *w, size_t stride, const float *x, size_t rows, size_t count, float *y,
                                 int adds) {
  size_t r = 0, whole = count / VL * VL;
  if (count >= VL && rows >= VL) {
    // What is left of x, at the end of a vector that ends where x does.
    float end[VL] = {0};
    for (size_t i = whole; i < count; i++) end[VL - (count - i)] = x[i];
    for (; r < rows; r += VL) {
      size_t at = r + VL <= rows ? r : rows - VL;
      const float *block = w + at * stride;
      vf s[VL];
      CK_UNROLL for (int q = 0; q < VL; q++) s[q] = vsplat(0);
      for (size_t i = 0; i < whole; i += VL) {
        vf v = vload(x + i);
        CK_UNROLL for (int q = 0; q < VL; q++) s[q] += vload(block + q * stride + i) * v;
      }
      if (whole < count) {
        vf v = vload(end);
        CK_UNROLL for (int q = 0; q < VL; q++) s[q] += vload(block + q * stride + count - VL) * v;
      }
      CK(transpose)(s);
      vf sum = s[0];
      for (int q = 1; q < VL; q++) sum += s[q];
      CK(put_sums)(y, at, r, at + VL, sum, adds);
    }
  }
  for (; r < rows; r++) {
    float sum = 0;
    for (size_t i = 0; i < count; i++) sum += w[r * stride + i] * x[i];
    y[r] = adds ? y[r] + sum : sum;
  }
}
