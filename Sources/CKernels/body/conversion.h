// IEEE half and bfloat16 to and from float. Scalar code that the compiler turns into F16C where it exists.

static void CK(half_to_float)(const uint16_t *source, float *destination, size_t count) {
  for (size_t i = 0; i < count; i++) {
    _Float16 h;
    memcpy(&h, source + i, 2);
    destination[i] = (float)h;
  }
}

static void CK(bfloat_to_float)(const uint16_t *source, float *destination, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = (uint32_t)source[i] << 16;
    memcpy(destination + i, &bits, 4);
  }
}

static void CK(float_to_half)(const float *source, uint16_t *destination, size_t count) {
  for (size_t i = 0; i < count; i++) {
    _Float16 h = (_Float16)source[i];
    memcpy(destination + i, &h, 2);
  }
}
