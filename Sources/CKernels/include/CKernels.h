// Compute kernels on fixed-size data, one table of functions per instruction set. No loop over layers or time.
#ifndef CKERNELS_H
#define CKERNELS_H
#include <stddef.h>
#include <stdint.h>

// What the output transform does beside adding the bias.
enum { CK_RELU = 1, CK_POOL = 2 };

// Floats between two planes of transformed weights [C,K]: three cache lines more than their size, so that
// the lines that are written together don't fall into the same cache set.
static inline size_t ck_weight_plane(int channels, int outputs) { return (size_t)channels * outputs + 48; }

// Activations of fully connected layers beside ReLU, which has kernels of its own.
enum { CK_LEAKY, CK_ELU, CK_TANH, CK_SIGMOID };

// One NHWC image of a 3x3, stride 1, padding 1 convolution.
typedef struct {
  int height, width;        // of input and (unpooled) output
  int channels;             // of the tensor this struct goes with
} ck_image;

// Dropout: element `index` is kept, times `scale`, when its 32-bit hash is at least `threshold` (0: all are kept).
typedef struct {
  uint32_t key0, key1, threshold;
  float scale;
} ck_dropout;

// What the gates of a row of a recurrent cell are the sum of; all but input may be NULL.
typedef struct {
  const float *input, *bias, *recurrent, *context;
} ck_gate_sums;

// A matrix [depth, columns] laid out for products of a few rows with it, of which `count` rows are multiplied: panels of
// `panel_columns` columns, [depth][panel_columns] each.
typedef struct {
  const float *panels;
  size_t depth, count, columns;
} ck_packed;

// What one row of additive attention reads: keys [regions,size] of an image, and vectors of `size`, which are compared by
// tanh, or by a ReLU.
typedef struct {
  const float *keys, *query, *scorer;
  size_t regions, size;
  int rectified;
} ck_attention;

// One row of an LSTM or a variant; gates as lstm.h has them, `hidden` of each. peepholes [3,hidden] are read where there
// are some. c_before NULL is zero; the activated gates and tanh c are kept for the backward pass unless gates or tanh_c
// are NULL. gates may be sums.input.
typedef struct {
  void (*step)(ck_gate_sums sums, const float *peepholes, const float *c_before, float *gates, float *c, float *tanh_c,
               float *h, size_t hidden);
  // Activated gates become the gradients of their sums; dc goes from the cell to the cell before.
  void (*backward)(float *gates, const float *peepholes, const float *c_before, const float *tanh_c, const float *dh,
                   float *dc, size_t hidden);
} ck_lstm;

// One row of a GRU or a relative in two halves; gates [r,z,n] or, for mut1, [z,r,n]. h_before NULL is zero, and so is
// dh_before where nothing is before. gates may be sums.input.
typedef struct {
  void (*gates)(ck_gate_sums sums, const float *h_before, float *gates, float *rh, size_t hidden);
  void (*output)(ck_gate_sums sums, const float *h_before, float *gates, float *h, size_t hidden);
  // Backwards, the second half first: activated gates become the gradients of their sums; dh_before is added to.
  void (*output_backward)(float *gates, const float *h_before, const float *dh, float *dh_before, size_t hidden);
  void (*gates_backward)(float *gates, const float *h_before, const float *drh, float *dh_before, size_t hidden);
} ck_gru;

// One row of a plain RNN; gates [h], kept unless NULL.
typedef struct {
  void (*step)(ck_gate_sums sums, float *gates, float *h, size_t hidden);
  void (*backward)(float *gates, const float *dh, size_t hidden);
} ck_rnn;

// One row of a minimal GRU; gates [z,n], kept unless NULL. h_before and dh_before as of a GRU.
typedef struct {
  void (*step)(ck_gate_sums sums, const float *h_before, float *gates, float *h, size_t hidden);
  void (*backward)(float *gates, const float *h_before, const float *dh, float *dh_before, size_t hidden);
} ck_min_gru;

// One step of an optimiser: g = clip(gradient * gradient_scale, -limit, limit) + penalty * w, and w is first multiplied by
// `kept`. Each rule reads those of the rest that its equations name.
typedef struct {
  float gradient_scale, limit, penalty, kept;
  float step_size;                 // learning rate; Adam's / (1 - beta1^t)
  float momentum;
  int nesterov;
  float one_minus_beta1, beta2, one_minus_beta2;
  float inverse_root_correction2;  // 1 / sqrt(1 - beta2^t)
  float epsilon;
} ck_update;

