// Convolutions by 3 x 3 pixels with 16 multiplications for four pixels in place of 36: Winograd's F(2 x 2, 3 x 3) (Lavin, Gray 2015,
// arXiv 1509.09308), in float32. Frames are read in tiles of 4 x 4 pixels, two apart. At each of the 16 positions of a tile's
// transform there is one matrix product over time and channels, and what comes of them is transformed back into 2 x 2 pixels.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <type_traits>

#include "convolution.h"
#include "float_sums.h"
#include "frames.h"
#include "lanes.h"

namespace sora {

constexpr int64_t kSpan = 4, kPositions = kSpan * kSpan;
constexpr int64_t kTiles = 36;   // of a block, whose transforms share a panel of weights
constexpr int64_t kPanels = 6;   // whose sums are kept until they are transformed back

inline __attribute__((always_inline)) Register take(const float* p, int64_t count = kRegister) {
    Register value{};
    std::memcpy(&value, p, static_cast<size_t>(count) * sizeof(float));
    return value;
}

inline __attribute__((always_inline)) void put(float* p, Register value, int64_t count = kRegister) { std::memcpy(p, &value, static_cast<size_t>(count) * sizeof(float)); }

inline __attribute__((always_inline)) void put(c10::BFloat16* p, Register value, int64_t count = kRegister) {
    float values[kRegister];
    std::memcpy(values, &value, sizeof values);
    for (int64_t i = 0; i < count; i++) p[i] = values[i];
}

// Calls f(position, count): registers of an axis, and what is left of it.
template <typename F>
inline __attribute__((always_inline)) void each_register(int64_t length, F f) {
    int64_t j = 0;
    for (; j + kRegister <= length; j += kRegister) f(j, std::integral_constant<int64_t, kRegister>());
    if (j < length) f(j, length - j);
}

// The 4 x 4 pixels at `from`, lines `line` numbers apart, to one number a channel at each position, `apart` numbers from each other.
static void transform_pixels(const float* from, int64_t line, int64_t c, float* to, int64_t apart) {
    each_register(c, [&](int64_t j, auto count) {
        Register t[kSpan][kSpan];
#pragma GCC unroll 4
        for (int64_t x = 0; x < kSpan; x++) {
            Register d0 = take(from + x * c + j, count), d1 = take(from + line + x * c + j, count), d2 = take(from + 2 * line + x * c + j, count), d3 = take(from + 3 * line + x * c + j, count);
            t[0][x] = d0 - d2;
            t[1][x] = d1 + d2;
            t[2][x] = d2 - d1;
            t[3][x] = d1 - d3;
        }
#pragma GCC unroll 4
        for (int64_t y = 0; y < kSpan; y++) {
            float* out = to + y * kSpan * apart + j;
            put(out, t[y][0] - t[y][2], count);
            put(out + apart, t[y][1] + t[y][2], count);
            put(out + 2 * apart, t[y][2] - t[y][1], count);
            put(out + 3 * apart, t[y][1] - t[y][3], count);
        }
    });
}

// A register of columns of the 16 positions' sums, `apart` from each other, to 2 x 2 pixels.
inline __attribute__((always_inline)) void transform_back(const float* sums, int64_t apart, Register (&pixels)[2][2]) {
    Register s[2][kSpan];
#pragma GCC unroll 4
    for (int64_t x = 0; x < kSpan; x++) {
        Register m0 = take(sums + x * apart), m1 = take(sums + (kSpan + x) * apart), m2 = take(sums + (2 * kSpan + x) * apart), m3 = take(sums + (3 * kSpan + x) * apart);
        s[0][x] = m0 + m1 + m2;
        s[1][x] = m1 - m2 - m3;
    }
    for (int64_t y = 0; y < 2; y++) {
        pixels[y][0] = s[y][0] + s[y][1] + s[y][2];
        pixels[y][1] = s[y][1] - s[y][2] - s[y][3];
    }
}

// weight [kt, 3, 3, C, N] in panels: [16 positions, panels, kt * C, kColumns].
static at::Tensor transformed(const at::Tensor& weight, const ConvolutionSizes& s) {
    int64_t panels = panels_of(s.n), depth = s.kt * s.c, apart = panels * depth * kColumns;
    at::Tensor result = at::empty({kPositions, panels, depth, kColumns}, weight.options());
    const float* all = weight.data_ptr<float>();
    float* out = result.data_ptr<float>();
    at::parallel_for(0, panels * depth * 2, 256, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            int64_t k = i / 2 % depth, column = i / 2 / depth * kColumns + i % 2 * kRegister, count = std::clamp<int64_t>(s.n - column, 0, kRegister);
            const float* from = all + (k / s.c * 9 * s.c + k % s.c) * s.n + column;
            Register u[kSpan][3];
            for (int64_t x = 0; x < 3; x++) {
                Register g[3];
                for (int64_t y = 0; y < 3; y++) g[y] = count > 0 ? take(from + (y * 3 + x) * s.c * s.n, count) : Register{};
                u[0][x] = g[0];
                u[1][x] = (g[0] + g[1] + g[2]) * 0.5f;
                u[2][x] = (g[0] - g[1] + g[2]) * 0.5f;
                u[3][x] = g[2];
            }
            float* to = out + i * kRegister;
            for (int64_t y = 0; y < kSpan; y++) {
                put(to + y * kSpan * apart, u[y][0]);
                put(to + (y * kSpan + 1) * apart, (u[y][0] + u[y][1] + u[y][2]) * 0.5f);
                put(to + (y * kSpan + 2) * apart, (u[y][0] - u[y][1] + u[y][2]) * 0.5f);
                put(to + (y * kSpan + 3) * apart, u[y][2]);
            }
        }
    });
    return result;
}

