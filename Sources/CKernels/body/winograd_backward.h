// The adjoint of each step of Winograd F(4x4,3x3): with V = B' d B, M = V U and Y = A' M A, the gradients are
// dM = A dY A', dU = V' dM, dV = dM U', dd = B dV B' and dg = G' dU G. Each lane is a channel.

typedef uint8_t vb __attribute__((vector_size(VL)));
CK_INLINE vi CK(vbytes)(const uint8_t *p, int lanes) {
  vb v = {0};
  memcpy(&v, p, (size_t)lanes);
  return __builtin_convertvector(v, vi);
}

#define CK_A(y0, y1, y2, y3, o)                                                                                        \
  do {                                                                                                                 \
    vf even = y0 + y2, odd = y1 + y3, even2 = y0 + 4.0f * y2, odd2 = 2.0f * y1 + 8.0f * y3;                            \
    o(0) = y0;                                                                                                         \
    o(1) = even + odd;                                                                                                 \
    o(2) = even - odd;                                                                                                 \
    o(3) = even2 + odd2;                                                                                               \
    o(4) = even2 - odd2;                                                                                               \
    o(5) = y3;                                                                                                         \
  } while (0)
#define CK_A_COLUMN(i) t[4 * (i) + x]
#define CK_A_ROW(i) r[i]

// dM of one tile: 16 pixels of dy where y > 0, all of them where there is no y, or 4 pooled ones that go where `chosen` says.
CK_INLINE void CK(gradient_lanes)(const float *const *dy, const float *const *y, const uint8_t *const *chosen, int k,
                                  int lanes, float *tile, size_t plane) {
  vf d[16], t[24];
  if (chosen) {
    for (int p = 0; p < 4; p++) {
      vf v = CK(vget)(dy[p] + k, lanes);
      vi choice = CK(vbytes)(chosen[p] + k, lanes);
      vf *corner = d + 8 * (p >> 1) + 2 * (p & 1);
      for (int q = 0; q < 4; q++) corner[4 * (q >> 1) + (q & 1)] = (vf)((choice == q) & (vi)v);
    }
  } else if (!y) {
    for (int p = 0; p < 16; p++) d[p] = CK(vget)(dy[p] + k, lanes);
  } else {
    for (int p = 0; p < 16; p++)
      d[p] = (vf)((CK(vget)(y[p] + k, lanes) > 0.0f) & (vi)CK(vget)(dy[p] + k, lanes));
  }
  for (int x = 0; x < 4; x++) CK_A(d[x], d[4 + x], d[8 + x], d[12 + x], CK_A_COLUMN);
  for (int i = 0; i < 6; i++) {
    vf r[6];
    CK_A(t[4 * i], t[4 * i + 1], t[4 * i + 2], t[4 * i + 3], CK_A_ROW);
    for (int j = 0; j < 6; j++) CK(vput)(tile + (size_t)(6 * i + j) * plane + k, r[j], lanes);
  }
}

static void CK(winograd_gradient)(const float *dy, const float *y, const uint8_t *chosen, ck_image shape, int ty,
                                  int tx, float *tile, size_t plane) {
  int side = chosen ? 2 : 4;
  int height = chosen ? shape.height / 2 : shape.height, width = chosen ? shape.width / 2 : shape.width;
  for (int start = 0; start < shape.channels; start += CK_ZEROS) {
    int span = shape.channels - start < CK_ZEROS ? shape.channels - start : CK_ZEROS;
    const float *dys[16], *ys[16];
    const uint8_t *choices[4];
    for (int p = 0; p < side * side; p++) {
      int row = side * ty + p / side, column = side * tx + p % side;
      int inside = row < height && column < width;
      size_t at = inside ? ((size_t)row * width + column) * shape.channels + start : 0;
      dys[p] = inside ? dy + at : CK(zeros);
      if (chosen) choices[p] = chosen + at;
      else ys[p] = inside && y ? y + at : CK(zeros);
    }
    const float *const *passing = y ? ys : NULL;
    const uint8_t *const *picked = chosen ? choices : NULL;
    int k = 0;
    for (; k + VL <= span; k += VL) CK(gradient_lanes)(dys, passing, picked, k, VL, tile + start, plane);
    if (k < span) CK(gradient_lanes)(dys, passing, picked, k, span - k, tile + start, plane);
  }
}

// Four pixels of B dV: the tile's own rows 1 to 4, the last row of the tile before and the first of the one after.
#define CK_B(before, v0, v1, v2, v3, v4, v5, after, o)                                                                 \
  do {                                                                                                                 \
    vf s1 = v1 + v2, d1 = v1 - v2, s2 = v3 + v4, d2 = v3 - v4;                                                         \
    o(0) = before + 4.0f * (v5 - d1) - 2.0f * d2;                                                                      \
    o(1) = -5.0f * v0 - 4.0f * s1 - s2;                                                                                \
    o(2) = d1 + 2.0f * d2 - 5.0f * v5;                                                                                 \
    o(3) = v0 + s1 + s2 + 4.0f * after;                                                                                \
  } while (0)
