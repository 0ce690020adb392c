#include "limits.h"

int ci_is_built_in(ci_format format) {
  switch (format) {
#ifdef CAPTIONER_WEBP
    case CI_WEBP:
      return 1;
#endif
#ifdef CAPTIONER_GIF
    case CI_GIF:
      return 1;
#endif
#ifdef CAPTIONER_TIFF
    case CI_TIFF:
      return 1;
#endif
#ifdef CAPTIONER_HEIF
    case CI_HEIF:
      return 1;
#endif
    default:
      return 0;
  }
}

// What stands in for a reader that is not built in.
#define CI_MISSING(name)                                                                                        \
  ci_outcome name(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context, \
                  ci_report *report) {                                                                          \
    (void)bytes, (void)count, (void)options, (void)sink, (void)context;                                         \
    *report = (ci_report){.message = "not built in"};                                                           \
    return CI_UNSUPPORTED;                                                                                      \
  }

#ifndef CAPTIONER_WEBP
CI_MISSING(ci_read_webp)
#endif
#ifndef CAPTIONER_GIF
CI_MISSING(ci_read_gif)
#endif
#ifndef CAPTIONER_TIFF
CI_MISSING(ci_read_tiff)
#endif
#ifndef CAPTIONER_HEIF
CI_MISSING(ci_read_heif)
#endif