bool has_fewer(const ConvolutionSizes& s) {
    // Transforming the weights takes as long as a few dozen pixels.
    constexpr int64_t kLeastPixels = 256, kLeastChannels = 8;
    return s.side == 3 && s.stride <= s.kt && s.b * s.count() * s.h * s.w >= kLeastPixels && s.c >= kLeastChannels && s.n >= kLeastChannels;
}

template <typename T>
at::Tensor convolve_by_fewer(const ConvolutionSizes& s, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    int64_t across = (s.w + 1) / 2, tiles = across * ((s.h + 1) / 2), size = std::min(kTiles, tiles), blocks = (tiles + size - 1) / size;
    int64_t panels = panels_of(s.n), depth = s.kt * s.c, line = s.line() * s.c;
    // Tiles of odd frames read a pixel behind the border, of which nothing comes.
    at::Tensor padded = with_border<float, T>(x, 1, line + 2 * s.c), panel_weights = transformed(weight, s), result = at::empty({s.b, s.count(), s.h, s.w, s.n}, x.options());
    const float *frames = padded.data_ptr<float>(), *weights = panel_weights.data_ptr<float>(), *biases = bias.data_ptr<float>();
    T* results = result.data_ptr<T>();

    int64_t parts = std::clamp<int64_t>(4 * at::get_num_threads() / (s.b * blocks), 1, panels);
    at::parallel_for(0, s.b * blocks * parts, 1, [&](int64_t begin, int64_t end) {
        int64_t position = s.kt * size * s.c, apart = size * kPanels * kColumns;
        std::unique_ptr<float[]> pixels(new float[static_cast<size_t>(kPositions * position)]), sums(new float[static_cast<size_t>(kPositions * apart)]);
        const float* rows[kTiles];
        for (int64_t task = begin; task < end; task++) {
            int64_t clip = task / parts / blocks, first = task / parts % blocks * size, count = std::min(size, tiles - first);
            int64_t begin_panel = panels * (task % parts) / parts, end_panel = panels * (task % parts + 1) / parts;
            int64_t transforms = 0;  // frames whose transforms are there, each in the place of its number modulo kt
            for (int64_t image = 0; image < s.count(); image++) {
                int64_t now = image * s.stride;
                for (int64_t t = std::max(transforms, now); t < now + s.kt; t++)
                    for (int64_t i = 0; i < count; i++) {
                        const float* from = frames + ((clip * s.t + t) * s.frame() + (first + i) / across * 2 * s.line() + (first + i) % across * 2) * s.c;
                        transform_pixels(from, line, s.c, pixels.get() + (t % s.kt * size + i) * s.c, position);
                    }
                transforms = now + s.kt;
                Stretch stretch;
                for (int64_t t = 0; t < s.kt; t++) stretch.segments.push_back({(now + t) % s.kt * size * s.c, s.c});
                stretch.depth = depth;
                for (int64_t group = begin_panel; group < end_panel; group += kPanels) {
                    int64_t last = std::min(end_panel, group + kPanels);
                    for (int64_t at = 0; at < kPositions; at++) {
                        for (int64_t i = 0; i < count; i++) rows[i] = pixels.get() + at * position + i * s.c;
                        for (int64_t p = group; p < last; p++)
                            sum_panel(rows, count, stretch, weights + (at * panels + p) * depth * kColumns, sums.get() + at * apart + (p - group) * kColumns, kPanels * kColumns);
                    }
                    int64_t left = group * kColumns, width = std::min(s.n, last * kColumns) - left;
                    for (int64_t i = 0; i < count; i++) {
                        int64_t y = (first + i) / across * 2, xs = (first + i) % across * 2;
                        T* out = results + (((clip * s.count() + image) * s.h + y) * s.w + xs) * s.n + left;
                        each_register(width, [&](int64_t j, auto amount) {
                            Register made[2][2], added = take(biases + left + j, amount);
                            transform_back(sums.get() + i * kPanels * kColumns + j, apart, made);
                            put(out + j, made[0][0] + added, amount);
                            if (xs + 1 < s.w) put(out + s.n + j, made[0][1] + added, amount);
                            if (y + 1 >= s.h) return;
                            put(out + s.w * s.n + j, made[1][0] + added, amount);
                            if (xs + 1 < s.w) put(out + (s.w + 1) * s.n + j, made[1][1] + added, amount);
                        });
                    }
                }
            }
        }
    });
    return result;
}

template at::Tensor convolve_by_fewer<float>(const ConvolutionSizes&, const at::Tensor&, const at::Tensor&, const at::Tensor&);
template at::Tensor convolve_by_fewer<c10::BFloat16>(const ConvolutionSizes&, const at::Tensor&, const at::Tensor&, const at::Tensor&);

}  // namespace sora
