#include <stdlib.h>

#include "limits.h"
#include "transparency.h"

enum { BI_RGB = 0, BI_RLE8 = 1, BI_RLE4 = 2, BI_BITFIELDS = 3, BI_ALPHABITFIELDS = 6 };

// Where a row of run lengths begins: those before it must be read to know.
typedef struct {
  // 0 for a row that is passed over.
  size_t at;
  uint64_t x;
} row_start;

typedef struct {
  const uint8_t *bytes;
  size_t count;
  uint32_t width, height;
  int top_down;
  uint32_t bits, compression;
  // Red, green, blue, alpha; 0 for none.
  uint32_t masks[4];
  // Where the pixels begin, and the bytes from one row to the next.
  size_t pixels;
  uint64_t stride;
  uint8_t palette[256][3];
  // Of run lengths: a start for each stored row, and how many rows the file has.
  row_start *starts;
  uint32_t rows;
} bitmap;

static uint32_t little_endian(const uint8_t *at, int size) {
  uint32_t value = 0;
  for (int k = size; k-- > 0;) value = value << 8 | at[k];
  return value;
}

static uint32_t number(const bitmap *b, size_t at, int size) { return little_endian(b->bytes + at, size); }

// The sizes of the headers that there are, and the number of bytes of a palette's entry; 0 for any other.
static size_t palette_entry(uint32_t header) {
  switch (header) {
    case 12:
      return 3;
    case 16: case 40: case 52: case 56: case 64: case 108: case 124:
      return 4;
    default:
      return 0;
  }
}

static void read_masks(bitmap *b, uint32_t header, size_t *after) {
  if (b->compression == BI_BITFIELDS || b->compression == BI_ALPHABITFIELDS) {
    // Of the shortest header they come behind it.
    int named = header >= 56 || b->compression == BI_ALPHABITFIELDS ? 4 : 3;
    if (header == 40) *after += (size_t)named * 4;
    for (int c = 0; c < named && 58 + (size_t)c * 4 <= b->count; c++) b->masks[c] = number(b, 54 + (size_t)c * 4, 4);
  } else {
    int five = b->bits == 16;
    b->masks[0] = five ? 0x7C00 : 0xFF0000;
    b->masks[1] = five ? 0x03E0 : 0x00FF00;
    b->masks[2] = five ? 0x001F : 0x0000FF;
  }
}

// As many colours as there are; the others are black.
static void read_palette(bitmap *b, size_t at, size_t entry, uint32_t used) {
  uint32_t colours = b->bits <= 8 ? 1u << b->bits : 0;
  if (used && used < colours) colours = used;
  for (uint32_t k = 0; k < colours && at + 3 <= b->count; k++, at += entry)
    for (int c = 0; c < 3; c++) b->palette[k][c] = b->bytes[at + 2 - (size_t)c];
}

static ci_outcome refuse(ci_report *report, ci_outcome outcome, const char *reason) {
  CI_NOTE(report, "%s", reason);
  return outcome;
}

// Whether pixels are stored in a way that is read.
static ci_outcome check_kind(const bitmap *b, uint32_t header, ci_report *report) {
  uint32_t bits = b->bits;
  int known = bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32;
  if (!known && b->compression <= BI_BITFIELDS) {
    snprintf(report->message, sizeof report->message, "%u bits a pixel", bits);
    return CI_UNSUPPORTED;
  }
  switch (b->compression) {
    case BI_RGB:
      return CI_DECODED;
    case BI_RLE8:
    case BI_RLE4:
      if (bits == (b->compression == BI_RLE8 ? 8u : 4u) && !b->top_down) return CI_DECODED;
      return refuse(report, CI_CORRUPT, "run lengths of other pixels");
    case BI_BITFIELDS:
    case BI_ALPHABITFIELDS:
      if (header == 64) break;
      if (bits == 16 || bits == 32) return CI_DECODED;
      return refuse(report, CI_CORRUPT, "masks of other pixels");
    default:
      break;
  }
  snprintf(report->message, sizeof report->message, "compression %u", b->compression);
  return CI_UNSUPPORTED;
}

