// Winograd F(m x m,3x3): Y = A'[(G g G') * (B' d B)]A, Lavin & Gray, "Fast Algorithms for Convolutional Neural
// Networks" (2016), over NHWC: each lane is a channel. m = 4 takes a quarter of the definition's multiplications, m = 2
// 4/9 of them with 16 C K instead of 36 C K transformed weights. Here the transforms of one row or column;
// winograd_tiles.h has the rest.

CK_INLINE void CK(winograd_b_2)(const vf *d, vf *o) {
  o[0] = d[0] - d[2];
  o[1] = d[1] + d[2];
  o[2] = d[2] - d[1];
  o[3] = d[1] - d[3];
}

CK_INLINE void CK(winograd_g_2)(const vf *g, vf *o) {
  vf s = 0.5f * (g[0] + g[2]), d = 0.5f * g[1];
  o[0] = g[0];
  o[1] = s + d;
  o[2] = s - d;
  o[3] = g[2];
}

CK_INLINE void CK(winograd_a_2)(const vf *m, vf *o) {
  o[0] = m[0] + m[1] + m[2];
  o[1] = m[1] - m[2] - m[3];
}

CK_INLINE void CK(winograd_b_4)(const vf *d, vf *o) {
  vf s1 = d[4] - 4.0f * d[2], s2 = d[3] - 4.0f * d[1], s3 = d[4] - d[2], s4 = 2.0f * (d[3] - d[1]);
  o[0] = 4.0f * d[0] - 5.0f * d[2] + d[4];
  o[1] = s1 + s2;
  o[2] = s1 - s2;
  o[3] = s3 + s4;
  o[4] = s3 - s4;
  o[5] = 4.0f * d[1] - 5.0f * d[3] + d[5];
}

CK_INLINE void CK(winograd_g_4)(const vf *g, vf *o) {
  vf s = (g[0] + g[2]) * (-1.0f / 6), d = g[1] * (1.0f / 6);
  vf t = g[0] * (1.0f / 24) + g[2] * (1.0f / 6), e = g[1] * (1.0f / 12);
  o[0] = 0.25f * g[0];
  o[1] = s - d;
  o[2] = s + d;
  o[3] = t + e;
  o[4] = t - e;
  o[5] = g[2];
}

CK_INLINE void CK(winograd_a_4)(const vf *m, vf *o) {
  vf a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  o[0] = m[0] + a + c;
  o[1] = b + 2.0f * d;
  o[2] = a + 4.0f * c;
  o[3] = b + 8.0f * d + m[5];
}

// Channels a padded pixel may have; longer rows read their zeros in pieces.
#define CK_ZEROS 4096
static const float CK(zeros)[CK_ZEROS + 16];

// VL channels of `lanes` output channels: 9 VL numbers in a row of each, turned so that each lane is an output channel.
CK_INLINE void CK(weight_lanes)(const float *weights, size_t stride, int channels, int lanes, vf *g) {
  if (lanes == VL && channels == VL) {
    for (int i = 0; i < 9 * VL; i += VL) {
      for (int l = 0; l < VL; l++) g[i + l] = vload(weights + (size_t)l * stride + i);
      CK(transpose)(g + i);
    }
    return;
  }
  for (int i = 0; i < 9 * channels; i++) {
    g[i] = vsplat(0);
    for (int l = 0; l < lanes; l++) g[i][l] = weights[(size_t)l * stride + i];
  }
}

#define CK_TILED(name) CK(CK_JOIN(name, CK_TILE))
#define CK_TILE 2
#include "winograd_tiles.h"
#undef CK_TILE
#define CK_TILE 4
#include "winograd_tiles.h"
#undef CK_TILE