#define CK_B_COLUMN(i) t[8 * (i) + x]
#define CK_B_ROW(i) o[i]

CK_INLINE void CK(input_gradient_lanes)(const float *const *from, int c, int lanes, float *corner, ck_image shape,
                                        int rows, int columns) {
  vf t[32];
  for (int x = 0; x < 8; x++) {
    vf v[8];
    for (int i = 0; i < 8; i++) v[i] = CK(vget)(from[8 * i + x] + c, lanes);
    CK_B(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], CK_B_COLUMN);
  }
  for (int y = 0; y < rows; y++) {
    vf o[4], *v = t + 8 * y;
    CK_B(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], CK_B_ROW);
    for (int x = 0; x < columns; x++)
      CK(vput)(corner + ((size_t)y * shape.width + x) * shape.channels + c, o[x], lanes);
  }
}

static void CK(winograd_input_gradient)(const float *tiles, size_t plane, ck_image shape, int ty, int tx, float *image) {
  int tile_rows = (shape.height + 3) / 4, tile_columns = (shape.width + 3) / 4;
  int rows = shape.height - 4 * ty < 4 ? shape.height - 4 * ty : 4;
  int columns = shape.width - 4 * tx < 4 ? shape.width - 4 * tx : 4;
  for (int start = 0; start < shape.channels; start += CK_ZEROS) {
    int span = shape.channels - start < CK_ZEROS ? shape.channels - start : CK_ZEROS;
    const float *from[64];
    for (int i = 0; i < 8; i++) {
      int row = i == 0 ? ty - 1 : i == 7 ? ty + 1 : ty, plane_row = (i + 5) % 6;
      for (int j = 0; j < 8; j++) {
        int column = j == 0 ? tx - 1 : j == 7 ? tx + 1 : tx, plane_column = (j + 5) % 6;
        int inside = row >= 0 && row < tile_rows && column >= 0 && column < tile_columns;
        from[8 * i + j] = inside ? tiles + (size_t)(6 * plane_row + plane_column) * plane +
                                       ((size_t)row * tile_columns + column) * shape.channels + start
                                 : CK(zeros);
      }
    }
    float *corner = image + ((size_t)(4 * ty) * shape.width + 4 * tx) * shape.channels + start;
    int c = 0;
    for (; c + VL <= span; c += VL) CK(input_gradient_lanes)(from, c, VL, corner, shape, rows, columns);
    if (c < span) CK(input_gradient_lanes)(from, c, span - c, corner, shape, rows, columns);
  }
}

CK_INLINE void CK(weight_gradient_lanes)(const float *planes, size_t plane, int lanes, float *gradient, size_t stride,
                                         int accumulate) {
  static const float G[6][3] = {{0.25f, 0, 0},
                                {-1.0f / 6, -1.0f / 6, -1.0f / 6},
                                {-1.0f / 6, 1.0f / 6, -1.0f / 6},
                                {1.0f / 24, 1.0f / 12, 1.0f / 6},
                                {1.0f / 24, -1.0f / 12, 1.0f / 6},
                                {0, 0, 1}};
  vf t[18], g[9];
  for (int j = 0; j < 6; j++) {
    vf u[6];
    for (int i = 0; i < 6; i++) u[i] = CK(vget)(planes + (size_t)(6 * i + j) * plane, lanes);
    for (int a = 0; a < 3; a++) {
      t[6 * a + j] = u[1] * G[1][a] + u[2] * G[2][a] + u[3] * G[3][a] + u[4] * G[4][a];
      t[6 * a + j] += a == 0 ? u[0] * G[0][0] : a == 2 ? u[5] : vsplat(0);
    }
  }
  for (int a = 0; a < 3; a++)
    for (int b = 0; b < 3; b++) {
      vf *r = t + 6 * a;
      g[3 * a + b] = r[1] * G[1][b] + r[2] * G[2][b] + r[3] * G[3][b] + r[4] * G[4][b];
      g[3 * a + b] += b == 0 ? r[0] * G[0][0] : b == 2 ? r[5] : vsplat(0);
    }
  for (int l = 0; l < lanes; l++) {
    float *out = gradient + (size_t)l * stride;
    for (int i = 0; i < 9; i++) out[i] = accumulate ? out[i] + g[i][l] : g[i][l];
  }
}

// Channel by channel, so that the planes are read in order; of [K,C,3,3] it writes a few lines an output channel.
static void CK(winograd_weight_gradient)(const float *planes, int channels, int outputs, int count, float *gradient,
                                         int accumulate) {
  size_t plane = ck_weight_plane(channels, outputs), stride = (size_t)channels * 9;
  for (int c = 0; c < count; c++)
    for (int k = 0; k < outputs; k += VL) {
      const float *from = planes + (size_t)c * outputs + k;
      float *out = gradient + (size_t)k * stride + (size_t)c * 9;
      if (outputs - k >= VL) CK(weight_gradient_lanes)(from, plane, VL, out, stride, accumulate);
      else CK(weight_gradient_lanes)(from, plane, outputs - k, out, stride, accumulate);
    }
}
