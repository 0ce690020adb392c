#include <stdint.h>

/// A sample laid over white, rounded as libpng and Pillow do.
static inline uint8_t ci_over_white(uint8_t sample, uint8_t alpha) {
  unsigned sum = sample * (unsigned)alpha + 255u * (255u - alpha) + 128;
  return (uint8_t)((sum + (sum >> 8)) >> 8);
}

/// The same of a sample that is already multiplied by alpha.
static inline uint8_t ci_multiplied_over_white(uint8_t sample, uint8_t alpha) {
  unsigned sum = sample + 255u - alpha;
  return (uint8_t)(sum < 255 ? sum : 255);
}

/// One of red, green and blue of CMYK: what of white is left by an ink and by black, without a profile.
static inline uint8_t ci_left_by_inks(uint8_t ink, uint8_t black) {
  unsigned left = 255u - black;
  unsigned product = ink * left + 128;
  return (uint8_t)(left - (((product >> 8) + product) >> 8));
}
