// jpeglib.h needs size_t and FILE before it.
#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>
#include <string.h>

#include "limits.h"

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf escape;
  ci_report *report;
} error_manager;

static _Noreturn void fail(j_common_ptr jpeg) {
  error_manager *errors = (error_manager *)jpeg->err;
  char message[JMSG_LENGTH_MAX];
  errors->base.format_message(jpeg, message);
  snprintf(errors->report->message, sizeof errors->report->message, "%s", message);
  longjmp(errors->escape, 1);
}

// libjpeg only warns, and invents the rest, where pixels are missing or garbled: that is an error here. The
// warnings listed leave the picture whole (stray bytes between segments, odd version numbers).
static void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
      break;
    default:
      fail(jpeg);
  }
}

static ci_outcome outcome_of_failure(const struct jpeg_error_mgr *err, ci_report *report) {
  switch (err->msg_code) {
    case JERR_BAD_PRECISION:
      snprintf(report->message, sizeof report->message, "%d bits a sample", err->msg_parm.i[0]);
      return CI_UNSUPPORTED;
    case JERR_IMAGE_TOO_BIG:
      return CI_TOO_LARGE;
    case JERR_ARITH_NOTIMPL:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_COMPONENT_COUNT:
      return CI_UNSUPPORTED;
    default:
      return CI_CORRUPT;
  }
}

// A small file can ask for thousands of passes over a huge image; real ones have about ten.
static void limit_scans(j_common_ptr jpeg) {
  if (((j_decompress_ptr)jpeg)->input_scan_number <= 200) return;
  error_manager *errors = (error_manager *)jpeg->err;
  snprintf(errors->report->message, sizeof errors->report->message, "more than 200 scans");
  errors->base.msg_code = JMSG_NOMESSAGE;
  longjmp(errors->escape, 1);
}

// Adobe stores 255 - ink, and so does everyone who followed; `ink` is what is left of white.
static void rgb_from_inverted_cmyk(const uint8_t *ink, uint8_t *rgb, uint32_t width) {
  for (uint32_t x = 0; x < width; x++, ink += 4, rgb += 3)
    for (int c = 0; c < 3; c++) {
      // (255 - ink) * black / 255, rounded.
      unsigned product = (255u - ink[c]) * ink[3] + 128;
      rgb[c] = (uint8_t)(ink[3] - (((product >> 8) + product) >> 8));
    }
}

static ci_outcome read_image(
    j_decompress_ptr jpeg, const uint8_t *bytes, size_t count, uint8_t *pixels, size_t capacity, ci_report *report) {
  jpeg_mem_src(jpeg, bytes, count);
  jpeg_read_header(jpeg, TRUE);
  if (jpeg->data_precision != 8) ERREXIT1(jpeg, JERR_BAD_PRECISION, jpeg->data_precision);
  ci_outcome size = ci_check_size(jpeg->image_width, jpeg->image_height, report);
  if (size != CI_DECODED || !pixels) return size;

  int inks = jpeg->num_components == 4;
  jpeg->out_color_space = inks ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(jpeg);
  size_t stride = (size_t)jpeg->output_width * 3;
  if (capacity != stride * jpeg->output_height) ERREXIT(jpeg, JERR_BUFFER_SIZE);
  // libjpeg's own pool: freed with the rest, whatever happens.
  JSAMPROW ink = inks ? jpeg->mem->alloc_large((j_common_ptr)jpeg, JPOOL_IMAGE, (size_t)jpeg->output_width * 4) : NULL;
  while (jpeg->output_scanline < jpeg->output_height) {
    JSAMPROW rgb = pixels + jpeg->output_scanline * stride;
    jpeg_read_scanlines(jpeg, inks ? &ink : &rgb, 1);
    if (inks) rgb_from_inverted_cmyk(ink, rgb, jpeg->output_width);
  }
  jpeg_finish_decompress(jpeg);
  return CI_DECODED;
}

ci_outcome ci_read_jpeg(const uint8_t *bytes, size_t count, uint8_t *pixels, size_t capacity, ci_report *report) {
  memset(report, 0, sizeof *report);
  struct jpeg_decompress_struct jpeg;
  struct jpeg_progress_mgr progress = {.progress_monitor = limit_scans};
  error_manager errors = {.report = report};
  // Destroying a structure that was never created must be harmless.
  memset(&jpeg, 0, sizeof jpeg);
  jpeg.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = fail;
  errors.base.emit_message = on_message;
  ci_outcome outcome;
  if (setjmp(errors.escape)) {
    outcome = outcome_of_failure(&errors.base, report);
  } else {
    jpeg_create_decompress(&jpeg);
    jpeg.progress = &progress;
    outcome = read_image(&jpeg, bytes, count, pixels, capacity, report);
  }
  jpeg_destroy_decompress(&jpeg);
  return outcome;
}
