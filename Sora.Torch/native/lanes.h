// Sixteen float32 values side by side, in the compiler's own vectors: AVX-512 where the processor has it, smaller registers
// elsewhere. Loops over an axis go in steps of sixteen, with a part of them at the end.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include <ATen/core/Tensor.h>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

namespace sora {

constexpr int64_t kLanes = 16;

typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t IntegerLanes __attribute__((vector_size(kLanes * sizeof(int32_t))));
typedef uint32_t BitLanes __attribute__((vector_size(kLanes * sizeof(uint32_t))));
typedef uint16_t HalfLanes __attribute__((vector_size(kLanes * sizeof(uint16_t))));

// All sixteen, a number that the compiler knows; or the last ones of an axis, the rest of which reads as zero.
struct Whole {
    static constexpr size_t count = kLanes;
    static constexpr bool whole = true;
};
struct Rest {
    size_t count;
    static constexpr bool whole = false;
};

// Calls f(position, Whole) or f(position, Rest) for the axis' parts.
template <typename F>
inline __attribute__((always_inline)) void each_part(int64_t length, F f) {
    int64_t j = 0;
    for (; j + kLanes <= length; j += kLanes) f(j, Whole{});
    if (j < length) f(j, Rest{static_cast<size_t>(length - j)});
}

template <typename To, typename From>
inline __attribute__((always_inline)) To bits_as(From from) {
    static_assert(sizeof(To) == sizeof(From), "the same bits");
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

inline __attribute__((always_inline)) Lanes lanes_of(float value) { return Lanes{} + value; }

template <typename Part>
inline __attribute__((always_inline)) Lanes load(const float* p, Part part) {
    Lanes value{};
    std::memcpy(&value, p, part.count * sizeof(float));
    return value;
}

template <typename Part>
inline __attribute__((always_inline)) Lanes load(const c10::BFloat16* p, Part part) {
    HalfLanes half{};
    std::memcpy(&half, p, part.count * sizeof(uint16_t));
    return bits_as<Lanes>(__builtin_convertvector(half, BitLanes) << 16);
}

template <typename Part>
inline __attribute__((always_inline)) void store(float* p, Lanes value, Part part) {
    std::memcpy(p, &value, part.count * sizeof(float));
}

// Rounds to nearest, ties to even; NaN stays NaN.
template <typename Part>
inline __attribute__((always_inline)) void store(c10::BFloat16* p, Lanes value, Part part) {
#ifdef __AVX512BF16__
    auto half = _mm512_cvtneps_pbh(bits_as<__m512>(value));
#else
    BitLanes bits = bits_as<BitLanes>(value);
    BitLanes rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    BitLanes nan = (bits >> 16) | 0x40u;
    HalfLanes half = __builtin_convertvector((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded, HalfLanes);
#endif
    std::memcpy(p, &half, part.count * sizeof(uint16_t));
}

inline __attribute__((always_inline)) float sum(Lanes value) {
    // Halves are added, so that the compiler sees the shuffles.
    typedef float Eight __attribute__((vector_size(32)));
    typedef float Four __attribute__((vector_size(16)));
    Eight low, high;
    std::memcpy(&low, &value, sizeof low);
    std::memcpy(&high, reinterpret_cast<const char*>(&value) + sizeof low, sizeof high);
    low += high;
    Four a, b;
    std::memcpy(&a, &low, sizeof a);
    std::memcpy(&b, reinterpret_cast<const char*>(&low) + sizeof a, sizeof b);
    a += b;
    return (a[0] + a[2]) + (a[1] + a[3]);
}

inline __attribute__((always_inline)) Lanes square_root(Lanes x) {
#ifdef __AVX512F__
    return bits_as<Lanes>(_mm512_sqrt_ps(bits_as<__m512>(x)));
#else
    for (int64_t i = 0; i < kLanes; i++) x[i] = __builtin_sqrtf(x[i]);
    return x;
#endif
}

// e^x by Cody-Waite reduction and a polynomial of degree 6; relative error below 2e-7 for |x| < 87.
inline __attribute__((always_inline)) Lanes exp_approx(Lanes x) {
    x = x < -87.0f ? lanes_of(-87.0f) : x;
    x = x > 88.0f ? lanes_of(88.0f) : x;
    Lanes shifted = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: the low mantissa bits hold round(x / ln 2)
    IntegerLanes n = bits_as<IntegerLanes>(shifted) - 0x4b400000;
    Lanes k = shifted - 12582912.0f;
    Lanes r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
    Lanes p = lanes_of(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    return p * bits_as<Lanes>((n + 127) << 23);
}

#ifdef __AVX512F__
// 2^x for finite x of which 2^x is finite: the whole part in the exponent, the fraction by a polynomial of degree 3 (least
// greatest relative error, 7.5e-5). For what is rounded to 8 bits.
inline __attribute__((always_inline)) __m512 exp2_coarse(__m512 x) {
    __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 f = _mm512_sub_ps(x, whole);
    __m512 p = _mm512_set1_ps(5.51716691e-2f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.42611122e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.93260985e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.99928074e-1f));
    return _mm512_scalef_ps(p, whole);
}
#endif

// 1 / (1 + e^-x) for a result of type T. Rounded to bfloat16 it needs neither a division, which takes as long as all the rest,
// nor more than 13 bits: the relative error is below 1.4e-4.
template <typename T>
inline __attribute__((always_inline)) Lanes sigmoid(Lanes x) {
#ifdef __AVX512F__
    if constexpr (std::is_same_v<T, c10::BFloat16>) {
        __m512 power = _mm512_mul_ps(bits_as<__m512>(x), _mm512_set1_ps(-1.44269504f));
        // 2^-100 is nothing beside 1, and far from the numbers so small that the processor takes a hundred times as long for them.
        power = _mm512_max_ps(_mm512_min_ps(power, _mm512_set1_ps(100)), _mm512_set1_ps(-100));
        return bits_as<Lanes>(_mm512_rcp14_ps(_mm512_add_ps(exp2_coarse(power), _mm512_set1_ps(1))));
    }
#endif
    return 1.0f / (1.0f + exp_approx(-x));
}

// GELU by its tanh approximation, for a result of type T: x * sigmoid(2 u), u = sqrt(2/pi) (x + 0.044715 x^3).
constexpr float kGeluFactor = 0.7978845608f, kGeluCube = 0.044715f;

template <typename T>
inline __attribute__((always_inline)) Lanes gelu(Lanes x) {
    return x * sigmoid<T>(x * (2 * kGeluFactor + 2 * kGeluFactor * kGeluCube * (x * x)));
}

}  // namespace sora