// Winograd F(m x m,3x3) (Lavin & Gray 2016) for one m: tiles of m x m outputs, of which each of the (m+2)^2 points of the
// transform has a plane. What is multiplied is floats or, `rounded`, bfloat16.
typedef struct {
  // output channels first_output ..< first_output + count, [count,C,3,3], of K -> theirs of [points][C][K], planes
  // ck_weight_plane(C, K) elements apart
  void (*weights)(const float *weights, int channels, int outputs, int count, void *transformed, int first_output,
                  int rounded);
  // one tile: input [H,W,C] around row m*ty, column m*tx -> a row of C for each point, `plane` elements apart
  void (*input)(const float *image, ck_image shape, int ty, int tx, void *tile, size_t plane, int rounded);
  // a row of K floats for each point -> output [H,W,K], or [H/2,W/2,K] with CK_POOL
  void (*output)(const float *tile, size_t plane, const float *bias, float *image, ck_image shape, int ty, int tx,
                 int flags);
} ck_winograd;

typedef struct ck_kernels {
  const char *name;         // "baseline", "avx2" or "avx512"

  // Conversion.
  void (*half_to_float)(const uint16_t *source, float *destination, size_t count);
  void (*bfloat_to_float)(const uint16_t *source, float *destination, size_t count);
  void (*float_to_half)(const float *source, uint16_t *destination, size_t count);
  void (*float_to_bfloat)(const float *source, uint16_t *destination, size_t count);
  // Four rows of halves, `stride` apart, times x -> y[4].
  void (*half_dot_4)(const uint16_t *rows, size_t stride, const float *x, size_t count, float *y);
  // The same of floats.
  void (*float_dot_4)(const float *rows, size_t stride, const float *x, size_t count, float *y);
  // x[count] times w [count, columns], rows `stride` apart -> y[columns], written or added; small enough for the cache.
  void (*row_times_matrix)(const float *x, const float *w, size_t stride, size_t count, size_t columns, float *y,
                           int adds);
  // w [rows, count] times x[count] -> y[rows], the same.
  void (*matrix_times_row)(const float *w, size_t stride, const float *x, size_t rows, size_t count, float *y,
                           int adds);

  // Columns of a panel; w [count, columns], or the transpose of w [columns, count], rows `stride` apart -> panels.
  size_t panel_columns;
  void (*pack_rows)(const float *w, size_t stride, size_t count, size_t columns, float *panels);
  void (*pack_columns)(const float *w, size_t stride, size_t count, size_t columns, float *panels);
  // x [rows, count] times w -> y [rows, columns], written or added.
  void (*packed_product)(ck_packed w, const float *x, size_t x_stride, size_t rows, float *y, size_t stride, int adds);

  ck_winograd winograd_2, winograd_4;
  // Adjoints of winograd_4. One tile of the output's gradient -> 36 rows of K. The gradient is dy [H,W,K] where y > 0
  // (all of it where y is NULL) or, with `chosen` [H/2,W/2,K] of max_pool_choice_row, the pooled dy [H/2,W/2,K]; then y is not read.
  void (*winograd_gradient)(const float *dy, const float *y, const uint8_t *chosen, ck_image shape, int ty, int tx,
                            float *tile, size_t plane);
  // 36 planes of a whole image's tiles, rows of C each, -> the 4x4 pixels of [H,W,C] of one tile
  void (*winograd_input_gradient)(const float *tiles, size_t plane, ck_image shape, int ty, int tx, float *image);
  // `count` input channels of the 36 planes [C,K] that winograd_weights lays out -> theirs of [K,C,3,3], written or added
  void (*winograd_weight_gradient)(const float *planes, int channels, int outputs, int count, float *gradient,
                                   int accumulate);

  // Direct convolution of few channels: row y of [H,W,C] * [3,3,C,K] -> row y of [H,W,K], with bias and ReLU.
  void (*direct_row)(const float *image, ck_image shape, const float *weights, const float *bias, int outputs,
                     int y, float *row, int flags);
  // Row y of the 2x2 max-pool of [H,W,C] -> [W/2,C].
  void (*max_pool_row)(const float *image, ck_image shape, int y, float *row);
  // The same of ReLU's output, and which of the four pixels each was: 0 to 3 in reading order, 4 if none is above zero.
  void (*max_pool_choice_row)(const float *image, ck_image shape, int y, float *row, uint8_t *chosen);
  // Pooled gradients [width/2,C] to two rows [width,C], zero where not chosen.
  void (*unpool_row)(const float *dy, const uint8_t *chosen, int width, int channels, float *top, float *bottom);

  // Batch normalisation of rows [rows,columns] of pixels, each column a channel. sums = sum of (x - mean)^2;
  void (*column_squares)(const float *x, const float *mean, size_t rows, size_t columns, float *sums);
  // sums = sum of dy (x - mean);
  void (*column_covariances)(const float *x, const float *mean, const float *dy, size_t rows, size_t columns,
                             float *sums);
  // y = max(0, scale x + shift);
  void (*scale_shift_relu_row)(const float *x, const float *scale, const float *shift, float *y, size_t count);
  // dy = a dy + b (x - mean) + c.
  void (*normalization_backward_row)(const float *x, const float *mean, const float *a, const float *b, const float *c,
                                     float *dy, size_t count);

  // Elementwise functions; x may be y.
  void (*exp_row)(const float *x, float *y, size_t count);
  void (*sigmoid_row)(const float *x, float *y, size_t count);
  void (*tanh_row)(const float *x, float *y, size_t count);
  // dx += dy (1 - tanh(x)^2)
  void (*tanh_backward_row)(const float *x, const float *dy, float *dx, size_t count);

  ck_lstm lstm, lstm_peephole, lstm_coupled, lstm_no_forget, lstm_maxout, lstm_linear;
  ck_gru gru, mut1, mut;
  ck_rnn rnn, irnn;
  ck_min_gru min_gru;

  // One row of additive attention. keys [regions,size]; query NULL is zero.
  // weights = softmax_i(scorer . f(keys_i + query)), f being tanh or a ReLU
  void (*attention_weights)(ck_attention row, float *weights);
  // dweights become the gradients of the softmax's input; dkeys and dscorer are added to, dquery is overwritten.
  void (*attention_backward)(ck_attention row, const float *weights, float *dweights, float *dkeys, float *dscorer,
                             float *dquery);

  // log softmax(logits + bias)[target]; with scale != 0 the logits become (softmax - onehot(target)) * scale, else
  // logits + bias. bias may be NULL.
  float (*cross_entropy_row)(float *logits, const float *bias, size_t count, size_t target, float scale,
                             float smoothing);
  // The k largest of log softmax(logits + bias), largest first, of equals the lower id; `excluded` ids and -infinity
  // are left out after the softmax. Returns how many were found. Overwrites logits.
  int (*top_k_row)(float *logits, const float *bias, size_t count, const int32_t *excluded, int excluded_count, int k,
                   int32_t *ids, float *log_probs);

  // Elements index ..< index + count of a tensor under dropout; x may be y.
  void (*dropout_row)(const float *x, float *y, size_t count, uint32_t index, ck_dropout dropout);
  void (*bias_row)(float *x, const float *bias, size_t count);
  // x = dropout(max(0, x + bias))
  void (*bias_relu_row)(float *x, const float *bias, size_t count, uint32_t index, ck_dropout dropout);
  // dy = y > 0 ? dy * scale : 0, where y is what bias_relu_row left
  void (*relu_backward_row)(const float *y, float *dy, size_t count, float scale);

  // y = f(x), f one of the activations; `slope` is that of a leaky ReLU below zero. x may be y.
  void (*activation_row)(int activation, float slope, const float *x, float *y, size_t count);
  // dy = dy f'(x)
  void (*activation_backward_row)(int activation, float slope, const float *x, float *dy, size_t count);
  // sum of x dy where x is not above zero: the gradient of that slope
  float (*negative_products)(const float *x, const float *dy, size_t count);
  // y = max(a, b), and the gradient to whichever it was, of equals a
  void (*maxout_row)(const float *a, const float *b, float *y, size_t count);
  void (*maxout_backward_row)(const float *a, const float *b, const float *dy, float *da, float *db, size_t count);

  // Symmetric eigenproblems, in double precision: row -= a v + b w, and what is left times x;
  double (*rank_two_row)(double *row, double a, const double *v, double b, const double *w, const double *x,
                         size_t count);
  // x, y = c x - s y, s x + c y: rotations of rows i and i + 1 of [.,columns], each (i, c, s), one after the other
  void (*rotate_rows)(double *rows, size_t columns, const int32_t *first, const double *cosines, const double *sines,
                      size_t count);
  // x = x - t (v . x) v
  void (*reflect_row)(double t, const double *v, double *x, size_t count);

  void (*column_sums)(const float *x, size_t rows, size_t stride, size_t columns, float *sums);
  // sums += x y
  void (*add_products)(const float *x, const float *y, float *sums, size_t count);
  void (*axpy)(float a, const float *x, float *y, size_t count);
  void (*scale)(float a, float *x, size_t count);

  // Optimiser.
  double (*sum_of_squares)(const float *x, size_t count);
  // m += (g - m) * one_minus_beta1; v = v * beta2 + g^2 * one_minus_beta2;
  // w -= step_size * m / (root(v) * inverse_root_correction2 + epsilon)
  void (*adam)(float *w, const float *g, float *m, float *v, size_t count, ck_update step);
  // v = v * beta2 + g^2 * one_minus_beta2; w -= step_size * g / (root(v) + epsilon): RMSprop, and Adagrad when both are 1
  void (*scaled_descent)(float *w, const float *g, float *v, size_t count, ck_update step);
  // m = m * momentum + g; w -= step_size * m, or of g + m * momentum with nesterov, or of g when m is NULL
  void (*descent)(float *w, const float *g, float *m, size_t count, ck_update step);
  void (*moving_average)(float *average, const float *x, size_t count, float decay);
} ck_kernels;

// The table for "baseline", "avx2" or "avx512"; NULL when unknown or when this CPU can't run it.
const ck_kernels *ck_kernels_named(const char *name);
// The fastest table this CPU can run.
const ck_kernels *ck_kernels_best(void);
// Whether this CPU multiplies bfloat16 (AVX512_BF16).
int ck_has_avx512_bf16(void);
#endif
