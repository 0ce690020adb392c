#include <oneapi/dnnl/dnnl.h>
#include <stdint.h>

// `count` products C[m,n] = A[m,k] B[k,n] + beta C on this thread, their factors and results `steps` elements apart: A and
// B bfloat16 with strides of rows and columns, C float with rows `ldc` apart. The calls that versions 2 and 3 of the
// library share and those that they don't, in one place.
static inline dnnl_status_t captioner_bfloat_matmul(int64_t count, const int64_t steps[3], int64_t m, int64_t n,
                                                    int64_t k, const uint16_t *a,
                                                    const int64_t a_strides[2], const uint16_t *b,
                                                    const int64_t b_strides[2], float beta, float *c, int64_t ldc) {
  dnnl_engine_t engine = 0;
  dnnl_stream_t stream = 0;
  dnnl_primitive_attr_t attributes = 0;
  dnnl_post_ops_t after = 0;
  dnnl_primitive_desc_t description = 0;
  dnnl_primitive_t primitive = 0;
  dnnl_memory_t memory[3] = {0, 0, 0};
  // A single product has no outer dimension.
  const dnnl_dims_t dims[2][3] = {{{m, k}, {k, n}, {m, n}}, {{count, m, k}, {count, k, n}, {count, m, n}}};
  const dnnl_dims_t strides[2][3] = {
      {{a_strides[0], a_strides[1]}, {b_strides[0], b_strides[1]}, {ldc, 1}},
      {{steps[0], a_strides[0], a_strides[1]}, {steps[1], b_strides[0], b_strides[1]}, {steps[2], ldc, 1}}};
  const int several = count > 1;
  const dnnl_data_type_t types[3] = {dnnl_bf16, dnnl_bf16, dnnl_f32};
  void *const handles[3] = {(void *)a, (void *)b, c};
  dnnl_status_t status = dnnl_engine_create(&engine, dnnl_cpu, 0);
  if (status == dnnl_success) status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
  if (status == dnnl_success) status = dnnl_primitive_attr_create(&attributes);
  if (status == dnnl_success && beta != 0) {
    status = dnnl_post_ops_create(&after);
    if (status == dnnl_success) status = dnnl_post_ops_append_sum(after, beta
#if DNNL_VERSION_MAJOR >= 3
                                                                  , 0, dnnl_data_type_undef
#endif
    );
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, after);
  }
#if DNNL_VERSION_MAJOR >= 3
  dnnl_memory_desc_t shapes[3] = {0, 0, 0};
  for (int i = 0; i < 3 && status == dnnl_success; i++)
    status = dnnl_memory_desc_create_with_strides(&shapes[i], 2 + several, dims[several][i], types[i], strides[several][i]);
  if (status == dnnl_success)
    status = dnnl_matmul_primitive_desc_create(&description, engine, shapes[0], shapes[1], 0, shapes[2], attributes);
  for (int i = 0; i < 3 && status == dnnl_success; i++)
    status = dnnl_memory_create(&memory[i], shapes[i], engine, handles[i]);
  for (int i = 0; i < 3; i++)
    if (shapes[i]) dnnl_memory_desc_destroy(shapes[i]);
#else
  dnnl_memory_desc_t shapes[3];
  dnnl_matmul_desc_t operation;
  for (int i = 0; i < 3 && status == dnnl_success; i++)
    status = dnnl_memory_desc_init_by_strides(&shapes[i], 2 + several, dims[several][i], types[i], strides[several][i]);
  if (status == dnnl_success) status = dnnl_matmul_desc_init(&operation, &shapes[0], &shapes[1], 0, &shapes[2]);
  if (status == dnnl_success) status = dnnl_primitive_desc_create(&description, &operation, attributes, engine, 0);
  for (int i = 0; i < 3 && status == dnnl_success; i++)
    status = dnnl_memory_create(&memory[i], &shapes[i], engine, handles[i]);
#endif
  if (status == dnnl_success) status = dnnl_primitive_create(&primitive, description);
  if (status == dnnl_success) {
    const dnnl_exec_arg_t arguments[3] = {
        {DNNL_ARG_SRC, memory[0]}, {DNNL_ARG_WEIGHTS, memory[1]}, {DNNL_ARG_DST, memory[2]}};
    status = dnnl_primitive_execute(primitive, stream, 3, arguments);
    if (status == dnnl_success) status = dnnl_stream_wait(stream);
  }
  for (int i = 0; i < 3; i++)
    if (memory[i]) dnnl_memory_destroy(memory[i]);
  if (primitive) dnnl_primitive_destroy(primitive);
  if (description) dnnl_primitive_desc_destroy(description);
  if (after) dnnl_post_ops_destroy(after);
  if (attributes) dnnl_primitive_attr_destroy(attributes);
  if (stream) dnnl_stream_destroy(stream);
  if (engine) dnnl_engine_destroy(engine);
  return status;
}
