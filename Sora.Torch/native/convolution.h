// The convolution of channels-last frames, where the engine has its own.
#pragma once

#include <ATen/core/Tensor.h>

namespace sora {

// The convolution of frames [B, T, H, W, C] by [N, kt, k, k, C], k odd, with zeros around each frame and none in time:
// [B, (T - kt) / stride + 1, H, W, N].
struct ConvolutionSizes {
    int64_t b, t, h, w, c, n, kt, side, stride;

    // Throws where the kernel does not fit the frames.
    ConvolutionSizes(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, int64_t stride);

    int64_t count() const { return (t - kt) / stride + 1; }  // of frames
    int64_t edge() const { return side / 2; }
    int64_t line() const { return w + 2 * edge(); }          // of a frame with its border, in pixels
    int64_t frame() const { return (h + 2 * edge()) * line(); }
};

// Where there are tiles and the frames are bfloat16; else undefined.
at::Tensor convolve_on_tiles(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, int64_t stride);

// By fewer multiplications, of 3 x 3 pixels. Frames of T (float32, bfloat16) and weight [kt, 3, 3, C, N], bias [N] in float32, all contiguous.
bool has_fewer(const ConvolutionSizes& sizes);
template <typename T>
at::Tensor convolve_by_fewer(const ConvolutionSizes& sizes, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace sora
