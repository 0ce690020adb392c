#ifndef CIMAGECODECS_H
#define CIMAGECODECS_H

// Whole decode sequences over libraries of pictures, bytes in memory to rows of 8-bit RGB. libpng and libjpeg report
// errors by longjmp, which must not cross a Swift frame: every call here returns normally. Those two are always there; the
// package is built with the others where it finds them (Package.swift).

#include <stddef.h>
#include <stdint.h>

/// The largest width or height that is decoded.
#define CI_MAXIMUM_SIDE 65500

typedef enum {
  CI_DECODED = 0,
  /// A valid file of a kind that is not decoded, such as a 12-bit JPEG.
  CI_UNSUPPORTED,
  /// Damaged.
  CI_CORRUPT,
  /// It ends, or its data ends, before all rows are there: the report's `rows` are.
  CI_CUT_SHORT,
  /// Over CI_MAXIMUM_SIDE or the limit of pixels.
  CI_TOO_LARGE,
  /// No memory was to be had.
  CI_NO_MEMORY,
} ci_outcome;

typedef struct {
  /// The most pixels that are decoded.
  uint64_t maximum_pixels;
  /// Whether what is there of damaged files is taken, the rest grey.
  int lenient;
  /// A JPEG's sides are decoded at so many eighths, 1 to 8 (any other number: 8), rounded up; other formats always whole.
  int eighths;
} ci_options;

typedef struct {
  /// The stored picture's, whatever it is decoded at.
  uint32_t width, height;
  /// Bytes that decoding takes at once, beside a few rows: known from the header.
  uint64_t memory;
  /// Stored rows that the file holds; the others, if any, were given in grey.
  uint32_t rows;
  /// What is wrong, or what is odd of a file that was decoded, one line; empty when nothing is.
  char message[256];
} ci_report;

/// Takes one row of what is decoded, [width, 3] in RGB order; rows come in order.
typedef void (*ci_row_sink)(void *context, const uint8_t *row);

/// Decodes an image row by row: transparent pixels are laid over white, 16-bit samples keep their upper byte. With
/// `sink` null it only reads the header. Orientation is the caller's business. Chunks that do not bear on the pixels
/// are passed over unread. A file all of whose rows are there is decoded, whatever is wrong behind them.
ci_outcome ci_read_png(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                       ci_report *report);

/// The same for JPEG: baseline and progressive, grey, YCbCr, RGB, CMYK and YCCK (inverted, as Adobe writes them). With
/// `eighths` below 8 the inverse cosine transform gives so many samples for each 8, the lower frequencies of a block; the
/// first begins where the stored picture does, the last may hang over its end.
ci_outcome ci_read_jpeg(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                        ci_report *report);

/// The formats whose library the package can be built without.
typedef enum { CI_WEBP, CI_GIF, CI_TIFF, CI_HEIF } ci_format;

/// Whether the format's library was there when the package was built; the functions below fail where it was not.
int ci_is_built_in(ci_format format);

/// The same for WebP by libwebp, of an animation the first frame. The pixels are decoded whole.
ci_outcome ci_read_webp(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                        ci_report *report);

/// The same for GIF by giflib: the first frame, white where it leaves the screen free.
ci_outcome ci_read_gif(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                       ci_report *report);

/// The same for TIFF by libtiff, its first page: 1 to 16 bits, grey, RGB, palette and CMYK, alpha of either kind, JPEG of any
/// colour. Of damaged files whole strips or tiles are taken.
ci_outcome ci_read_tiff(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                        ci_report *report);

/// The same for HEIC and AVIF by libheif: the primary image, turned upright already. Damaged ones are never taken.
ci_outcome ci_read_heif(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                        ci_report *report);

/// The same for BMP: 1 to 32 bits, run lengths and masks too.
ci_outcome ci_read_bmp(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                       ci_report *report);

/// Encodes `pixels`, [height, width, 3] in RGB order, as a baseline JPEG of `quality` 1 to 100. The bytes are the
/// caller's to `free`; null when there is no memory, or a side is over what JPEG holds.
uint8_t *ci_write_jpeg(const uint8_t *pixels, uint32_t width, uint32_t height, int quality, size_t *count);

/// Encodes `pixels`, [height, width, 3] in RGB order, as a PNG. The bytes are the caller's to `free`; null when there is no
/// memory, or a side is over what libpng takes.
uint8_t *ci_write_png(const uint8_t *pixels, uint32_t width, uint32_t height, size_t *count);

/// From now on all threads take memory from two heaps. glibc has up to eight for each core, and reserves 64 MiB of
/// addresses for each: where addresses are limited, as by `ulimit -v`, a few decoding threads would use them up.
void ci_share_heaps(void);

#endif
