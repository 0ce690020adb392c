// Compute kernels on fixed-size data, one table of functions per instruction set. No loop over layers or time.
#ifndef CKERNELS_H
#define CKERNELS_H
#include <stddef.h>
#include <stdint.h>

// What the output transform does beside adding the bias.
enum { CK_RELU = 1, CK_POOL = 2 };

// One NHWC image of a 3x3, stride 1, padding 1 convolution.
typedef struct {
  int height, width;        // of input and (unpooled) output
  int channels;             // of the tensor this struct goes with
} ck_image;

typedef struct ck_kernels {
  const char *name;         // "baseline", "avx2" or "avx512"

  // Conversion.
  void (*half_to_float)(const uint16_t *source, float *destination, size_t count);
  void (*bfloat_to_float)(const uint16_t *source, float *destination, size_t count);
  void (*float_to_half)(const float *source, uint16_t *destination, size_t count);

  // Winograd F(4x4,3x3) (Lavin & Gray 2016); planes are the 36 positions of the transform.
  // weights [K,C,3,3] (output channels `from`..<`to`) -> transformed [36][C][K]
  void (*winograd_weights)(const float *weights, int channels, int outputs, int from, int to, float *transformed);
  // one 4x4 tile: input [H,W,C] around row 4*ty, column 4*tx -> 36 rows of C, `plane` floats apart
  void (*winograd_input)(const float *image, ck_image shape, int ty, int tx, float *tile, size_t plane);
  // 36 rows of K -> output [H,W,K], or [H/2,W/2,K] with CK_POOL
  void (*winograd_output)(const float *tile, size_t plane, const float *bias, float *image, ck_image shape,
                          int ty, int tx, int flags);

  // Direct convolution of few channels: row y of [H,W,C] * [3,3,C,K] -> row y of [H,W,K], with bias and ReLU.
  void (*direct_row)(const float *image, ck_image shape, const float *weights, const float *bias, int outputs,
                     int y, float *row, int flags);
  // Row y of the 2x2 max-pool of [H,W,C] -> [W/2,C].
  void (*max_pool_row)(const float *image, ck_image shape, int y, float *row);
} ck_kernels;

// The table for "baseline", "avx2" or "avx512"; NULL when unknown or when this CPU can't run it.
const ck_kernels *ck_kernels_named(const char *name);
// The fastest table this CPU can run.
const ck_kernels *ck_kernels_best(void);
#endif
