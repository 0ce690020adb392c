// One row of additive attention (Bahdanau et al. 2015) over the regions of an image.

// weights = softmax over i of sum_k scorer_k tanh(keys_ik + query_k). query NULL is zero.
static void CK(attention_weights)(ck_attention row, float *weights) {
  for (size_t i = 0; i < row.regions; i++) {
    vf sum = vsplat(0);
    CK_EACH(k, l, row.size) {
      vf x = CK(vget)(row.keys + i * row.size + k, l);
      if (row.query) x += CK(vget)(row.query + k, l);
      sum += CK(vget)(row.scorer + k, l) * CK(vtanh)(x);
    }
    weights[i] = CK(vsum)(sum);
  }
  float largest = CK(add_and_max)(weights, 0, row.regions);
  float total = CK(exp_sum)(weights, largest, weights, row.regions);
  CK_EACH(i, l, row.regions) CK(vput)(weights + i, CK(vget)(weights + i, l) / total, l);
}

// sum = sum_i weights_i rows_i, rows [count, columns].
static void CK(weighted_sum)(const float *weights, const float *rows, size_t count, size_t columns, float *sum) {
  size_t j = 0;
  for (; j + 4 * VL <= columns; j += 4 * VL) {
    vf s[4] = {vsplat(0), vsplat(0), vsplat(0), vsplat(0)};
    for (size_t i = 0; i < count; i++)
      for (int v = 0; v < 4; v++) s[v] += weights[i] * vload(rows + i * columns + j + v * VL);
    for (int v = 0; v < 4; v++) vstore(sum + j + v * VL, s[v]);
  }
  for (; j < columns; j += VL) {
    int l = CK(lanes)(columns - j);
    vf s = vsplat(0);
    for (size_t i = 0; i < count; i++) s += weights[i] * CK(vget)(rows + i * columns + j, l);
    CK(vput)(sum + j, s, l);
  }
}

// The sum backwards: dvalues_i += weights_i dsum, and dweights_i += dsum . values_i.
static void CK(weighted_sum_backward)(const float *weights, const float *values, const float *dsum, size_t regions,
                                      size_t columns, float *dvalues, float *dweights) {
  for (size_t i = 0; i < regions; i++) {
    vf sum = vsplat(0);
    CK_EACH(j, l, columns) {
      vf d = CK(vget)(dsum + j, l);
      sum += d * CK(vget)(values + i * columns + j, l);
      float *at = dvalues + i * columns + j;
      CK(vput)(at, CK(vget)(at, l) + weights[i] * d, l);
    }
    dweights[i] += CK(vsum)(sum);
  }
}

// The softmax and the scores backwards: dweights become the scores' gradients; dkeys and dscorer are added to, dquery
// is written.
static void CK(attention_backward)(ck_attention row, const float *weights, float *dweights, float *dkeys,
                                   float *dscorer, float *dquery) {
  vf mean = vsplat(0);
  CK_EACH(i, l, row.regions) mean += CK(vget)(weights + i, l) * CK(vget)(dweights + i, l);
  float shared = CK(vsum)(mean);
  CK_EACH(i, l, row.regions) {
    vf d = CK(vget)(weights + i, l) * (CK(vget)(dweights + i, l) - shared);
    CK(vput)(dweights + i, d, l);
  }
  CK_EACH(k, l, row.size) {
    vf query = row.query ? CK(vget)(row.query + k, l) : vsplat(0), scorer = CK(vget)(row.scorer + k, l);
    vf dq = vsplat(0), dw = CK(vget)(dscorer + k, l);
    for (size_t i = 0; i < row.regions; i++) {
      size_t at = i * row.size + k;
      vf t = CK(vtanh)(CK(vget)(row.keys + at, l) + query);
      vf d = dweights[i] * scorer * (1.0f - t * t);
      dw += dweights[i] * t;
      dq += d;
      CK(vput)(dkeys + at, CK(vget)(dkeys + at, l) + d, l);
    }
    CK(vput)(dquery + k, dq, l);
    CK(vput)(dscorer + k, dw, l);
  }
}
