#include <png.h>
#include <stdlib.h>

#include "limits.h"

// The file as libpng sees it: only the chunks that bear on the pixels.
typedef struct {
  const uint8_t *bytes;
  size_t count;
  // What is left of the chunk at hand, and where the next one begins.
  size_t next, left, next_chunk;
  // Bytes were wanted that the file lacks.
  int ended;
} source;

static uint32_t big_endian(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

// Colour chunks change how transparency is blended; a profile is read only as long as real ones are. Unknown chunks
// that are critical (a capital first) go to libpng, which refuses them.
static int is_needed(const uint8_t *kind, uint32_t length) {
  if (!(kind[0] & 0x20)) return 1;
  static const char *const wanted[] = {"tRNS", "gAMA", "cHRM", "sRGB"};
  for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
    if (!memcmp(kind, wanted[k], 4)) return 1;
  return !memcmp(kind, "iCCP", 4) && length <= 1 << 20;
}

// Moves to the next chunk that is needed; a chunk that is cut is given as far as it goes.
static void open_chunk(source *from) {
  while (!from->left && from->next_chunk < from->count) {
    const uint8_t *at = from->bytes + from->next_chunk;
    size_t rest = from->count - from->next_chunk;
    size_t size = rest < 8 ? rest : (size_t)big_endian(at) + 12;
    if (size > rest) size = rest;
    if (rest < 8 || is_needed(at + 4, big_endian(at))) {
      from->next = from->next_chunk;
      from->left = size;
    }
    from->next_chunk += size;
  }
}

typedef struct {
  png_structp png;
  png_infop info;
  source from;
  ci_report *report;
  const ci_options *options;
  // One row, or of an interlaced picture all.
  uint8_t *pixels;
  uint32_t next_row;
  int out_of_memory;
} decoder;

static void on_error(png_structp png, png_const_charp message) {
  ci_report *report = ((decoder *)png_get_error_ptr(png))->report;
  snprintf(report->message, sizeof report->message, "%s", message);
  png_longjmp(png, 1);
}

// Warnings concern side information (colour profiles); damaged pixels are errors.
static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void read_bytes(png_structp png, png_bytep out, size_t count) {
  source *from = png_get_io_ptr(png);
  while (count > 0) {
    open_chunk(from);
    if (!from->left) {
      from->ended = 1;
      png_error(png, "the file ends early");
    }
    size_t part = count < from->left ? count : from->left;
    memcpy(out, from->bytes + from->next, part);
    out += part;
    count -= part;
    from->next += part;
    from->left -= part;
  }
}

// Every kind of PNG becomes 8-bit RGB over white.
static void ask_for_rgb(png_structp png, png_infop info) {
  int has_alpha = (png_get_color_type(png, info) & PNG_COLOR_MASK_ALPHA) || png_get_valid(png, info, PNG_INFO_tRNS);
  png_set_expand(png);
  png_set_gray_to_rgb(png);
  if (has_alpha) {
    png_uint_16 top = png_get_bit_depth(png, info) == 16 ? 65535 : 255;
    png_color_16 white = {.red = top, .green = top, .blue = top, .gray = top};
    png_set_background(png, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
  }
  // The upper byte, as Pillow takes it.
  png_set_strip_16(png);
}

static ci_outcome read_header(decoder *d) {
  png_structp png = d->png;
  png_read_info(png, d->info);
  ci_report *report = d->report;
  uint32_t width = png_get_image_width(png, d->info), height = png_get_image_height(png, d->info);
  ci_outcome size = ci_check_size(width, height, d->options, report);
  if (size != CI_DECODED) return size;
  report->rows = height;
  int interlaced = png_get_interlace_type(png, d->info) != PNG_INTERLACE_NONE;
  report->memory = interlaced ? (uint64_t)width * height * 3 : 0;
  // Deflate expands at most 1032 times: a short file is not worth the memory of a huge picture.
  if (interlaced && (uint64_t)png_get_rowbytes(png, d->info) * height / 1032 > d->from.count)
    png_error(png, "too little data for its size");
  return CI_DECODED;
}

static void read_rows(decoder *d, ci_row_sink sink, void *context) {
  png_structp png = d->png;
  ask_for_rgb(png, d->info);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, d->info);
  uint32_t height = d->report->height;
  size_t stride = (size_t)d->report->width * 3;
  if (png_get_rowbytes(png, d->info) != stride) png_error(png, "unexpected row size");
  size_t rows = passes > 1 ? height : 1;
  d->pixels = malloc(stride * rows);
  if (!d->pixels) {
    d->out_of_memory = 1;
    png_error(png, "out of memory");
  }
  if (passes == 1) {
    while (d->next_row < height) {
      png_read_row(png, d->pixels, NULL);
      sink(context, d->pixels);
      d->next_row++;
    }
    return;
  }
  memset(d->pixels, CI_GREY, stride * rows);
  for (int pass = 0; pass < passes; pass++)
    for (uint32_t y = 0; y < height; y++) png_read_row(png, d->pixels + y * stride, NULL);
  for (; d->next_row < height; d->next_row++) sink(context, d->pixels + d->next_row * stride);
}

// After a failure amid the picture: what there is, the rest grey. Of an interlaced picture all rows are there, if
// coarse or in part.
static ci_outcome give_the_rest(decoder *d, ci_row_sink sink, void *context) {
  ci_report *report = d->report;
  size_t stride = (size_t)report->width * 3;
  int interlaced = report->memory > 0;
  report->rows = interlaced ? 0 : d->next_row;
  int nothing = !d->pixels || (!interlaced && d->next_row == 0);
  if (!d->options->lenient || nothing) return d->from.ended ? CI_CUT_SHORT : CI_CORRUPT;
  if (!interlaced) memset(d->pixels, CI_GREY, stride);
  for (; d->next_row < report->height; d->next_row++)
    sink(context, interlaced ? d->pixels + d->next_row * stride : d->pixels);
  return CI_DECODED;
}

static ci_outcome outcome_of_failure(decoder *d, ci_row_sink sink, void *context) {
  if (d->out_of_memory || !strcmp(d->report->message, "Out of memory")) return CI_NO_MEMORY;
  if (!sink || d->report->height == 0) return CI_CORRUPT;
  if (d->next_row < d->report->height) return give_the_rest(d, sink, context);
  // All rows are there: the end is missing or odd. Damage within the data is damage to the pixels, though.
  int within_data = png_get_io_chunk_type(d->png) == 0x49444154;  // IDAT
  if (within_data && !d->from.ended && !d->options->lenient) return CI_CORRUPT;
  return CI_DECODED;
}

ci_outcome ci_read_png(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                       ci_report *report) {
  memset(report, 0, sizeof *report);
  decoder *d = calloc(1, sizeof *d);
  if (!d) return CI_NO_MEMORY;
  d->from = (source){.bytes = bytes, .count = count, .left = count < 8 ? count : 8, .next_chunk = 8};
  d->report = report;
  d->options = options;
  d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, on_error, on_warning);
  d->info = d->png ? png_create_info_struct(d->png) : NULL;
  ci_outcome outcome;
  if (!d->info) {
    outcome = CI_NO_MEMORY;
  } else if (!setjmp(png_jmpbuf(d->png))) {
    png_set_read_fn(d->png, &d->from, read_bytes);
    // Our own check says the size that was found.
    png_set_user_limits(d->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    if (options->lenient) png_set_crc_action(d->png, PNG_CRC_WARN_USE, PNG_CRC_WARN_USE);
    outcome = read_header(d);
    if (outcome == CI_DECODED && sink) {
      read_rows(d, sink, context);
      png_read_end(d->png, NULL);
      size_t rest = d->from.count > d->from.next_chunk ? d->from.count - d->from.next_chunk : 0;
      if (rest) CI_NOTE(report, "%zu bytes after the picture's end are left out", rest);
    }
  } else {
    outcome = outcome_of_failure(d, sink, context);
  }
  if (d->png) png_destroy_read_struct(&d->png, &d->info, NULL);
  free(d->pixels);
  free(d);
  return outcome;
}
