#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "CImageCodecs.h"

// What is written, on the heap: longjmp may lose what locals hold.
typedef struct {
  uint8_t *bytes;
  size_t count, capacity;
} output;

static void append(png_structp png, png_bytep bytes, size_t count) {
  output *out = png_get_io_ptr(png);
  if (count > out->capacity - out->count) {
    size_t capacity = 2 * (out->count + count);
    uint8_t *grown = realloc(out->bytes, capacity);
    if (!grown) png_error(png, "no memory");
    out->bytes = grown;
    out->capacity = capacity;
  }
  memcpy(out->bytes + out->count, bytes, count);
  out->count += count;
}

static void flush(png_structp png) { (void)png; }
static void fail(png_structp png, png_const_charp message) {
  (void)message;
  png_longjmp(png, 1);
}
static void ignore(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

uint8_t *ci_write_png(const uint8_t *pixels, uint32_t width, uint32_t height, size_t *count) {
  *count = 0;
  output *out = calloc(1, sizeof *out);
  png_structp png = out ? png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, fail, ignore) : NULL;
  png_infop info = png ? png_create_info_struct(png) : NULL;
  uint8_t *volatile bytes = NULL;
  if (info && !setjmp(png_jmpbuf(png))) {
    png_set_write_fn(png, out, append, flush);
    png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (uint32_t row = 0; row < height; row++) png_write_row(png, pixels + (size_t)row * width * 3);
    png_write_end(png, NULL);
    bytes = out->bytes;
    *count = out->count;
  }
  if (png) png_destroy_write_struct(&png, &info);
  if (out && !bytes) free(out->bytes);
  free(out);
  return bytes;
}
