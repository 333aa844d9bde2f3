// Small numeric pieces that compilers vectorise: bfloat16 in registers, and an exponential without a library call.
#pragma once

#include <cstdint>
#include <cstring>

#include <ATen/core/Tensor.h>

namespace sora {

inline float load(const float* p) { return *p; }

inline float load(const c10::BFloat16* p) {
    uint32_t bits = static_cast<uint32_t>(reinterpret_cast<const uint16_t*>(p)[0]) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline void store(float* p, float value) { *p = value; }

// Round to nearest, ties to even. NaN stays NaN because its upper mantissa bit survives the carry of quiet NaNs.
inline void store(c10::BFloat16* p, float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    uint32_t nan = (bits >> 16) | 0x40u;
    reinterpret_cast<uint16_t*>(p)[0] = static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}

// e^x by Cody-Waite reduction and a polynomial of degree 6; relative error below 2e-7 for |x| < 87.
inline float exp_approx(float x) {
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float shifted = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: the low mantissa bits hold round(x / ln 2)
    int32_t n;
    std::memcpy(&n, &shifted, sizeof n);
    n -= 0x4b400000;
    float k = shifted - 12582912.0f;
    float r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    int32_t bits = (n + 127) << 23;
    float scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

inline float sigmoid(float x) { return 1.0f / (1.0f + exp_approx(-x)); }

}  // namespace sora
