// Products of a few rows with a matrix that many of them are multiplied by, one after the other. It is laid out for them
// once: panels of CK_PANEL columns, each [count][CK_PANEL], with zeros for the columns that the last one lacks.
#define CK_PANEL (2 * VL)
// Rows whose sums stay in registers: of 32, or of 16.
#define CK_TILE_ROWS (VL == 16 ? 12 : VL == 8 ? 6 : 4)
// Terms of a panel, and rows, that stay in the cache together.
enum { CK_BLOCK = 128, CK_ROWS = 4 * CK_TILE_ROWS };

// y[r] += x[r] times a panel, of `rows` rows; x is [rows][CK_BLOCK].
#define CK_PACKED_TILE(rows)                                                                                          \
  static void CK(packed_tile_##rows)(const float *x, const float *panel, size_t count, float *y, size_t stride) {    \
    vf s[rows][2];                                                                                                    \
    CK_UNROLL for (int r = 0; r < rows; r++) {                                                                        \
      s[r][0] = vload(y + r * stride);                                                                                \
      s[r][1] = vload(y + r * stride + VL);                                                                           \
    }                                                                                                                 \
    for (size_t k = 0; k < count; k++) {                                                                              \
      vf a = vload(panel + k * CK_PANEL), b = vload(panel + k * CK_PANEL + VL);                                       \
      CK_UNROLL for (int r = 0; r < rows; r++) {                                                                      \
        vf v = vsplat(x[r * CK_BLOCK + k]);                                                                           \
        s[r][0] += v * a;                                                                                             \
        s[r][1] += v * b;                                                                                             \
      }                                                                                                               \
    }                                                                                                                 \
    CK_UNROLL for (int r = 0; r < rows; r++) {                                                                        \
      vstore(y + r * stride, s[r][0]);                                                                                \
      vstore(y + r * stride + VL, s[r][1]);                                                                           \
    }                                                                                                                 \
  }
CK_PACKED_TILE(1)
CK_PACKED_TILE(2)
CK_PACKED_TILE(3)
CK_PACKED_TILE(4)
#if VL > 4
CK_PACKED_TILE(5)
CK_PACKED_TILE(6)
#endif
#if VL > 8
CK_PACKED_TILE(7)
CK_PACKED_TILE(8)
CK_PACKED_TILE(9)
CK_PACKED_TILE(10)
CK_PACKED_TILE(11)
CK_PACKED_TILE(12)
#endif

typedef void (*CK(packed_tile))(const float *x, const float *panel, size_t count, float *y, size_t stride);
static const CK(packed_tile) CK(packed_tiles)[CK_TILE_ROWS + 1] = {
    NULL,
    CK(packed_tile_1),
    CK(packed_tile_2),
    CK(packed_tile_3),
    CK(packed_tile_4),
#if VL > 4
    CK(packed_tile_5),
    CK(packed_tile_6),
#endif
#if VL > 8
    CK(packed_tile_7),
    CK(packed_tile_8),
    CK(packed_tile_9),
    CK(packed_tile_10),
    CK(packed_tile_11),
    CK(packed_tile_12),
#endif
};

// The rows of x, at most CK_ROWS, times one panel, of which `columns` are wanted.
static void CK(packed_rows)(const float *x, size_t rows, const float *panel, size_t count, float *y, size_t stride,
                            size_t columns) {
  size_t tiles = (rows + CK_TILE_ROWS - 1) / CK_TILE_ROWS;
  for (size_t tile = 0, row = 0; tile < tiles; tile++) {
    size_t height = (rows - row + tiles - tile - 1) / (tiles - tile);
    if (columns >= CK_PANEL) {
      CK(packed_tiles)[height](x + row * CK_BLOCK, panel, count, y + row * stride, stride);
    } else {
      float whole[CK_TILE_ROWS * CK_PANEL] = {0};
      for (size_t r = 0; r < height; r++) memcpy(whole + r * CK_PANEL, y + (row + r) * stride, columns * 4);
      CK(packed_tiles)[height](x + row * CK_BLOCK, panel, count, whole, CK_PANEL);
      for (size_t r = 0; r < height; r++) memcpy(y + (row + r) * stride, whole + r * CK_PANEL, columns * 4);
    }
    row += height;
  }
}

// Each sum is taken in the order of its terms, whatever rows it is computed with.
static void CK(packed_product)(ck_packed w, const float *x, size_t x_stride, size_t rows, float *y, size_t stride,
                               int adds) {
  float block[CK_ROWS * CK_BLOCK];
  if (!adds)
    for (size_t r = 0; r < rows; r++) memset(y + r * stride, 0, w.columns * 4);
  for (size_t row = 0; row < rows; row += CK_ROWS) {
    size_t height = rows - row < CK_ROWS ? rows - row : CK_ROWS;
    for (size_t k = 0; k < w.count; k += CK_BLOCK) {
      size_t count = w.count - k < CK_BLOCK ? w.count - k : CK_BLOCK;
      for (size_t r = 0; r < height; r++) memcpy(block + r * CK_BLOCK, x + (row + r) * x_stride + k, count * 4);
      for (size_t j = 0; j < w.columns; j += CK_PANEL)
        CK(packed_rows)(block, height, w.panels + j * w.depth + k * CK_PANEL, count, y + row * stride + j, stride,
                        w.columns - j);
    }
  }
}

// w [count, columns], rows `stride` apart, to panels.
static void CK(pack_rows)(const float *w, size_t stride, size_t count, size_t columns, float *panels) {
  for (size_t j = 0; j < columns; j += CK_PANEL) {
    size_t width = columns - j < CK_PANEL ? columns - j : CK_PANEL;
    float *panel = panels + j * count;
    for (size_t k = 0; k < count; k++) {
      memcpy(panel + k * CK_PANEL, w + k * stride + j, width * 4);
      memset(panel + k * CK_PANEL + width, 0, (CK_PANEL - width) * 4);
    }
  }
}

// The transpose of w [columns, count], rows `stride` apart, to panels.
static void CK(pack_columns)(const float *w, size_t stride, size_t count, size_t columns, float *panels) {
  for (size_t j = 0; j < columns; j += VL) {
    size_t width = columns - j < VL ? columns - j : VL, k = 0;
    float *panel = panels + j / CK_PANEL * CK_PANEL * count + j % CK_PANEL;
    const float *rows = w + j * stride;
    for (; k + VL <= count && width == VL; k += VL) {
      vf block[VL];
      CK_UNROLL for (int r = 0; r < VL; r++) block[r] = vload(rows + r * stride + k);
      CK(transpose)(block);
      CK_UNROLL for (int r = 0; r < VL; r++) vstore(panel + (k + r) * CK_PANEL, block[r]);
    }
    for (; k < count; k++)
      for (size_t r = 0; r < VL; r++) panel[k * CK_PANEL + r] = r < width ? rows[r * stride + k] : 0;
  }
  // The second half of the last panel, where there are no columns for it.
  if ((columns + VL - 1) / VL % 2 == 1) {
    float *half = panels + columns / CK_PANEL * CK_PANEL * count + VL;
    for (size_t k = 0; k < count; k++) memset(half + k * CK_PANEL, 0, VL * 4);
  }
}
