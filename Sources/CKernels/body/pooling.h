// 2x2 max-pooling that remembers, and its backward pass.

// Of equals the first of a window's four pixels, as PyTorch; 4 where none is above zero: a ReLU before passes nothing.
static void CK(max_pool_choice_row)(const float *image, ck_image shape, int y, float *row, uint8_t *chosen) {
  size_t below = (size_t)shape.width * shape.channels, right = (size_t)shape.channels;
  const float *top = image + 2 * (size_t)y * below;
  for (int x = 0; x < shape.width / 2; x++, top += 2 * right)
    CK_EACH(c, l, (size_t)shape.channels) {
      vf best = CK(vget)(top + c, l);
      vi choice = ~(best > 0.0f) & 4;
      const float *others[3] = {top + right + c, top + below + c, top + below + right + c};
      for (int i = 0; i < 3; i++) {
        vf v = CK(vget)(others[i], l);
        vi better = (v > best) & (v > 0.0f);
        choice = (better & (i + 1)) | (~better & choice);
        best = CK(vselect)(v > best, v, best);
      }
      CK(vput)(row + x * right + c, best, l);
      vb bytes = __builtin_convertvector(choice, vb);
      memcpy(chosen + x * right + c, &bytes, (size_t)l);
    }
}

static void CK(unpool_row)(const float *dy, const uint8_t *chosen, int width, int channels, float *top, float *bottom) {
  size_t right = (size_t)channels;
  for (int x = 0; x < width / 2; x++, dy += right, chosen += right)
    CK_EACH(c, l, right) {
      vf v = CK(vget)(dy + c, l);
      vi choice = CK(vbytes)(chosen + c, l);
      float *out[4] = {top, top + right, bottom, bottom + right};
      for (int q = 0; q < 4; q++) CK(vput)(out[q] + 2 * x * right + c, (vf)((choice == q) & (vi)v), l);
    }
  if (width & 1) {
    memset(top + (size_t)(width - 1) * right, 0, right * sizeof(float));
    memset(bottom + (size_t)(width - 1) * right, 0, right * sizeof(float));
  }
}