static ci_outcome read_header(bitmap *b, const ci_options *options, ci_report *report) {
  if (b->count < 18) return CI_CUT_SHORT;
  uint32_t header = number(b, 14, 4), colours = 0;
  size_t entry = palette_entry(header), after = 14 + (size_t)header;
  if (!entry) return refuse(report, CI_CORRUPT, "a header of another size");
  if (b->count < after) return CI_CUT_SHORT;
  int32_t width, height;
  if (header == 12) {
    width = (int32_t)number(b, 18, 2);
    height = (int16_t)number(b, 20, 2);
    b->bits = number(b, 24, 2);
  } else {
    width = (int32_t)number(b, 18, 4);
    height = (int32_t)number(b, 22, 4);
    b->bits = number(b, 28, 2);
    if (header >= 40) {
      b->compression = number(b, 30, 4);
      colours = number(b, 46, 4);
    }
  }
  if (width <= 0 || height == 0) return refuse(report, CI_CORRUPT, "a picture without pixels");
  b->top_down = height < 0;
  b->width = (uint32_t)width;
  b->height = height < 0 ? 0u - (uint32_t)height : (uint32_t)height;
  ci_outcome outcome = ci_check_size(b->width, b->height, options, report);
  if (outcome == CI_DECODED) outcome = check_kind(b, header, report);
  if (outcome != CI_DECODED) return outcome;
  report->rows = report->height;
  read_masks(b, header, &after);
  read_palette(b, after, entry, colours);
  b->pixels = number(b, 10, 4);
  b->stride = ((uint64_t)b->width * b->bits + 31) / 32 * 4;
  int run_lengths = b->compression == BI_RLE8 || b->compression == BI_RLE4;
  report->memory = run_lengths ? (uint64_t)b->height * sizeof(row_start) : 0;
  return CI_DECODED;
}

// Goes through the run lengths once, and notes where rows begin, the lowest first.
static void find_starts(bitmap *b) {
  const uint8_t *bytes = b->bytes;
  size_t at = b->pixels;
  uint64_t x = 0, y = 0;
  b->starts[0] = (row_start){.at = at};
  while (y < b->height && b->count >= 2 && at <= b->count - 2) {
    uint8_t run = bytes[at], value = bytes[at + 1];
    at += 2;
    if (run) {
      x += run;
      continue;
    }
    uint64_t down = 0;
    if (value == 1) {  // the end: rows that were not reached have the first colour
      b->rows = b->height;
      return;
    } else if (value == 0) {
      down = 1;
      x = 0;
    } else if (value == 2) {
      if (b->count - at < 2) break;
      x += bytes[at];
      down = bytes[at + 1];
      at += 2;
    } else {
      x += value;
      size_t size = b->compression == BI_RLE8 ? value : (value + 1u) / 2;
      at += size + size % 2;
    }
    y += down;
    if (down && y < b->height) b->starts[y] = (row_start){.at = at, .x = x};
  }
  // A last row that is full is whole, whatever follows.
  b->rows = (uint32_t)(y + (y < b->height && x >= b->width ? 1 : 0));
}

// One row of run lengths, as indices of colours.
static void unpack_runs(const bitmap *b, row_start start, uint8_t *indices) {
  memset(indices, 0, b->width);
  size_t at = start.at;
  uint64_t x = start.x;
  while (at && b->count >= 2 && at <= b->count - 2) {
    uint8_t run = b->bytes[at], value = b->bytes[at + 1];
    at += 2;
    int four = b->compression == BI_RLE4;
    if (run) {
      for (int k = 0; k < run && x < b->width; k++, x++)
        indices[x] = !four ? value : k % 2 ? value & 15 : value >> 4;
    } else if (value > 2) {
      size_t size = four ? (value + 1u) / 2 : value;
      for (int k = 0; k < value && x < b->width; k++, x++) {
        size_t place = at + (four ? (size_t)k / 2 : (size_t)k);
        if (place >= b->count) return;
        uint8_t byte = b->bytes[place];
        indices[x] = !four ? byte : k % 2 ? byte & 15 : byte >> 4;
      }
      at += size + size % 2;
    } else if (value < 2 || b->count - at < 2 || b->bytes[at + 1]) {
      return;  // the row ends
    } else {
      x += b->bytes[at];
      at += 2;
    }
  }
}

