// Sums of float32 products in registers: a few rows and two registers of columns at a time, straight from where the rows lie.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace sora {

#ifdef __AVX512F__
constexpr int64_t kRegister = 16, kRows = 12;
#else
constexpr int64_t kRegister = 8, kRows = 6;  // 12 registers of sums, of 16
#endif
constexpr int64_t kColumns = 2 * kRegister;  // of a panel of weights

typedef float Register __attribute__((vector_size(kRegister * sizeof(float))));

inline int64_t panels_of(int64_t columns) { return (columns + kColumns - 1) / kColumns; }

// Numbers beside each other in memory, `offset` from a row's beginning.
struct Segment {
    int64_t offset, count;
};

// Segments that are summed before the next rows, and where their weights begin in a panel.
struct Stretch {
    std::vector<Segment> segments;
    int64_t begin = 0, depth = 0;
};

// sums [Rows, kColumns], `stride` apart, from a panel's weights [depth, kColumns]; onto what is there unless `first`.
template <int64_t Rows>
inline void sum_rows(const float* const* rows, const Stretch& stretch, const float* weights, float* sums, int64_t stride, bool first) {
    Register low[Rows], high[Rows];
#pragma GCC unroll 16
    for (int64_t i = 0; i < Rows; i++) {
        low[i] = high[i] = Register{};
        if (first) continue;
        std::memcpy(&low[i], sums + i * stride, sizeof(Register));
        std::memcpy(&high[i], sums + i * stride + kRegister, sizeof(Register));
    }
    for (const Segment& segment : stretch.segments) {
        const float* from[Rows];
#pragma GCC unroll 16
        for (int64_t i = 0; i < Rows; i++) from[i] = rows[i] + segment.offset;
        for (int64_t k = 0; k < segment.count; k++, weights += kColumns) {
            Register left, right;
            std::memcpy(&left, weights, sizeof left);
            std::memcpy(&right, weights + kRegister, sizeof right);
#pragma GCC unroll 16
            for (int64_t i = 0; i < Rows; i++) {
                low[i] += left * from[i][k];
                high[i] += right * from[i][k];
            }
        }
    }
#pragma GCC unroll 16
    for (int64_t i = 0; i < Rows; i++) {
        std::memcpy(sums + i * stride, &low[i], sizeof(Register));
        std::memcpy(sums + i * stride + kRegister, &high[i], sizeof(Register));
    }
}

// The same of up to Rows rows.
template <int64_t Rows = kRows>
inline void sum_some(int64_t count, const float* const* rows, const Stretch& stretch, const float* weights, float* sums, int64_t stride, bool first) {
    if (count == Rows)
        sum_rows<Rows>(rows, stretch, weights, sums, stride, first);
    else if constexpr (Rows > 1)
        sum_some<Rows - 1>(count, rows, stretch, weights, sums, stride, first);
}

// sums [count, kColumns] of any number of rows.
inline void sum_panel(const float* const* rows, int64_t count, const Stretch& stretch, const float* weights, float* sums, int64_t stride) {
    for (int64_t i = 0; i < count; i += kRows)
        sum_some(std::min(kRows, count - i), rows + i, stretch, weights + stretch.begin * kColumns, sums + i * stride, stride, stretch.begin == 0);
}

}  // namespace sora
