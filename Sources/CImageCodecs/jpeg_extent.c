#include "jpeg_extent.h"

#include <string.h>

enum { DHT = 0xC4, RST0 = 0xD0, SOI = 0xD8, EOI = 0xD9, SOS = 0xDA, DQT = 0xDB, DNL = 0xDC, DRI = 0xDD };

static int stands_alone(int marker) { return marker == 1 || (marker >= RST0 && marker <= SOI); }

// What may stand between scans: tables, application data, comments, another scan.
static int may_follow_scan(int marker) {
  return marker == DHT || (marker >= SOS && marker <= DRI) || (marker >= 0xE0 && marker <= 0xEF) || marker == 0xFE;
}

// The next marker's FF at or after `at`, stuffed zeros and restarts passed over; `count` if there is none.
static size_t end_of_scan(const uint8_t *bytes, size_t count, size_t at) {
  while (at + 1 < count) {
    const uint8_t *found = memchr(bytes + at, 0xFF, count - 1 - at);
    if (!found) break;
    at = (size_t)(found - bytes);
    int next = bytes[at + 1];
    if (next == 0xFF)
      at++;
    else if (next == 0 || (next >= RST0 && next < SOI))
      at += 2;
    else
      return at;
  }
  return count;
}

ci_jpeg_extent ci_find_jpeg_extent(const uint8_t *bytes, size_t count) {
  ci_jpeg_extent extent = {.end = count};
  uint8_t seen[256] = {0};
  int scans = 0;
  size_t at = 2;
  while (at + 1 < count) {
    if (bytes[at] != 0xFF || bytes[at + 1] == 0xFF) {  // the decoder passes over these too
      at++;
      continue;
    }
    int marker = bytes[at + 1];
    if (marker == EOI) {
      extent.end = at + 2;
      extent.has_end_marker = 1;
      return extent;
    }
    if (scans && !may_follow_scan(marker)) {
      extent.end = at;
      extent.stray_marker = marker;
      return extent;
    }
    if (marker == 0 || stands_alone(marker)) {
      at += 2;
      continue;
    }
    if (count - at < 4) break;
    size_t length = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
    size_t next = at + 2 + length;
    if (length < 2 || next > count) {
      // Behind a scan it is no segment that the picture needs, unless the picture is cut here.
      if (scans) extent.end = at;
      return extent;
    }
    if (marker == SOS && length >= 6) {
      scans++;
      int in_scan = bytes[at + 4];
      for (int c = 0; c < in_scan && (size_t)(5 + 2 * c) < length; c++) {
        uint8_t *component = &seen[bytes[at + 5 + 2 * c]];
        extent.components += !*component;
        *component = 1;
      }
      next = end_of_scan(bytes, count, next);
    }
    at = next;
  }
  return extent;
}
