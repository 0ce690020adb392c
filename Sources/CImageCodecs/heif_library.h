#ifndef HEIF_LIBRARY_H
#define HEIF_LIBRARY_H
#include <libheif/heif.h>

#define HEIF_FUNCTIONS(F)                        \
  F(heif_context_alloc)                          \
  F(heif_context_free)                           \
  F(heif_context_set_max_decoding_threads)       \
  F(heif_context_read_from_memory_without_copy)  \
  F(heif_context_get_primary_image_handle)       \
  F(heif_image_handle_get_width)                 \
  F(heif_image_handle_get_height)                \
  F(heif_image_handle_get_luma_bits_per_pixel)   \
  F(heif_image_handle_has_alpha_channel)         \
  F(heif_image_handle_is_premultiplied_alpha)    \
  F(heif_image_handle_release)                   \
  F(heif_decoding_options_alloc)                 \
  F(heif_decoding_options_free)                  \
  F(heif_decode_image)                           \
  F(heif_image_get_plane_readonly)               \
  F(heif_image_get_primary_width)                \
  F(heif_image_get_primary_height)               \
  F(heif_image_release)

// The functions of libheif that are called.
typedef struct {
#define HEIF_FUNCTION(name) __typeof__(&name) name;
  HEIF_FUNCTIONS(HEIF_FUNCTION)
#undef HEIF_FUNCTION
} heif_library;

// Loads libheif when it is first called: it and its decoders take 3 ms, more than most commands have for it. NULL where it
// is not installed.
const heif_library *ci_heif_library(void);

#endif
