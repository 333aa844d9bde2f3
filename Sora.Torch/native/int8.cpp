// Linear layers in 8-bit whole numbers: weights with a scale for each output, activations with a scale for each row of every call. The
// products are oneDNN's, which libtorch brings: for AVX2, AVX512, VNNI and AMX.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "lanes.h"
#include "sora_torch.h"

namespace sora {

// dnnl_gemm_u8s8s32: c [m, n] = (a [m, k] - ao) (b [k, n] - bo), row-major; 0 where it succeeds.
using Gemm = int (*)(char turn_a, char turn_b, char offset, int64_t m, int64_t n, int64_t k, float alpha, const uint8_t* a, int64_t row_a, uint8_t ao, const int8_t* b,
                     int64_t row_b, int8_t bo, float beta, int32_t* c, int64_t row_c, const int32_t* co);

static Gemm gemm() {
    static const auto function = reinterpret_cast<Gemm>(dlsym(RTLD_DEFAULT, "dnnl_gemm_u8s8s32"));
    return function;
}

constexpr int32_t kZero = 128;  // an activation of 0, as a number without a sign

// Without VNNI two products are added up in 16 bits: 2 * 255 * 64 fits there, 2 * 255 * 127 does not.
static float largest_weight() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512vnni") ? 127.0f : 63.0f;
#else
    return 63.0f;
#endif
}

typedef uint8_t ByteLanes __attribute__((vector_size(kLanes)));

// The largest magnitude; where a number is not finite neither is the result. Magnitudes are in the order of their bits, with what is
// not finite behind them.
template <typename T>
static float largest(const T* row, int64_t count) {
    IntegerLanes most{};
    each_part(count, [&](int64_t j, auto part) {
        auto bits = bits_as<IntegerLanes>(bits_as<BitLanes>(load(row + j, part)) & 0x7fffffffu);
        most = bits > most ? bits : most;
    });
    int32_t result = 0;
    for (int64_t i = 0; i < kLanes; i++) result = std::max(result, most[i]);
    return bits_as<float>(result);
}

// Rounds to nearest; numbers up to 2^22.
inline __attribute__((always_inline)) IntegerLanes rounded(Lanes x) { return bits_as<IntegerLanes>(x + 12582912.0f) - 0x4b400000; }

// A row as bytes around `zero`, and what one step of them is worth: nothing finite where a number of the row is not.
template <typename T>
static float quantize(const T* row, int64_t count, float most, int32_t zero, uint8_t* out) {
    float size = largest(row, count), step = size == 0 ? 1.0f : size / most, scale = 1 / step;
    if (!std::isfinite(size)) return NAN;
    each_part(count, [&](int64_t j, auto part) {
        ByteLanes bytes = __builtin_convertvector(rounded(load(row + j, part) * scale) + zero, ByteLanes);
        std::memcpy(out + j, &bytes, part.count);
    });
    return step;
}

struct Int8Weight {
    at::Tensor values, steps, sums;  // int8 [n, k]; float32 [n]; int32 [n], kZero times a row's sum
};

static Int8Weight quantize_weight(const at::Tensor& given) {
    at::Tensor weight = given.contiguous();
    TORCH_CHECK(weight.dim() == 2 && weight.device().is_cpu(), "a weight ", given.sizes());
    int64_t n = weight.size(0), k = weight.size(1);
    Int8Weight result{at::empty({n, k}, at::kChar), at::empty({n}, at::kFloat), at::empty({n}, at::kInt)};
    auto* bytes = reinterpret_cast<uint8_t*>(result.values.data_ptr<int8_t>());
    float *steps = result.steps.data_ptr<float>(), most = largest_weight();
    int32_t* sums = result.sums.data_ptr<int32_t>();
    at::parallel_for(0, n, 16, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            steps[i] = weight.scalar_type() == at::kFloat ? quantize(weight.data_ptr<float>() + i * k, k, most, 0, bytes + i * k)
                                                          : quantize(weight.data_ptr<c10::BFloat16>() + i * k, k, most, 0, bytes + i * k);
            TORCH_CHECK(std::isfinite(steps[i]), "a weight that is not finite has no 8 bits");
            int32_t sum = 0;
            for (int64_t j = 0; j < k; j++) sum += static_cast<int8_t>(bytes[i * k + j]);
            sums[i] = kZero * sum;
        }
    });
    return result;
}

