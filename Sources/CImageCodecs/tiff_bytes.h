#ifndef TIFF_BYTES_H
#define TIFF_BYTES_H
#include <tiffio.h>

#include "CImageCodecs.h"

// The most that libtiff may take at once beside what decoding is known to take: tables of strips, and the like.
#define TIFF_TABLES ((uint64_t)32 << 20)

// A file in memory, for libtiff, and where in it the next byte is read.
typedef struct {
  const uint8_t *bytes;
  size_t count;
  uint64_t next;
} tiff_bytes;

// Opens it; NULL if it is none, whose reason is then in the report. libtiff may take `memory` at once, and some for tables.
TIFF *tiff_open(tiff_bytes *from, ci_report *report, uint64_t memory);
#endif
