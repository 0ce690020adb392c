#ifndef CIMAGECODECS_H
#define CIMAGECODECS_H

// Whole decode sequences over libpng and libjpeg, bytes in memory to 8-bit RGB. Both libraries report errors by
// longjmp, which must not cross a Swift frame: every call here returns normally.

#include <stddef.h>
#include <stdint.h>

/// The largest width or height that is decoded.
#define CI_MAXIMUM_SIDE 65500
/// The largest number of pixels that is decoded.
#define CI_MAXIMUM_PIXELS (1 << 27)

typedef enum {
  CI_DECODED = 0,
  /// A valid file of a kind that is not decoded, such as a 12-bit JPEG.
  CI_UNSUPPORTED,
  /// Damaged or cut short.
  CI_CORRUPT,
  /// Over CI_MAXIMUM_SIDE or CI_MAXIMUM_PIXELS.
  CI_TOO_LARGE,
} ci_outcome;

typedef struct {
  uint32_t width, height;
  /// What is wrong, one line; empty when nothing is.
  char message[256];
} ci_report;

/// Decodes an image into `pixels`, [height, width, 3] in RGB order, exactly `capacity` bytes: transparent
/// pixels are laid over white, 16-bit samples keep their upper byte. With `pixels` null it only reads the
/// header: the report's width and height then say how much memory to bring. Orientation is the caller's business.
ci_outcome ci_read_png(const uint8_t *bytes, size_t count, uint8_t *pixels, size_t capacity, ci_report *report);

/// The same for JPEG: baseline and progressive, grey, YCbCr, RGB, CMYK and YCCK (inverted, as Adobe writes them).
ci_outcome ci_read_jpeg(const uint8_t *bytes, size_t count, uint8_t *pixels, size_t capacity, ci_report *report);

/// Encodes `pixels`, [height, width, 3] in RGB order, as a baseline JPEG of `quality` 1 to 100. The bytes are the
/// caller's to `free`; null when there is no memory, or a side is over what JPEG holds.
uint8_t *ci_write_jpeg(const uint8_t *pixels, uint32_t width, uint32_t height, int quality, size_t *count);

#endif
