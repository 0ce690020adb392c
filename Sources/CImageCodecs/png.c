#include <png.h>
#include <string.h>

#include "limits.h"

typedef struct {
  const uint8_t *next;
  size_t left;
} source;

static void on_error(png_structp png, png_const_charp message) {
  ci_report *report = png_get_error_ptr(png);
  snprintf(report->message, sizeof report->message, "%s", message);
  png_longjmp(png, 1);
}

// Warnings concern side information (colour profiles, text, times); damaged pixels are errors.
static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void read_bytes(png_structp png, png_bytep out, size_t count) {
  source *from = png_get_io_ptr(png);
  if (count > from->left) png_error(png, "the file ends early");
  memcpy(out, from->next, count);
  from->next += count;
  from->left -= count;
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

static ci_outcome read_image(
    png_structp png, png_infop info, size_t count, uint8_t *pixels, size_t capacity, ci_report *report) {
  png_read_info(png, info);
  uint32_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
  ci_outcome size = ci_check_size(width, height, report);
  if (size != CI_DECODED) return size;
  // Deflate expands at most 1032 times: a short file can't fill a huge image.
  if ((uint64_t)png_get_rowbytes(png, info) * height / 1032 > count)
    png_error(png, "too little data for its size");
  if (!pixels) return CI_DECODED;

  ask_for_rgb(png, info);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  size_t stride = (size_t)width * 3;
  if (png_get_rowbytes(png, info) != stride || capacity != stride * height) png_error(png, "unexpected row size");
  for (int pass = 0; pass < passes; pass++)
    for (uint32_t y = 0; y < height; y++) png_read_row(png, pixels + y * stride, NULL);
  png_read_end(png, NULL);
  return CI_DECODED;
}

ci_outcome ci_read_png(const uint8_t *bytes, size_t count, uint8_t *pixels, size_t capacity, ci_report *report) {
  memset(report, 0, sizeof *report);
  source from = {bytes, count};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, report, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  ci_outcome outcome = CI_CORRUPT;
  if (!info) {
    snprintf(report->message, sizeof report->message, "out of memory");
  } else if (!setjmp(png_jmpbuf(png))) {
    png_set_read_fn(png, &from, read_bytes);
    // Our own check says the size that was found.
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    outcome = read_image(png, info, count, pixels, capacity, report);
  } else {
    outcome = CI_CORRUPT;
  }
  png_destroy_read_struct(&png, &info, NULL);
  return outcome;
}
