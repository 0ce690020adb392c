// Rows of doubles of symmetric eigenproblems. Every loop takes any count: what is left over goes one by one.

#define DL (VL / 2)
typedef double CK(vd) __attribute__((vector_size(DL * 8)));
typedef double CK(vd_unaligned) __attribute__((vector_size(DL * 8), aligned(8), may_alias));
#define vd CK(vd)
CK_INLINE vd CK(dload)(const double *p) { return *(const CK(vd_unaligned) *)p; }
CK_INLINE void CK(dstore)(double *p, vd v) { *(CK(vd_unaligned) *)p = v; }
CK_INLINE double CK(dsum)(vd v) {
  double sum = 0;
  for (int l = 0; l < DL; l++) sum += v[l];
  return sum;
}

static double CK(rank_two_row)(double *row, double a, const double *v, double b, const double *w, const double *x,
                               size_t count) {
  vd sum = {0};
  size_t i = 0;
  for (; i + DL <= count; i += DL) {
    vd r = CK(dload)(row + i) - (CK(dload)(v + i) * a + CK(dload)(w + i) * b);
    CK(dstore)(row + i, r);
    sum += r * CK(dload)(x + i);
  }
  double total = CK(dsum)(sum);
  for (; i < count; i++) {
    row[i] -= v[i] * a + w[i] * b;
    total += row[i] * x[i];
  }
  return total;
}

static void CK(rotate_rows)(double *rows, size_t columns, const int32_t *first, const double *cosines,
                            const double *sines, size_t count) {
  for (size_t r = 0; r < count; r++) {
    double *x = rows + (size_t)first[r] * columns, *y = x + columns;
    double c = cosines[r], s = sines[r];
    size_t i = 0;
    for (; i + DL <= columns; i += DL) {
      vd a = CK(dload)(x + i), b = CK(dload)(y + i);
      CK(dstore)(x + i, a * c - b * s);
      CK(dstore)(y + i, a * s + b * c);
    }
    for (; i < columns; i++) {
      double a = x[i], b = y[i];
      x[i] = a * c - b * s;
      y[i] = a * s + b * c;
    }
  }
}

static void CK(reflect_row)(double t, const double *v, double *x, size_t count) {
  vd sum = {0};
  size_t i = 0;
  for (; i + DL <= count; i += DL) sum += CK(dload)(v + i) * CK(dload)(x + i);
  double product = CK(dsum)(sum);
  for (; i < count; i++) product += v[i] * x[i];
  product *= t;
  for (i = 0; i + DL <= count; i += DL) CK(dstore)(x + i, CK(dload)(x + i) - CK(dload)(v + i) * product);
  for (; i < count; i++) x[i] -= v[i] * product;
}
#undef vd
#undef DL
