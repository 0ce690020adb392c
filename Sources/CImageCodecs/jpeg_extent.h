#include <stddef.h>
#include <stdint.h>

/// Where the picture of a JPEG file ends.
typedef struct {
  /// Bytes that belong to it; whatever follows is none of the decoder's business.
  size_t end;
  /// Whether its last bytes are the end marker.
  int has_end_marker;
  /// The marker that can't follow a scan, where the picture was ended at one; else 0.
  int stray_marker;
  /// Components whose data the scans hold.
  int components;
} ci_jpeg_extent;

/// Walks the segments. Only what follows the first scan is judged: the decoder says what is wrong before.
ci_jpeg_extent ci_find_jpeg_extent(const uint8_t *bytes, size_t count);
