// jpeglib.h needs size_t and FILE before it.
#include <stdio.h>

#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "CImageCodecs.h"

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf escape;
} error_manager;

static _Noreturn void fail(j_common_ptr jpeg) { longjmp(((error_manager *)jpeg->err)->escape, 1); }

// What libjpeg fills; on the heap, since longjmp may lose what locals hold.
typedef struct {
  unsigned char *bytes;
  unsigned long count;
} output;

static void write_image(j_compress_ptr jpeg, const uint8_t *pixels, uint32_t width, uint32_t height, int quality,
                        output *out) {
  jpeg_mem_dest(jpeg, &out->bytes, &out->count);
  jpeg->image_width = width;
  jpeg->image_height = height;
  jpeg->input_components = 3;
  jpeg->in_color_space = JCS_RGB;
  jpeg_set_defaults(jpeg);
  jpeg_set_quality(jpeg, quality, TRUE);
  jpeg->optimize_coding = TRUE;
  jpeg_start_compress(jpeg, TRUE);
  size_t stride = (size_t)width * 3;
  while (jpeg->next_scanline < jpeg->image_height) {
    JSAMPROW row = (JSAMPROW)(pixels + jpeg->next_scanline * stride);
    jpeg_write_scanlines(jpeg, &row, 1);
  }
  jpeg_finish_compress(jpeg);
}

uint8_t *ci_write_jpeg(const uint8_t *pixels, uint32_t width, uint32_t height, int quality, size_t *count) {
  struct jpeg_compress_struct jpeg;
  error_manager errors;
  output *out = calloc(1, sizeof *out);
  if (!out) return NULL;
  // Destroying a structure that was never created must be harmless.
  memset(&jpeg, 0, sizeof jpeg);
  jpeg.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = fail;
  uint8_t *volatile bytes = NULL;
  *count = 0;
  // After a failure out->bytes may have been freed by libjpeg already: it is left alone.
  if (!setjmp(errors.escape)) {
    jpeg_create_compress(&jpeg);
    write_image(&jpeg, pixels, width, height, quality, out);
    bytes = out->bytes;
    *count = out->count;
  }
  jpeg_destroy_compress(&jpeg);
  free(out);
  return bytes;
}
