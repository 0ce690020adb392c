// One row of additive attention (Bahdanau et al. 2015) over the regions of an image.

// What key and query make together, and the slope of that where t is its value.
CK_INLINE vf CK(attention_compared)(vf sum, int rectified) {
  return rectified ? vmax(vsplat(0), sum) : CK(vtanh)(sum);
}

CK_INLINE vf CK(attention_slope)(vf t, int rectified) {
  return rectified ? CK(vselect)(t > 0.0f, vsplat(1), vsplat(0)) : 1.0f - t * t;
}

// Scores of some regions, which share what is read of query and scorer: sum_k scorer_k f(keys_ik + query_k).
CK_INLINE void CK(attention_scores)(ck_attention row, size_t first, int count, int rectified, float *scores) {
  vf sums[4] = {vsplat(0), vsplat(0), vsplat(0), vsplat(0)};
  const float *keys = row.keys + first * row.size;
  CK_EACH(k, l, row.size) {
    vf query = row.query ? CK(vget)(row.query + k, l) : vsplat(0), scorer = CK(vget)(row.scorer + k, l);
    for (int i = 0; i < count; i++)
      sums[i] += scorer * CK(attention_compared)(CK(vget)(keys + (size_t)i * row.size + k, l) + query, rectified);
  }
  for (int i = 0; i < count; i++) scores[first + (size_t)i] = CK(vsum)(sums[i]);
}

CK_INLINE void CK(attention_all_scores)(ck_attention row, int rectified, float *scores) {
  size_t i = 0;
  for (; i + 4 <= row.regions; i += 4) CK(attention_scores)(row, i, 4, rectified, scores);
  for (; i < row.regions; i++) CK(attention_scores)(row, i, 1, rectified, scores);
}

// weights = softmax over i of sum_k scorer_k f(keys_ik + query_k). query NULL is zero.
static void CK(attention_weights)(ck_attention row, float *weights) {
  if (row.rectified)
    CK(attention_all_scores)(row, 1, weights);
  else
    CK(attention_all_scores)(row, 0, weights);
  float largest = CK(add_and_max)(weights, 0, row.regions);
  float total = CK(exp_sum)(weights, largest, weights, row.regions);
  CK_EACH(j, l, row.regions) CK(vput)(weights + j, CK(vget)(weights + j, l) / total, l);
}

// What some regions add to the gradients of keys, query and scorer; dscores [regions].
CK_INLINE void CK(attention_scores_backward)(ck_attention row, size_t first, int count, int rectified,
                                             const float *dscores, float *dkeys, float *dscorer, float *dquery) {
  size_t start = first * row.size;
  CK_EACH(k, l, row.size) {
    vf query = row.query ? CK(vget)(row.query + k, l) : vsplat(0), scorer = CK(vget)(row.scorer + k, l);
    vf dq = CK(vget)(dquery + k, l), dw = CK(vget)(dscorer + k, l);
    for (int i = 0; i < count; i++) {
      size_t at = start + (size_t)i * row.size + k;
      float score = dscores[first + (size_t)i];
      vf t = CK(attention_compared)(CK(vget)(row.keys + at, l) + query, rectified);
      vf d = score * scorer * CK(attention_slope)(t, rectified);
      dw += score * t;
      dq += d;
      CK(vput)(dkeys + at, CK(vget)(dkeys + at, l) + d, l);
    }
    CK(vput)(dquery + k, dq, l);
    CK(vput)(dscorer + k, dw, l);
  }
}

CK_INLINE void CK(attention_all_scores_backward)(ck_attention row, int rectified, const float *dscores, float *dkeys,
                                                 float *dscorer, float *dquery) {
  size_t i = 0;
  for (; i + 4 <= row.regions; i += 4)
    CK(attention_scores_backward)(row, i, 4, rectified, dscores, dkeys, dscorer, dquery);
  for (; i < row.regions; i++)
    CK(attention_scores_backward)(row, i, 1, rectified, dscores, dkeys, dscorer, dquery);
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
  CK_EACH(k, l, row.size) CK(vput)(dquery + k, vsplat(0), l);
  if (row.rectified)
    CK(attention_all_scores_backward)(row, 1, dweights, dkeys, dscorer, dquery);
  else
    CK(attention_all_scores_backward)(row, 0, dweights, dkeys, dscorer, dquery);
}
