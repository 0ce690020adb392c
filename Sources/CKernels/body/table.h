// Everything, compiled for one instruction set, and the table of it.
#include "vector.h"
#include "conversion.h"
#include "row_product.h"
#include "packed_product.h"
#include "winograd.h"
#include "direct.h"
#include "pointwise.h"
#include "activations.h"
#include "eigen.h"
#include "recurrent.h"
#include "lstm.h"
#include "gru.h"
#include "attention.h"
#include "rnn.h"
#include "min_gru.h"
#include "winograd_backward.h"
#include "pooling.h"
#include "normalization.h"
#include "optimiser.h"

const ck_kernels CK(ck_table) = {
    .name = CK_NAME,
    .half_to_float = CK(half_to_float),
    .bfloat_to_float = CK(bfloat_to_float),
    .float_to_half = CK(float_to_half),
    .float_to_bfloat = CK(float_to_bfloat),
    .half_dot_4 = CK(half_dot_4),
    .float_dot_4 = CK(float_dot_4),
    .row_times_matrix = CK(row_times_matrix),
    .matrix_times_row = CK(matrix_times_row),
    .panel_columns = CK_PANEL,
    .pack_rows = CK(pack_rows),
    .pack_columns = CK(pack_columns),
    .packed_product = CK(packed_product),
    .winograd_2 = {CK(winograd_weights_2), CK(winograd_input_2), CK(winograd_output_2)},
    .winograd_4 = {CK(winograd_weights_4), CK(winograd_input_4), CK(winograd_output_4)},
    .winograd_gradient = CK(winograd_gradient),
    .winograd_input_gradient = CK(winograd_input_gradient),
    .winograd_weight_gradient = CK(winograd_weight_gradient),
    .direct_row = CK(direct_row),
    .max_pool_row = CK(max_pool_row),
    .max_pool_choice_row = CK(max_pool_choice_row),
    .unpool_row = CK(unpool_row),
    .column_squares = CK(column_squares),
    .column_covariances = CK(column_covariances),
    .scale_shift_relu_row = CK(scale_shift_relu_row),
    .normalization_backward_row = CK(normalization_backward_row),
    .exp_row = CK(exp_row),
    .sigmoid_row = CK(sigmoid_row),
    .tanh_row = CK(tanh_row),
    .attention_weights = CK(attention_weights),
    .attention_backward = CK(attention_backward),
    .tanh_backward_row = CK(tanh_backward_row),
    .lstm = CK_LSTM_KERNELS(lstm),
    .lstm_peephole = CK_LSTM_KERNELS(lstm_peephole),
    .lstm_coupled = CK_LSTM_KERNELS(lstm_coupled),
    .lstm_no_forget = CK_LSTM_KERNELS(lstm_no_forget),
    .lstm_maxout = CK_LSTM_KERNELS(lstm_maxout),
    .lstm_linear = CK_LSTM_KERNELS(lstm_linear),
    .gru = CK_GRU_KERNELS(gru),
    .mut1 = CK_GRU_KERNELS(mut1),
    .mut = CK_GRU_KERNELS(mut),
    .rnn = {CK(rnn_step), CK(rnn_backward)},
    .irnn = {CK(irnn_step), CK(irnn_backward)},
    .min_gru = {CK(min_gru_step), CK(min_gru_backward)},
    .cross_entropy_row = CK(cross_entropy_row),
    .top_k_row = CK(top_k_row),
    .dropout_row = CK(dropout_row),
    .bias_row = CK(bias_row),
    .bias_relu_row = CK(bias_relu_row),
    .relu_backward_row = CK(relu_backward_row),
    .activation_row = CK(activation_row),
    .activation_backward_row = CK(activation_backward_row),
    .negative_products = CK(negative_products),
    .maxout_row = CK(maxout_row),
    .maxout_backward_row = CK(maxout_backward_row),
    .rank_two_row = CK(rank_two_row),
    .rotate_rows = CK(rotate_rows),
    .reflect_row = CK(reflect_row),
    .column_sums = CK(column_sums),
    .add_products = CK(add_products),
    .axpy = CK(axpy),
    .scale = CK(scale),
    .sum_of_squares = CK(sum_of_squares),
    .adam = CK(adam),
    .scaled_descent = CK(scaled_descent),
    .descent = CK(descent),
    .moving_average = CK(moving_average),
};
