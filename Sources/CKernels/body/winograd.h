// Winograd F(4x4,3x3): Y = A'[(G g G') * (B' d B)]A, Lavin & Gray, "Fast Algorithms for Convolutional Neural
// Networks" (2016), over NHWC: each lane is a channel. Written once per vector width by the macros below; width 1
// (plain float) serves the channels left over.

#define CK_BT(T, d0, d1, d2, d3, d4, d5, o)                                                                            \
  do {                                                                                                                 \
    T s1 = d4 - 4.0f * d2, s2 = d3 - 4.0f * d1, s3 = d4 - d2, s4 = 2.0f * (d3 - d1);                                   \
    o(0) = 4.0f * d0 - 5.0f * d2 + d4;                                                                                 \
    o(1) = s1 + s2;                                                                                                    \
    o(2) = s1 - s2;                                                                                                    \
    o(3) = s3 + s4;                                                                                                    \
    o(4) = s3 - s4;                                                                                                    \
    o(5) = 4.0f * d1 - 5.0f * d3 + d5;                                                                                 \
  } while (0)

#define CK_INPUT_LANES(T, LOAD, STORE)                                                                                 \
  do {                                                                                                                 \
    T t[36];                                                                                                           \
    for (int x = 0; x < 6; x++) {                                                                                      \
      T d0 = LOAD(pixel[x] + c), d1 = LOAD(pixel[6 + x] + c), d2 = LOAD(pixel[12 + x] + c);                            \
      T d3 = LOAD(pixel[18 + x] + c), d4 = LOAD(pixel[24 + x] + c), d5 = LOAD(pixel[30 + x] + c);                      \
      CK_BT(T, d0, d1, d2, d3, d4, d5, CK_COLUMN);                                                                     \
    }                                                                                                                  \
    for (int y = 0; y < 6; y++) {                                                                                      \
      T r[6];                                                                                                          \
      T *d = t + 6 * y;                                                                                                \
      CK_BT(T, d[0], d[1], d[2], d[3], d[4], d[5], CK_ROW);                                                            \
      for (int x = 0; x < 6; x++) STORE(tile + (size_t)(6 * y + x) * plane + c, r[x]);                                 \
    }                                                                                                                  \
  } while (0)
#define CK_COLUMN(i) t[6 * (i) + x]
#define CK_ROW(i) r[i]
#define CK_LOAD1(p) (*(p))
#define CK_STORE1(p, v) (*(p) = (v))

// Channels a padded pixel may have; longer rows read their zeros in pieces.
#define CK_ZEROS 4096
static const float CK(zeros)[CK_ZEROS + 16];

static void CK(winograd_input_span)(const float *const *pixel, int channels, float *tile, size_t plane) {
  int c = 0;
  for (; c + VL <= channels; c += VL) {
    // What the tile to the right adds: memory is too far away, and its order too irregular, for the hardware to guess.
    for (int y = 2; y < 6; y++)
      for (int x = 2; x < 6; x++) __builtin_prefetch(pixel[6 * y + x] + c + 4 * channels);
    CK_INPUT_LANES(vf, vload, vstore);
  }
  for (; c < channels; c++) CK_INPUT_LANES(float, CK_LOAD1, CK_STORE1);
}

static void CK(winograd_input)(const float *image, ck_image shape, int ty, int tx, float *tile, size_t plane) {
  const float *pixel[36];
  // Pieces of at most CK_ZEROS channels, so that the zero line is always long enough.
  for (int start = 0; start < shape.channels; start += CK_ZEROS) {
    int span = shape.channels - start < CK_ZEROS ? shape.channels - start : CK_ZEROS;
    for (int y = 0; y < 6; y++) {
      int row = 4 * ty + y - 1;
      for (int x = 0; x < 6; x++) {
        int column = 4 * tx + x - 1;
        int inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
        pixel[6 * y + x] =
            inside ? image + ((size_t)row * shape.width + column) * shape.channels + start : CK(zeros);
      }
    }
    CK(winograd_input_span)(pixel, span, tile + start, plane);
  }
}

#define CK_AT(T, m0, m1, m2, m3, m4, m5, o)                                                                            \
  do {                                                                                                                 \
    T a = m1 + m2, b = m1 - m2, c2 = m3 + m4, d2 = m3 - m4;                                                            \
    o(0) = m0 + a + c2;                                                                                                \
    o(1) = b + 2.0f * d2;                                                                                              \
    o(2) = a + 4.0f * c2;                                                                                              \
    o(3) = b + 8.0f * d2 + m5;                                                                                         \
  } while (0)
#define CK_OUT_COLUMN(i) t[6 * (i) + x]
#define CK_OUT_ROW(i) o[4 * y + (i)]

