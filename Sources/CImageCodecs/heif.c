#ifdef CAPTIONER_HEIF
#include <stdlib.h>

#include "heif_library.h"
#include "limits.h"
#include "transparency.h"

typedef struct {
  const heif_library *library;
  struct heif_context *context;
  struct heif_image_handle *handle;
  struct heif_image *image;
} decoder;

static ci_outcome fail(struct heif_error error, ci_report *report) {
  const char *text = error.message ? error.message : "damaged data";
  CI_NOTE(report, "%s", text);
  switch (error.code) {
    case heif_error_Unsupported_filetype:
    case heif_error_Unsupported_feature:
      return CI_UNSUPPORTED;
    case heif_error_Memory_allocation_error:
      return error.subcode == heif_suberror_Security_limit_exceeded ? CI_CORRUPT : CI_NO_MEMORY;
    default:
      return CI_CORRUPT;
  }
}

// Bytes that are held at once: the coded planes, twice, those of other forms on the way to RGB, and RGB.
static uint64_t working_memory(uint32_t width, uint32_t height, int bits) {
  return (uint64_t)width * height * (bits > 8 ? 20 : 12);
}

static ci_outcome read_header(decoder *d, const uint8_t *bytes, size_t count, const ci_options *options,
                              ci_report *report) {
  d->context = d->library->heif_context_alloc();
  if (!d->context) return CI_NO_MEMORY;
  // In this thread: those of all photos are enough.
  d->library->heif_context_set_max_decoding_threads(d->context, 0);
  struct heif_error error = d->library->heif_context_read_from_memory_without_copy(d->context, bytes, count, NULL);
  if (error.code == heif_error_Ok) error = d->library->heif_context_get_primary_image_handle(d->context, &d->handle);
  if (error.code != heif_error_Ok) return fail(error, report);
  int width = d->library->heif_image_handle_get_width(d->handle);
  int height = d->library->heif_image_handle_get_height(d->handle);
  if (width <= 0 || height <= 0) {
    CI_NOTE(report, "a picture without pixels");
    return CI_CORRUPT;
  }
  report->rows = (uint32_t)height;
  int bits = d->library->heif_image_handle_get_luma_bits_per_pixel(d->handle);
  report->memory = working_memory((uint32_t)width, (uint32_t)height, bits);
  return ci_check_size((uint32_t)width, (uint32_t)height, options, report);
}

static struct heif_error decode(decoder *d, int has_alpha) {
  struct heif_decoding_options *how = d->library->heif_decoding_options_alloc();
  if (!how) return (struct heif_error){.code = heif_error_Memory_allocation_error, .message = "out of memory"};
  how->convert_hdr_to_8bit = 1;
  how->strict_decoding = 1;
  struct heif_error error =
      d->library->heif_decode_image(d->handle, &d->image, heif_colorspace_RGB,
                        has_alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, how);
  d->library->heif_decoding_options_free(how);
  return error;
}

static ci_outcome read_rows(decoder *d, ci_row_sink sink, void *context, ci_report *report) {
  int has_alpha = d->library->heif_image_handle_has_alpha_channel(d->handle);
  int multiplied = d->library->heif_image_handle_is_premultiplied_alpha(d->handle);
  struct heif_error error = decode(d, has_alpha);
  if (error.code != heif_error_Ok) return fail(error, report);
  int stride = 0;
  const uint8_t *pixels = d->library->heif_image_get_plane_readonly(d->image, heif_channel_interleaved, &stride);
  uint32_t width = report->width, height = report->height;
  if (!pixels || d->library->heif_image_get_primary_width(d->image) != (int)width ||
      d->library->heif_image_get_primary_height(d->image) != (int)height) {
    CI_NOTE(report, "a picture of another size than its header says");
    return CI_CORRUPT;
  }
  uint8_t *row = has_alpha ? malloc((size_t)width * 3) : NULL;
  if (has_alpha && !row) return CI_NO_MEMORY;
  for (uint32_t y = 0; y < height; y++) {
    const uint8_t *in = pixels + (size_t)y * (size_t)stride;
    if (has_alpha)
      for (uint32_t x = 0; x < width; x++)
        for (int c = 0; c < 3; c++) {
          uint8_t value = in[x * 4 + (uint32_t)c], alpha = in[x * 4 + 3];
          row[x * 3 + (uint32_t)c] = multiplied ? ci_multiplied_over_white(value, alpha) : ci_over_white(value, alpha);
        }
    sink(context, has_alpha ? row : in);
  }
  free(row);
  return CI_DECODED;
}

ci_outcome ci_read_heif(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                        ci_report *report) {
  memset(report, 0, sizeof *report);
  decoder d = {.library = ci_heif_library()};
  if (!d.library) {
    CI_NOTE(report, "libheif is not installed (on Debian the package libheif1)");
    return CI_UNSUPPORTED;
  }
  ci_outcome outcome = read_header(&d, bytes, count, options, report);
  if (outcome == CI_DECODED && sink) outcome = read_rows(&d, sink, context, report);
  if (d.image) d.library->heif_image_release(d.image);
  if (d.handle) d.library->heif_image_handle_release(d.handle);
  if (d.context) d.library->heif_context_free(d.context);
  return outcome;
}
#endif
