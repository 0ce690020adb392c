// Everything, compiled for one instruction set, and the table of it.
#include "vector.h"
#include "conversion.h"
#include "winograd.h"
#include "direct.h"

const ck_kernels CK(ck_table) = {
    .name = CK_NAME,
    .half_to_float = CK(half_to_float),
    .bfloat_to_float = CK(bfloat_to_float),
    .float_to_half = CK(float_to_half),
    .winograd_weights = CK(winograd_weights),
    .winograd_input = CK(winograd_input),
    .winograd_output = CK(winograd_output),
    .direct_row = CK(direct_row),
    .max_pool_row = CK(max_pool_row),
};