#define CK_OUTPUT_LANES(T, LOAD, STORE, SPLAT, MAX)                                                                    \
  do {                                                                                                                 \
    T t[24], o[16], bias_lanes = LOAD(bias + k), zero = SPLAT(0.0f);                                                   \
    for (int x = 0; x < 6; x++) {                                                                                      \
      const float *m = tile + (size_t)x * plane + k;                                                                   \
      T m0 = LOAD(m), m1 = LOAD(m + 6 * plane), m2 = LOAD(m + 12 * plane), m3 = LOAD(m + 18 * plane);                  \
      T m4 = LOAD(m + 24 * plane), m5 = LOAD(m + 30 * plane);                                                          \
      CK_AT(T, m0, m1, m2, m3, m4, m5, CK_OUT_COLUMN);                                                                 \
    }                                                                                                                  \
    for (int y = 0; y < 4; y++) {                                                                                      \
      T *d = t + 6 * y;                                                                                                \
      CK_AT(T, d[0], d[1], d[2], d[3], d[4], d[5], CK_OUT_ROW);                                                        \
    }                                                                                                                  \
    for (int i = 0; i < 16; i++) {                                                                                     \
      o[i] += bias_lanes;                                                                                              \
      if (flags & CK_RELU) o[i] = MAX(zero, o[i]);                                                                     \
    }                                                                                                                  \
    if (flags & CK_POOL) {                                                                                             \
      for (int y = 0; y < rows / 2; y++)                                                                               \
        for (int x = 0; x < columns / 2; x++) {                                                                        \
          T *p = o + 8 * y + 2 * x;                                                                                    \
          T best = MAX(MAX(p[0], p[1]), MAX(p[4], p[5]));                                                              \
          STORE(corner + ((size_t)y * (shape.width / 2) + x) * shape.channels + k, best);                              \
        }                                                                                                              \
    } else {                                                                                                           \
      for (int y = 0; y < rows; y++)                                                                                   \
        for (int x = 0; x < columns; x++)                                                                              \
          STORE(corner + ((size_t)y * shape.width + x) * shape.channels + k, o[4 * y + x]);                            \
    }                                                                                                                  \
  } while (0)
#define CK_SPLAT1(x) (x)
#define CK_MAX1(a, b) ((a) > (b) ? (a) : (b))

static void CK(winograd_output)(const float *tile, size_t plane, const float *bias, float *image, ck_image shape,
                                int ty, int tx, int flags) {
  int rows = shape.height - 4 * ty < 4 ? shape.height - 4 * ty : 4;
  int columns = shape.width - 4 * tx < 4 ? shape.width - 4 * tx : 4;
  float *corner = flags & CK_POOL
                      ? image + ((size_t)(2 * ty) * (shape.width / 2) + 2 * tx) * shape.channels
                      : image + ((size_t)(4 * ty) * shape.width + 4 * tx) * shape.channels;
  int k = 0;
  for (; k + VL <= shape.channels; k += VL) CK_OUTPUT_LANES(vf, vload, vstore, vsplat, vmax);
  for (; k < shape.channels; k++) CK_OUTPUT_LANES(float, CK_LOAD1, CK_STORE1, CK_SPLAT1, CK_MAX1);
}

static void CK(winograd_weights)(const float *weights, int channels, int outputs, int count, float *transformed) {
  static const float G[6][3] = {{0.25f, 0, 0},
                                {-1.0f / 6, -1.0f / 6, -1.0f / 6},
                                {-1.0f / 6, 1.0f / 6, -1.0f / 6},
                                {1.0f / 24, 1.0f / 12, 1.0f / 6},
                                {1.0f / 24, -1.0f / 12, 1.0f / 6},
                                {0, 0, 1}};
  size_t plane = ck_weight_plane(channels, outputs);
  // The planes are far larger than the caches and each line is written whole: past the caches, where rows are aligned.
  int streams = ((uintptr_t)transformed | (size_t)outputs * 4) % sizeof(vf) == 0;
  for (int k0 = 0; k0 < count; k0 += VL) {
    int lanes = count - k0 < VL ? count - k0 : VL;
    for (int c = 0; c < channels; c++) {
      vf g[9], u[18];
      for (int i = 0; i < 9; i++) {
        g[i] = vsplat(0);
        for (int l = 0; l < lanes; l++) g[i][l] = weights[((size_t)(k0 + l) * channels + c) * 9 + i];
      }
      for (int i = 0; i < 6; i++)
        for (int x = 0; x < 3; x++) u[3 * i + x] = G[i][0] * g[x] + G[i][1] * g[3 + x] + G[i][2] * g[6 + x];
      float *out = transformed + (size_t)c * outputs + k0;
      for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
          vf v = u[3 * i] * G[j][0] + u[3 * i + 1] * G[j][1] + u[3 * i + 2] * G[j][2];
          float *p = out + (size_t)(6 * i + j) * plane;
          if (streams && lanes == VL) __builtin_nontemporal_store(v, (vf *)p);
          else if (lanes == VL) vstore(p, v);
          else for (int l = 0; l < lanes; l++) p[l] = v[l];
        }
    }
  }
  // What went past the caches must be there before another thread is told.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
