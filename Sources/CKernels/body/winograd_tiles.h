// The transforms of whole tiles of CK_TILE x CK_TILE outputs; winograd.h includes this once per size.
// What is multiplied is floats or, `rounded`, bfloat16.
#define CK_POINTS (CK_TILE + 2)

CK_INLINE void CK_TILED(put_point)(void *points, size_t at, vf v, int lanes, int rounded) {
  if (rounded) CK(vput_bfloat)((uint16_t *)points + at, v, lanes);
  else CK(vput)((float *)points + at, v, lanes);
}

CK_INLINE void CK_TILED(input_lanes)(const float *const *pixel, int c, int lanes, void *tile, size_t at, size_t plane,
                                     int ahead, int rounded) {
  vf t[CK_POINTS * CK_POINTS];
  // What the tile to the right adds: memory is too far away, and its order too irregular, for the hardware to guess.
  for (int y = 2; y < CK_POINTS; y++)
    for (int x = 2; x < CK_POINTS; x++) __builtin_prefetch(pixel[CK_POINTS * y + x] + c + ahead);
  CK_UNROLL for (int x = 0; x < CK_POINTS; x++) {
    vf d[CK_POINTS], o[CK_POINTS];
    CK_UNROLL for (int y = 0; y < CK_POINTS; y++) d[y] = CK(vget)(pixel[CK_POINTS * y + x] + c, lanes);
    CK_TILED(winograd_b)(d, o);
    CK_UNROLL for (int y = 0; y < CK_POINTS; y++) t[CK_POINTS * y + x] = o[y];
  }
  CK_UNROLL for (int y = 0; y < CK_POINTS; y++) {
    vf o[CK_POINTS];
    CK_TILED(winograd_b)(t + CK_POINTS * y, o);
    CK_UNROLL for (int x = 0; x < CK_POINTS; x++)
      CK_TILED(put_point)(tile, at + (size_t)(CK_POINTS * y + x) * plane, o[x], lanes, rounded);
  }
}

CK_INLINE void CK_TILED(input_tile)(const float *image, ck_image shape, int ty, int tx, void *tile, size_t plane,
                                    int rounded) {
  const float *pixel[CK_POINTS * CK_POINTS];
  // Pieces of at most CK_ZEROS channels, so that the zero line is always long enough.
  for (int start = 0; start < shape.channels; start += CK_ZEROS) {
    int span = shape.channels - start < CK_ZEROS ? shape.channels - start : CK_ZEROS;
    for (int y = 0; y < CK_POINTS; y++) {
      int row = CK_TILE * ty + y - 1;
      for (int x = 0; x < CK_POINTS; x++) {
        int column = CK_TILE * tx + x - 1;
        int inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
        pixel[CK_POINTS * y + x] =
            inside ? image + ((size_t)row * shape.width + column) * shape.channels + start : CK(zeros);
      }
    }
    int c = 0;
    for (; c + VL <= span; c += VL)
      CK_TILED(input_lanes)(pixel, c, VL, tile, start + c, plane, CK_TILE * shape.channels, rounded);
    if (c < span)
      CK_TILED(input_lanes)(pixel, c, span - c, tile, start + c, plane, CK_TILE * shape.channels, rounded);
  }
}

static void CK_TILED(winograd_input)(const float *image, ck_image shape, int ty, int tx, void *tile, size_t plane,
                                     int rounded) {
  if (rounded) CK_TILED(input_tile)(image, shape, ty, tx, tile, plane, 1);
  else CK_TILED(input_tile)(image, shape, ty, tx, tile, plane, 0);
}

