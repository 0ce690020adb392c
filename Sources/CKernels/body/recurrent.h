// What the steps of all recurrent cells share.

// One lane-wide piece of the sum of a gate's terms, at element `at`.
CK_INLINE vf CK(vgate)(ck_gate_sums sums, size_t at, int l) {
  vf sum = CK(vget)(sums.input + at, l);
  if (sums.bias) sum += CK(vget)(sums.bias + at, l);
  if (sums.recurrent) sum += CK(vget)(sums.recurrent + at, l);
  if (sums.context) sum += CK(vget)(sums.context + at, l);
  return sum;
}
