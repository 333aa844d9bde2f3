// The convolution of channels-last frames in float32, for processors on which libtorch's is slow: without AVX512 oneDNN's convolution of
// channels-last frames takes a half to two thirds of the rate of a matrix product. Sums are in the order of taps and channels for every
// pixel, wherever it lies.
#include "convolution.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "float_sums.h"
#include "frames.h"
#include "lanes.h"
#include "sora_torch.h"

namespace sora {

constexpr int64_t kChunk = 96;    // pixels whose inputs stay in the second cache while all panels pass
constexpr int64_t kDepth = 1024;  // taps times channels, at most, of a panel that stays there while the pixels pass

ConvolutionSizes::ConvolutionSizes(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, int64_t stride)
    : b(x.size(0)), t(x.size(1)), h(x.size(2)), w(x.size(3)), c(x.size(4)), n(weight.size(0)), kt(weight.size(1)), side(weight.size(2)), stride(stride) {
    TORCH_CHECK(t >= kt && weight.size(3) == side && side % 2 == 1 && weight.size(4) == c && bias.numel() == n, "a kernel ", weight.sizes(), " does not fit ", x.sizes());
}

// What a kernel reads, cut so that no stretch is deeper than kDepth.
static std::vector<Stretch> stretches_of(const ConvolutionSizes& s) {
    std::vector<Stretch> stretches(1);
    for (int64_t tap = 0; tap < s.kt * s.side * s.side; tap++) {
        int64_t offset = (tap / (s.side * s.side) * s.frame() + tap / s.side % s.side * s.line() + tap % s.side) * s.c;
        for (int64_t done = 0; done < s.c;) {
            if (stretches.back().depth > 0 && stretches.back().depth + s.c - done > kDepth)
                stretches.push_back({{}, stretches.back().begin + stretches.back().depth, 0});
            Stretch& last = stretches.back();
            int64_t count = std::min(s.c - done, kDepth);
            last.segments.push_back({offset + done, count});
            last.depth += count;
            done += count;
        }
    }
    return stretches;
}

// weight [depth, n] in panels [depth, kColumns], zeros beyond the last column.
static at::Tensor packed(const at::Tensor& weight, int64_t depth, int64_t n) {
    at::Tensor result = at::empty({panels_of(n), depth, kColumns}, weight.options());
    const float* from = weight.data_ptr<float>();
    float* to = result.data_ptr<float>();
    at::parallel_for(0, panels_of(n) * depth, 1024, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            int64_t column = i / depth * kColumns, count = std::min(kColumns, n - column);
            std::copy_n(from + i % depth * n + column, count, to + i * kColumns);
            std::fill_n(to + i * kColumns + count, kColumns - count, 0.0f);
        }
    });
    return result;
}

template <typename T>
static at::Tensor convolve(const ConvolutionSizes& s, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    int64_t pixels = s.h * s.w, panels = panels_of(s.n), chunks = (pixels + kChunk - 1) / kChunk, columns = panels * kColumns, depth = s.kt * s.side * s.side * s.c;
    at::Tensor padded = with_border<float, T>(x, s.edge(), 0), panel_weights = packed(weight, depth, s.n), result = at::empty({s.b, s.count(), s.h, s.w, s.n}, x.options());
    std::vector<Stretch> stretches = stretches_of(s);
    const float *frames = padded.data_ptr<float>(), *weights = panel_weights.data_ptr<float>(), *biases = bias.data_ptr<float>();

    // Small frames have too few chunks for all threads: then each has a part of the panels.
    int64_t parts = std::clamp<int64_t>(4 * at::get_num_threads() / (s.b * s.count() * chunks), 1, panels);
    at::parallel_for(0, s.b * s.count() * chunks * parts, 1, [&](int64_t begin, int64_t end) {
        std::unique_ptr<float[]> sums(new float[static_cast<size_t>(kChunk * columns)]);
        const float* rows[kChunk];
        for (int64_t task = begin; task < end; task++) {
            int64_t image = task / parts / chunks, first = task / parts % chunks * kChunk, size = std::min(kChunk, pixels - first);
            int64_t panel = panels * (task % parts) / parts, last = panels * (task % parts + 1) / parts;
            const float* from = frames + (image / s.count() * s.t + image % s.count() * s.stride) * s.frame() * s.c;
            for (int64_t i = 0; i < size; i++) rows[i] = from + ((first + i) / s.w * s.line() + (first + i) % s.w) * s.c;
            for (const Stretch& stretch : stretches)
                for (int64_t p = panel; p < last; p++) sum_panel(rows, size, stretch, weights + p * depth * kColumns, sums.get() + p * kColumns, columns);
            int64_t left = panel * kColumns, right = std::min(s.n, last * kColumns);
            T* out = result.data_ptr<T>() + (image * pixels + first) * s.n;
            for (int64_t i = 0; i < size; i++)
                each_part(right - left, [&](int64_t j, auto part) {
                    store(out + i * s.n + left + j, load(sums.get() + i * columns + left + j, part) + load(biases + left + j, part), part);
                });
        }
    });
    return result;
}

static at::Tensor convolve_in_float(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, int64_t stride) {
    ConvolutionSizes sizes(x, weight, bias, stride);
    at::Tensor frames = x.contiguous(), kernel = weight.permute({1, 2, 3, 4, 0}).to(at::kFloat).contiguous(), added = bias.to(at::kFloat).contiguous();
    bool half = x.scalar_type() == at::kBFloat16;
    if (has_fewer(sizes)) return half ? convolve_by_fewer<c10::BFloat16>(sizes, frames, kernel, added) : convolve_by_fewer<float>(sizes, frames, kernel, added);
    return half ? convolve<c10::BFloat16>(sizes, frames, kernel, added) : convolve<float>(sizes, frames, kernel, added);
}

}  // namespace sora

using namespace sora;

// The convolution of x [B, T, H, W, C], float32 or bfloat16, by weight [N, kt, k, k, C], k odd, with zeros around each frame and none in
// time: [B, (T - kt) / stride + 1, H, W, N], of x' type. No gradients. Tiles read a weight that is contiguous, the others one whose N
// is innermost; what lies otherwise is copied.
SORA_API int64_t sora_convolve(int64_t x, int64_t weight, int64_t bias, int64_t stride) {
    return guarded([&] {
        at::Tensor result = convolve_on_tiles(borrow(x), borrow(weight), borrow(bias), stride);
        return give(result.defined() ? result : convolve_in_float(borrow(x), borrow(weight), borrow(bias), stride));
    }, int64_t{0});
}