CK_INLINE void CK_TILED(output_lanes)(const float *tile, size_t plane, const float *bias, int lanes, float *corner,
                                      ck_image shape, int rows, int columns, int flags) {
  vf t[CK_TILE * CK_POINTS], bias_lanes = CK(vget)(bias, lanes), zero = vsplat(0);
  // Stores wait in order: the next tile's lines had better be here by then.
  int shrink = flags & CK_POOL ? 2 : 1;
  for (int y = 0; y < CK_TILE / shrink; y++)
    for (int x = 0; x < CK_TILE / shrink; x++)
      __builtin_prefetch(corner + ((size_t)y * (shape.width / shrink) + x + CK_TILE / shrink) * shape.channels, 1);
  for (int x = 0; x < CK_POINTS; x++) {
    vf m[CK_POINTS], o[CK_TILE];
    CK_UNROLL for (int y = 0; y < CK_POINTS; y++) m[y] = CK(vget)(tile + (size_t)(CK_POINTS * y + x) * plane, lanes);
    CK_TILED(winograd_a)(m, o);
    CK_UNROLL for (int y = 0; y < CK_TILE; y++) t[CK_POINTS * y + x] = o[y];
  }
  for (int y = 0; y < rows; y += 2) {
    vf o[2 * CK_TILE];
    CK_TILED(winograd_a)(t + CK_POINTS * y, o);
    CK_TILED(winograd_a)(t + CK_POINTS * (y + 1), o + CK_TILE);
    CK_UNROLL for (int i = 0; i < 2 * CK_TILE; i++) {
      o[i] += bias_lanes;
      if (flags & CK_RELU) o[i] = vmax(zero, o[i]);
    }
    if (flags & CK_POOL) {
      if (y + 1 >= rows) return;
      float *row = corner + (size_t)(y / 2) * (shape.width / 2) * shape.channels;
      CK_UNROLL for (int x = 0; x < CK_TILE / 2; x++) {
        vf best = vmax(vmax(o[2 * x], o[2 * x + 1]), vmax(o[CK_TILE + 2 * x], o[CK_TILE + 2 * x + 1]));
        if (2 * x + 1 < columns) CK(vput)(row + (size_t)x * shape.channels, best, lanes);
      }
    } else {
      float *row = corner + (size_t)y * shape.width * shape.channels;
      CK_UNROLL for (int x = 0; x < CK_TILE; x++) {
        if (x < columns) CK(vput)(row + (size_t)x * shape.channels, o[x], lanes);
        if (x < columns && y + 1 < rows)
          CK(vput)(row + (size_t)(shape.width + x) * shape.channels, o[CK_TILE + x], lanes);
      }
    }
  }
}

static void CK_TILED(winograd_output)(const float *tile, size_t plane, const float *bias, float *image, ck_image shape,
                                      int ty, int tx, int flags) {
  int rows = shape.height - CK_TILE * ty < CK_TILE ? shape.height - CK_TILE * ty : CK_TILE;
  int columns = shape.width - CK_TILE * tx < CK_TILE ? shape.width - CK_TILE * tx : CK_TILE;
  int shrink = flags & CK_POOL ? 2 : 1;
  size_t row = (size_t)(CK_TILE / shrink) * ty, column = (size_t)(CK_TILE / shrink) * tx;
  float *corner = image + (row * (size_t)(shape.width / shrink) + column) * shape.channels;
  int k = 0;
  for (; k + VL <= shape.channels; k += VL)
    CK_TILED(output_lanes)(tile + k, plane, bias + k, VL, corner + k, shape, rows, columns, flags);
  if (k < shape.channels)
    CK_TILED(output_lanes)(tile + k, plane, bias + k, shape.channels - k, corner + k, shape, rows, columns, flags);
}

static void CK_TILED(winograd_weights)(const float *weights, int channels, int outputs, int count, void *transformed,
                                       int first_output, int rounded) {
  size_t plane = ck_weight_plane(channels, outputs);
  // Planes that are far larger than the caches, of which each line is written whole: past the caches, where rows are aligned.
  int is_large = CK_POINTS * CK_POINTS * plane * sizeof(float) >= (size_t)8 << 20;
  int streams = is_large && !rounded && ((uintptr_t)transformed | (size_t)(outputs | first_output) * 4) % sizeof(vf) == 0;
  for (int k = 0; k < count; k += VL) {
    int lanes = count - k < VL ? count - k : VL;
    for (int first = 0; first < channels; first += VL) {
      int span = channels - first < VL ? channels - first : VL;
      vf g[9 * VL];
      CK(weight_lanes)(weights + ((size_t)k * channels + first) * 9, (size_t)channels * 9, span, lanes, g);
      for (int c = 0; c < span; c++) {
        vf u[3 * CK_POINTS];
        CK_UNROLL for (int x = 0; x < 3; x++) {
          vf d[3] = {g[9 * c + x], g[9 * c + 3 + x], g[9 * c + 6 + x]}, o[CK_POINTS];
          CK_TILED(winograd_g)(d, o);
          CK_UNROLL for (int y = 0; y < CK_POINTS; y++) u[3 * y + x] = o[y];
        }
        size_t at = (size_t)(first + c) * outputs + first_output + k;
        for (int y = 0; y < CK_POINTS; y++) {
          vf o[CK_POINTS];
          CK_TILED(winograd_g)(u + 3 * y, o);
          CK_UNROLL for (int x = 0; x < CK_POINTS; x++) {
            size_t point = at + (size_t)(CK_POINTS * y + x) * plane;
            if (streams && lanes == VL) __builtin_nontemporal_store(o[x], (vf *)((float *)transformed + point));
            else CK_TILED(put_point)(transformed, point, o[x], lanes, rounded);
          }
        }
      }
    }
  }
  // What went past the caches must be there before another thread is told.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
#undef CK_POINTS