// The bits of a mask, as 0 to 255.
static uint8_t sample(uint32_t pixel, uint32_t mask) {
  if (!mask) return 0;
  int shift = __builtin_ctz(mask);
  uint64_t most = mask >> shift;
  return (uint8_t)((uint64_t)((pixel & mask) >> shift) * 255 / most);
}

static void rgb_from_masks(const bitmap *b, const uint8_t *in, uint8_t *rgb) {
  int size = (int)b->bits / 8;
  for (uint32_t x = 0; x < b->width; x++, in += size, rgb += 3) {
    uint32_t pixel = little_endian(in, size);
    uint8_t alpha = b->masks[3] ? sample(pixel, b->masks[3]) : 255;
    for (int c = 0; c < 3; c++) rgb[c] = ci_over_white(sample(pixel, b->masks[c]), alpha);
  }
}

static void rgb_from_indices(const bitmap *b, const uint8_t *in, uint32_t bits, uint8_t *rgb) {
  for (uint32_t x = 0; x < b->width; x++, rgb += 3) {
    size_t bit = (size_t)x * bits;
    unsigned index = (unsigned)in[bit / 8] >> (8 - bits - bit % 8) & ((1u << bits) - 1);
    memcpy(rgb, b->palette[index], 3);
  }
}

// A row of the upright picture; 0 if the file lacks it.
static int read_row(const bitmap *b, uint32_t y, uint8_t *indices, uint8_t *rgb) {
  uint32_t stored = b->top_down ? y : b->height - 1 - y;
  if (b->starts) {
    if (stored >= b->rows) return 0;
    unpack_runs(b, b->starts[stored], indices);
    rgb_from_indices(b, indices, 8, rgb);
    return 1;
  }
  uint64_t at = b->pixels + stored * b->stride, needed = ((uint64_t)b->width * b->bits + 7) / 8;
  if (at + needed > b->count) return 0;
  const uint8_t *in = b->bytes + at;
  if (b->bits > 8)
    rgb_from_masks(b, in, rgb);
  else
    rgb_from_indices(b, in, b->bits, rgb);
  return 1;
}

// How many rows the file has.
static uint32_t count_rows(const bitmap *b) {
  if (b->starts) return b->rows;
  uint64_t needed = ((uint64_t)b->width * b->bits + 7) / 8;
  if (b->pixels + needed > b->count) return 0;
  uint64_t rows = (b->count - b->pixels - needed) / b->stride + 1;
  return rows < b->height ? (uint32_t)rows : b->height;
}

static ci_outcome read_rows(bitmap *b, const ci_options *options, ci_row_sink sink, void *context, ci_report *report) {
  uint8_t *rgb = malloc((size_t)b->width * 3), *indices = malloc(b->width);
  int run_lengths = report->memory > 0;
  b->starts = run_lengths ? calloc(b->height, sizeof *b->starts) : NULL;
  ci_outcome outcome = rgb && indices && (b->starts || !run_lengths) ? CI_DECODED : CI_NO_MEMORY;
  if (outcome == CI_DECODED) {
    if (run_lengths) find_starts(b);
    report->rows = count_rows(b);
    if (report->rows < b->height && (!options->lenient || report->rows == 0)) outcome = CI_CUT_SHORT;
  }
  for (uint32_t y = 0; outcome == CI_DECODED && y < b->height; y++) {
    if (!read_row(b, y, indices, rgb)) memset(rgb, CI_GREY, (size_t)b->width * 3);
    sink(context, rgb);
  }
  free(b->starts);
  free(indices);
  free(rgb);
  return outcome;
}

ci_outcome ci_read_bmp(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                       ci_report *report) {
  memset(report, 0, sizeof *report);
  bitmap *b = calloc(1, sizeof *b);
  if (!b) return CI_NO_MEMORY;
  b->bytes = bytes;
  b->count = count;
  ci_outcome outcome = read_header(b, options, report);
  if (outcome == CI_DECODED && sink) outcome = read_rows(b, options, sink, context, report);
  free(b);
  return outcome;
}
