// Direct 3x3 convolution for layers with few input channels (the first), and max-pooling on its own.

// Width 1 (plain float) serves the channels left over.
#define CK_LOAD1(p) (*(p))
#define CK_STORE1(p, v) (*(p) = (v))
#define CK_SPLAT1(x) (x)
#define CK_MAX1(a, b) ((a) > (b) ? (a) : (b))

#define CK_DIRECT_LANES(T, LOAD, STORE, SPLAT, MAX, LANES)                                                             \
  do {                                                                                                                 \
    T sum[4];                                                                                                          \
    for (int p = 0; p < pixels; p++) sum[p] = LOAD(bias + k);                                                          \
    for (int dy = 0; dy < 3; dy++) {                                                                                   \
      int iy = y + dy - 1;                                                                                             \
      if (iy < 0 || iy >= shape.height) continue;                                                                      \
      for (int dx = 0; dx < 3; dx++)                                                                                   \
        for (int c = 0; c < channels; c++) {                                                                           \
          T w = LOAD(weights + ((size_t)(3 * dy + dx) * channels + c) * outputs + k);                                  \
          for (int p = 0; p < pixels; p++) {                                                                           \
            int ix = x + p + dx - 1;                                                                                   \
            if (ix >= 0 && ix < shape.width)                                                                           \
              sum[p] += SPLAT(image[((size_t)iy * shape.width + ix) * channels + c]) * w;                              \
          }                                                                                                            \
        }                                                                                                              \
    }                                                                                                                  \
    for (int p = 0; p < pixels; p++)                                                                                   \
      STORE(row + (size_t)(x + p) * outputs + k, flags & CK_RELU ? MAX(SPLAT(0.0f), sum[p]) : sum[p]);                 \
  } while (0)

// Four pixels, four vectors of outputs, all nine neighbours inside: the loop that nearly all the work goes through.
static inline __attribute__((always_inline)) void CK(direct_block)(const float *image, ck_image shape,
                                                                   const float *weights, const float *bias,
                                                                   int outputs, int y, int x, int k, float *row,
                                                                   int flags) {
  int channels = shape.channels;
  vf sum[4][2];
  CK_UNROLL for (int p = 0; p < 4; p++)
    CK_UNROLL for (int v = 0; v < 2; v++) sum[p][v] = vload(bias + k + v * VL);
  CK_UNROLL for (int dy = 0; dy < 3; dy++) {
    const float *in = image + ((size_t)(y + dy - 1) * shape.width + x - 1) * channels;
    const float *w = weights + (size_t)(3 * dy) * channels * outputs + k;
    for (int i = 0; i < 3 * channels; i++, w += outputs) {
      vf w0 = vload(w), w1 = vload(w + VL);
      CK_UNROLL for (int p = 0; p < 4; p++) {
        vf d = vsplat(in[p * channels + i]);
        sum[p][0] += d * w0;
        sum[p][1] += d * w1;
      }
    }
  }
  vf zero = vsplat(0);
  CK_UNROLL for (int p = 0; p < 4; p++)
    CK_UNROLL for (int v = 0; v < 2; v++)
      vstore(row + (size_t)(x + p) * outputs + k + v * VL, flags & CK_RELU ? vmax(zero, sum[p][v]) : sum[p][v]);
}

static void CK(direct_row)(const float *image, ck_image shape, const float *weights, const float *bias, int outputs,
                           int y, float *row, int flags) {
  int channels = shape.channels;
  for (int x = 0; x < shape.width;) {
    int inside = y > 0 && y + 1 < shape.height && x > 0 && x + 4 < shape.width;
    int pixels = inside ? 4 : 1, k = 0;
    if (inside)
      for (; k + 2 * VL <= outputs; k += 2 * VL)
        CK(direct_block)(image, shape, weights, bias, outputs, y, x, k, row, flags);
    for (; k + VL <= outputs; k += VL) CK_DIRECT_LANES(vf, vload, vstore, vsplat, vmax, VL);
    for (; k < outputs; k++) CK_DIRECT_LANES(float, CK_LOAD1, CK_STORE1, CK_SPLAT1, CK_MAX1, 1);
    x += pixels;
  }
}

static void CK(max_pool_row)(const float *image, ck_image shape, int y, float *row) {
  size_t stride = (size_t)shape.width * shape.channels;
  const float *top = image + 2 * y * stride;
  for (int x = 0; x < shape.width / 2; x++)
    for (int c = 0; c < shape.channels; c++) {
      const float *p = top + (size_t)(2 * x) * shape.channels + c;
      float a = CK_MAX1(p[0], p[shape.channels]);
      float b = CK_MAX1(p[stride], p[stride + shape.channels]);
      row[(size_t)x * shape.channels + c] = CK_MAX1(a, b);
    }
}
