#include <stdio.h>
#include <string.h>

#include "CImageCodecs.h"

/// The grey of rows that are missing.
#define CI_GREY 128

/// Records the size and says whether it may be decoded. Checked before any memory is taken for pixels.
static inline ci_outcome ci_check_size(
    uint32_t width, uint32_t height, const ci_options *options, ci_report *report) {
  report->width = width;
  report->height = height;
  if (width <= CI_MAXIMUM_SIDE && height <= CI_MAXIMUM_SIDE && (uint64_t)width * height <= options->maximum_pixels)
    return CI_DECODED;
  snprintf(report->message, sizeof report->message, "%u x %u pixels", width, height);
  return CI_TOO_LARGE;
}

/// Says what is odd, unless something was said already.
#define CI_NOTE(report, ...) \
  ((report)->message[0] ? 0 : snprintf((report)->message, sizeof(report)->message, __VA_ARGS__))
