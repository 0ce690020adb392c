// jpeglib.h needs size_t and FILE before it.
#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "jpeg_extent.h"
#include "limits.h"

// All that outlives a longjmp, which may lose what locals hold.
typedef struct {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_source_mgr source;
  struct jpeg_progress_mgr progress;
  jmp_buf escape;
  const ci_options *options;
  ci_report *report;
  ci_jpeg_extent extent;
  // The next row to be given, of those that are decoded.
  uint32_t next_row;
  // Stored rows before the place where data was first missing; the height while none is known to be.
  uint32_t whole_rows;
  // The scale, and the size of what is decoded.
  int eighths;
  uint32_t decoded_width, decoded_height;
} decoder;

static decoder *decoder_of(j_common_ptr jpeg) { return jpeg->client_data; }

static _Noreturn void fail(j_common_ptr jpeg) {
  decoder *d = decoder_of(jpeg);
  if (jpeg->err->msg_code == JERR_NO_IMAGE) {
    snprintf(d->report->message, sizeof d->report->message, "the file ends before the picture begins");
  } else if (jpeg->err->msg_code != JMSG_NOMESSAGE) {
    char message[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, message);
    snprintf(d->report->message, sizeof d->report->message, "%s", message);
  }
  longjmp(d->escape, 1);
}

static _Noreturn void fail_saying(j_common_ptr jpeg, const char *message) {
  snprintf(decoder_of(jpeg)->report->message, sizeof decoder_of(jpeg)->report->message, "%s", message);
  jpeg->err->msg_code = JMSG_NOMESSAGE;
  fail(jpeg);
}

// A scan that hits a marker has too little data: to the end of the picture, or of its restart interval.
static void on_hit_marker(j_decompress_ptr jpeg) {
  decoder *d = decoder_of((j_common_ptr)jpeg);
  int goes_on = jpeg->restart_interval != 0 && jpeg->unread_marker != JPEG_EOI;
  uint64_t row = (uint64_t)jpeg->input_iMCU_row * (uint64_t)jpeg->max_v_samp_factor * DCTSIZE;
  if (goes_on)
    CI_NOTE(d->report, "a restart interval near row %u of %u is damaged", (unsigned)row, jpeg->image_height);
  else if (row < d->whole_rows)
    d->whole_rows = (uint32_t)row;
}

// libjpeg only warns, and invents the rest, where pixels are missing or garbled: garbled ones are an error here. Odd
// version numbers and orders of scans leave the picture whole and need no word.
static void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  decoder *d = decoder_of(jpeg);
  char message[JMSG_LENGTH_MAX];
  switch (jpeg->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
      break;
    case JWRN_HIT_MARKER:
      on_hit_marker((j_decompress_ptr)jpeg);
      break;
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_MUST_RESYNC:
      jpeg->err->format_message(jpeg, message);
      CI_NOTE(d->report, "%s", message);
      break;
    default:
      if (!d->options->lenient) fail(jpeg);
      jpeg->err->format_message(jpeg, message);
      CI_NOTE(d->report, "%s", message);
  }
}

