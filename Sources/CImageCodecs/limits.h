#include <stdio.h>

#include "CImageCodecs.h"

/// Records the size and says whether it may be decoded. Checked before any memory is taken for pixels.
static inline ci_outcome ci_check_size(uint32_t width, uint32_t height, ci_report *report) {
  report->width = width;
  report->height = height;
  if (width <= CI_MAXIMUM_SIDE && height <= CI_MAXIMUM_SIDE && (uint64_t)width * height <= CI_MAXIMUM_PIXELS)
    return CI_DECODED;
  snprintf(report->message, sizeof report->message, "%u x %u pixels", width, height);
  return CI_TOO_LARGE;
}