// x [m, k] of T by a weight, plus bias [n] in float32 if there is one: [m, n] of T.
template <typename T>
static at::Tensor linear(const at::Tensor& x, const Int8Weight& weight, const float* bias) {
    constexpr int64_t kColumns = 1024, kRows = 512, kUnit = 48;  // of a product, whose sums stay in a cache
    int64_t m = x.size(0), k = x.size(1), n = weight.values.size(0);
    at::Tensor result = at::empty({m, n}, x.options());
    const T* from = x.data_ptr<T>();
    T* out = result.data_ptr<T>();
    const int8_t* values = weight.values.data_ptr<int8_t>();
    const float* steps = weight.steps.data_ptr<float>();
    const int32_t* sums = weight.sums.data_ptr<int32_t>();
    at::Tensor row_values = at::empty({m, k}, at::kByte), row_scales = at::empty({m}, at::kFloat);
    uint8_t* bytes = row_values.data_ptr<uint8_t>();
    float* row_steps = row_scales.data_ptr<float>();
    at::parallel_for(0, m, 16, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) row_steps[i] = quantize(from + i * k, k, 127.0f, kZero, bytes + i * k);
    });
    // Rows are shared out evenly, columns only where there are too few rows.
    int64_t threads = at::get_num_threads(), rows = std::clamp((m + threads - 1) / threads, std::min(m, kUnit), kRows), row_blocks = (m + rows - 1) / rows;
    int64_t wanted = row_blocks >= threads ? 1 : (threads + row_blocks - 1) / row_blocks, columns = std::min(kColumns, ((n + wanted - 1) / wanted + 15) / 16 * 16), column_blocks = (n + columns - 1) / columns;
    at::parallel_for(0, row_blocks * column_blocks, 1, [&](int64_t begin, int64_t end) {
        std::unique_ptr<int32_t[]> products(new int32_t[static_cast<size_t>(rows * columns)]);
        for (int64_t task = begin; task < end; task++) {
            int64_t row = task / column_blocks * rows, column = task % column_blocks * columns, height = std::min(rows, m - row), width = std::min(columns, n - column);
            int32_t none = 0;
            int failed = gemm()('N', 'T', 'F', height, width, k, 1, bytes + row * k, k, 0, values + column * k, k, 0, 0, products.get(), columns, &none);
            TORCH_CHECK(failed == 0, "oneDNN refused a product of 8 bits, ", height, " x ", k, " x ", width, ": ", failed);
            for (int64_t i = 0; i < height; i++) {
                const int32_t* own = products.get() + i * columns;
                Lanes step = lanes_of(row_steps[row + i]);
                each_part(width, [&](int64_t j, auto part) {
                    IntegerLanes sum{}, zero{};
                    std::memcpy(&sum, own + j, part.count * sizeof(int32_t));
                    std::memcpy(&zero, sums + column + j, part.count * sizeof(int32_t));
                    Lanes value = __builtin_convertvector(sum - zero, Lanes) * (step * load(steps + column + j, part));
                    if (bias) value += load(bias + column + j, part);
                    store(out + (row + i) * n + column + j, value, part);
                });
            }
        }
    });
    return result;
}

static at::Tensor linear(const at::Tensor& given, const Int8Weight& weight, const at::Tensor& bias) {
    at::Tensor x = given.contiguous(), added = bias.defined() ? bias.to(at::kFloat).contiguous() : bias;
    TORCH_CHECK(x.dim() == 2 && x.size(1) == weight.values.size(1) && (!bias.defined() || bias.numel() == weight.values.size(0)), "no product of ", given.sizes(), " and ", weight.values.sizes());
    const float* biases = bias.defined() ? added.data_ptr<float>() : nullptr;
    return x.scalar_type() == at::kFloat ? linear<float>(x, weight, biases) : linear<c10::BFloat16>(x, weight, biases);
}

}  // namespace sora

using namespace sora;

// Whether libtorch brings oneDNN's products of 8 bits.
SORA_API int32_t sora_int8_available() { return gemm() ? 1 : 0; }

// A weight [n, k], float32 or bfloat16, as int8 [n, k], steps [n] and sums [n]; 1, or 0 where it failed.
SORA_API int32_t sora_int8_weight(int64_t weight, int64_t* values, int64_t* steps, int64_t* sums) {
    return guarded([&] {
        Int8Weight result = quantize_weight(borrow(weight));
        *values = give(result.values);
        *steps = give(result.steps);
        *sums = give(result.sums);
        return 1;
    }, 0);
}

// x [m, k], float32 or bfloat16, by such a weight, plus bias [n], or 0 for none: [m, n], of x' type. No gradients.
SORA_API int64_t sora_int8_linear(int64_t x, int64_t values, int64_t steps, int64_t sums, int64_t bias) {
    return guarded([&] {
        return give(linear(borrow(x), {borrow(values), borrow(steps), borrow(sums)}, bias == 0 ? at::Tensor() : borrow(bias)));
    }, int64_t{0});
}