static ci_outcome outcome_of_failure(const struct jpeg_error_mgr *err, ci_report *report) {
  switch (err->msg_code) {
    case JERR_BAD_PRECISION:
      snprintf(report->message, sizeof report->message, "%d bits a sample", err->msg_parm.i[0]);
      return CI_UNSUPPORTED;
    case JERR_IMAGE_TOO_BIG:
      return CI_TOO_LARGE;
    case JERR_OUT_OF_MEMORY:
      return CI_NO_MEMORY;
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
  if (((j_decompress_ptr)jpeg)->input_scan_number > 200) fail_saying(jpeg, "more than 200 scans");
}

// The bytes are in memory from the start; behind the picture's end comes an end marker, whatever the file has.
static void init_source(j_decompress_ptr jpeg) { (void)jpeg; }
static void end_source(j_decompress_ptr jpeg) { (void)jpeg; }

static boolean give_end_marker(j_decompress_ptr jpeg) {
  static const JOCTET end[2] = {0xFF, JPEG_EOI};
  jpeg->src->next_input_byte = end;
  jpeg->src->bytes_in_buffer = sizeof end;
  return TRUE;
}

static void skip_input(j_decompress_ptr jpeg, long count) {
  if (count <= 0) return;
  if ((size_t)count > jpeg->src->bytes_in_buffer) {
    give_end_marker(jpeg);
    return;
  }
  jpeg->src->next_input_byte += count;
  jpeg->src->bytes_in_buffer -= (size_t)count;
}

static void set_source(decoder *d, const uint8_t *bytes) {
  d->source = (struct jpeg_source_mgr){
      .next_input_byte = bytes,
      .bytes_in_buffer = d->extent.end,
      .init_source = init_source,
      .fill_input_buffer = give_end_marker,
      .skip_input_data = skip_input,
      .resync_to_restart = jpeg_resync_to_restart,
      .term_source = end_source,
  };
  d->jpeg.src = &d->source;
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

// Several scans: all coefficients are kept until the last is read.
static uint64_t coefficient_memory(j_decompress_ptr jpeg) {
  if (!jpeg_has_multiple_scans(jpeg)) return 0;
  uint64_t blocks = 0;
  for (int c = 0; c < jpeg->num_components; c++) {
    const jpeg_component_info *component = &jpeg->comp_info[c];
    uint64_t across = component->width_in_blocks + (uint64_t)component->h_samp_factor;
    uint64_t down = component->height_in_blocks + (uint64_t)component->v_samp_factor;
    blocks += across * down;
  }
  return blocks * sizeof(JBLOCK);
}

// A file without its end marker may lack whole scans: components, or the last bits of coefficients.
static int lacks_scans(decoder *d) {
  j_decompress_ptr jpeg = &d->jpeg;
  if (!jpeg_has_multiple_scans(jpeg)) return 0;
  if (d->extent.components < jpeg->num_components) return 1;
  if (d->extent.has_end_marker || !jpeg->progressive_mode || !jpeg->coef_bits) return 0;
  for (int c = 0; c < jpeg->num_components; c++)
    for (int k = 0; k < DCTSIZE2; k++)
      if (jpeg->coef_bits[c][k] > 0 || (k == 0 && jpeg->coef_bits[c][k] < 0)) return 1;
  return 0;
}

// So many samples at a scale of eighths, of `whole`.
static uint32_t scaled(uint32_t whole, int eighths) { return (uint32_t)(((uint64_t)whole * (uint32_t)eighths + 7) / 8); }

static void read_rows(decoder *d, ci_row_sink sink, void *context) {
  j_decompress_ptr jpeg = &d->jpeg;
  int inks = jpeg->num_components == 4;
  jpeg->out_color_space = inks ? JCS_CMYK : JCS_RGB;
  jpeg->scale_num = (unsigned)d->eighths;
  jpeg->scale_denom = 8;
  jpeg_start_decompress(jpeg);
  j_common_ptr common = (j_common_ptr)jpeg;
  if (jpeg->output_width != d->decoded_width || jpeg->output_height != d->decoded_height)
    fail_saying(common, "decoded at another scale than was asked for");
  // libjpeg's own pool: freed with the rest, whatever happens.
  JSAMPROW rgb = jpeg->mem->alloc_large(common, JPOOL_IMAGE, (size_t)jpeg->output_width * 3);
  JSAMPROW ink = inks ? jpeg->mem->alloc_large(common, JPOOL_IMAGE, (size_t)jpeg->output_width * 4) : NULL;
  // Several scans have all been read by now.
  if (lacks_scans(d)) {
    if (!d->options->lenient) fail_saying(common, "cut short between its scans");
    CI_NOTE(d->report, "cut short between its scans");
  }
  while (jpeg->output_scanline < jpeg->output_height) {
    if (d->whole_rows < jpeg->image_height && !d->options->lenient) return;
    jpeg_read_scanlines(jpeg, inks ? &ink : &rgb, 1);
    if (inks) rgb_from_inverted_cmyk(ink, rgb, jpeg->output_width);
    sink(context, rgb);
    d->next_row = jpeg->output_scanline;
  }
}

static ci_outcome read_header(decoder *d, const uint8_t *bytes) {
  j_decompress_ptr jpeg = &d->jpeg;
  set_source(d, bytes);
  jpeg_read_header(jpeg, TRUE);
  if (jpeg->data_precision != 8) ERREXIT1(jpeg, JERR_BAD_PRECISION, jpeg->data_precision);
  ci_outcome size = ci_check_size(jpeg->image_width, jpeg->image_height, d->options, d->report);
  d->report->memory = coefficient_memory(jpeg);
  d->whole_rows = d->report->rows = d->report->height;
  d->decoded_width = scaled(d->report->width, d->eighths);
  d->decoded_height = scaled(d->report->height, d->eighths);
  return size;
}

// Rows that were not decoded, after a failure amid the picture.
static void give_grey(decoder *d, ci_row_sink sink, void *context) {
  uint8_t *row = malloc((size_t)d->decoded_width * 3);
  if (!row) return;
  memset(row, CI_GREY, (size_t)d->decoded_width * 3);
  for (; d->next_row < d->decoded_height; d->next_row++) sink(context, row);
  free(row);
}

static ci_outcome judge(decoder *d, size_t count, ci_row_sink sink, void *context) {
  ci_report *report = d->report;
  report->rows = d->whole_rows;
  if (report->rows < report->height) {
    if (!d->options->lenient || report->rows == 0) return CI_CUT_SHORT;
    give_grey(d, sink, context);
    return d->next_row == d->decoded_height ? CI_DECODED : CI_NO_MEMORY;
  }
  const ci_jpeg_extent *extent = &d->extent;
  if (extent->stray_marker == 0xD8)
    CI_NOTE(report, "the end marker is missing, and another picture follows");
  else if (extent->stray_marker)
    CI_NOTE(report, "unknown marker 0x%02x after the picture", extent->stray_marker);
  else if (!extent->has_end_marker)
    CI_NOTE(report, "the end marker is missing");
  else if (extent->end < count)
    CI_NOTE(report, "%zu bytes after the picture's end are left out", count - extent->end);
  return CI_DECODED;
}

ci_outcome ci_read_jpeg(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                        ci_report *report) {
  memset(report, 0, sizeof *report);
  // Destroying a structure that was never created must be harmless.
  decoder *d = calloc(1, sizeof *d);
  if (!d) return CI_NO_MEMORY;
  d->options = options;
  d->eighths = options->eighths >= 1 && options->eighths <= 8 ? options->eighths : 8;
  d->report = report;
  d->extent = ci_find_jpeg_extent(bytes, count);
  d->jpeg.err = jpeg_std_error(&d->errors);
  d->errors.error_exit = fail;
  d->errors.emit_message = on_message;
  d->jpeg.client_data = d;
  d->progress.progress_monitor = limit_scans;
  ci_outcome outcome;
  if (!setjmp(d->escape)) {
    jpeg_create_decompress(&d->jpeg);
    d->jpeg.progress = &d->progress;
    outcome = read_header(d, bytes);
    if (outcome == CI_DECODED && sink) {
      read_rows(d, sink, context);
      outcome = judge(d, count, sink, context);
    }
  } else {
    outcome = outcome_of_failure(&d->errors, report);
    if (outcome == CI_CORRUPT && options->lenient && d->next_row > 0) {
      uint32_t stored = (uint32_t)((uint64_t)d->next_row * 8 / (uint32_t)d->eighths);
      if (stored < d->whole_rows) d->whole_rows = stored;
      outcome = judge(d, count, sink, context);
    }
  }
  jpeg_destroy_decompress(&d->jpeg);
  free(d);
  return outcome;
}
