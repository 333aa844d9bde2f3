// Products of bfloat16 matrices on the processor's matrix tiles (AMX).
#pragma once

#include "tiles.h"

#ifdef SORA_AMX

#include <c10/util/BFloat16.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace sora {

// Memory that grows and is kept: a product's packed operand would otherwise be new pages in every call.
class Scratch {
public:
    void* bytes(size_t count) {
        if (count > capacity_) {
            memory_.reset();
            capacity_ = 0;
            size_t rounded = (count + 4095) / 4096 * 4096;
            memory_.reset(std::aligned_alloc(4096, rounded));
            if (!memory_) throw std::bad_alloc();
            capacity_ = rounded;
        }
        return memory_.get();
    }

    // Gives memory of unusual size back.
    void release_above(size_t count) {
        if (capacity_ <= count) return;
        memory_.reset();
        capacity_ = 0;
    }

    template <typename T>
    T* of(int64_t count) { return static_cast<T*>(bytes(static_cast<size_t>(count) * sizeof(T))); }

private:
    struct Free { void operator()(void* p) const { std::free(p); } };
    std::unique_ptr<void, Free> memory_;
    size_t capacity_ = 0;
};

// A matrix of bfloat16; one of its two strides, in elements, is 1.
struct Matrix {
    const uint16_t* data;
    int64_t row;
    int64_t column;
};

// Sixteen bfloat16 as floats.
inline __m512 floats_of(const uint16_t* from) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))), 16));
}

constexpr int64_t kSide = 32;  // rows and columns of a block of four tiles

// The numbers of a right operand in the tiles' order: panels of 32 columns, each whole over the depth, in which every 32 of
// the depth are two tiles of 16 columns.
inline int64_t packed_size(int64_t k, int64_t n) { return (k + 31) / 32 * 32 * ((n + 31) / 32 * 32); }

// ---------------------------------------------------------------------------------------------------------------
// Packing.

// Words (pairs of bfloat16) of a row from `from`, of which `count` elements exist.
inline __m512i load_words(const uint16_t* from, int64_t count) {
    if (count >= kTileDepth) return _mm512_loadu_si512(from);
    if (count <= 0) return _mm512_setzero_si512();
    alignas(64) uint16_t words[kTileDepth] = {};
    std::memcpy(words, from, static_cast<size_t>(count) * 2);
    return _mm512_load_si512(words);
}

// Two rows of 16, side by side in words.
inline __m512i interleave(const uint16_t* low, const uint16_t* high, int64_t count) {
    auto mask = static_cast<__mmask16>(count >= 16 ? 0xffff : (1u << std::max<int64_t>(count, 0)) - 1);
    __m512i a = low ? _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, low)) : _mm512_setzero_si512();
    __m512i b = high ? _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, high)) : _mm512_setzero_si512();
    return _mm512_or_si512(a, _mm512_slli_epi32(b, 16));
}

// A right tile: row r holds depths 2r and 2r + 1 of 16 columns.
inline void pack_right_tile(const Matrix& b, int64_t depth, int64_t depths, int64_t column, int64_t columns, uint16_t* out) {
    if (b.row == 1) {
        __m512i words[16];
        for (int64_t n = 0; n < kTile; n++)
            words[n] = column + n < columns ? load_words(b.data + depth + (column + n) * b.column, depths - depth) : _mm512_setzero_si512();
        transpose_words(words);
        for (int64_t r = 0; r < kTile; r++) _mm512_store_si512(out + r * kTileDepth, words[r]);
        return;
    }
    for (int64_t r = 0; r < kTile; r++) {
        int64_t even = depth + 2 * r;
        const uint16_t* low = even < depths ? b.data + even * b.row + column : nullptr;
        const uint16_t* high = even + 1 < depths ? b.data + (even + 1) * b.row + column : nullptr;
        _mm512_store_si512(out + r * kTileDepth, interleave(low, high, columns - column));
    }
}

// A left tile: row r holds 32 depths of row `row + r`.
inline void pack_left_tile(const Matrix& a, int64_t row, int64_t rows, int64_t depth, int64_t depths, uint16_t* out) {
    if (a.column == 1) {
        for (int64_t r = 0; r < kTile; r++) {
            __m512i words = row + r < rows ? load_words(a.data + (row + r) * a.row + depth, depths - depth) : _mm512_setzero_si512();
            _mm512_store_si512(out + r * kTileDepth, words);
        }
        return;
    }
    __m512i words[16];
    for (int64_t r = 0; r < kTile; r++) {
        int64_t even = depth + 2 * r;
        const uint16_t* low = even < depths ? a.data + even * a.column + row : nullptr;
        const uint16_t* high = even + 1 < depths ? a.data + (even + 1) * a.column + row : nullptr;
        words[r] = interleave(low, high, rows - row);
    }
    transpose_words(words);
    for (int64_t r = 0; r < kTile; r++) _mm512_store_si512(out + r * kTileDepth, words[r]);
}

// 32 rows from `row` on, two tiles for every 32 of the depth from `depth` to `end`.
inline void pack_rows(const Matrix& a, int64_t row, int64_t rows, int64_t depth, int64_t end, uint16_t* out) {
    for (; depth < end; depth += kTileDepth, out += 2 * kTileElements) {
        pack_left_tile(a, row, rows, depth, end, out);
        pack_left_tile(a, row + kTile, rows, depth, end, out + kTileElements);
    }
}

// One panel: 32 columns from `column` on.
inline void pack_panel(const Matrix& b, int64_t depths, int64_t column, int64_t columns, uint16_t* out) {
    for (int64_t depth = 0; depth < depths; depth += kTileDepth) {
        pack_right_tile(b, depth, depths, column, columns, out);
        if (column + kTile < columns)
            pack_right_tile(b, depth, depths, column + kTile, columns, out + kTileElements);
        else
            std::memset(out + kTileElements, 0, kTileElements * 2);
        out += 2 * kTileElements;
    }
}

// ---------------------------------------------------------------------------------------------------------------
// The sums of 32 rows and 32 columns.

// One chunk of the depth onto the four tiles of sums: two left tiles, whose rows are `stride` bytes apart, and a panel's two.
inline __attribute__((always_inline)) void add_chunk(const uint16_t* upper, const uint16_t* lower, int64_t stride, const uint16_t* panel) {
    _tile_loadd(4, upper, stride);
    _tile_loadd(6, panel, 64);
    _tile_loadd(5, lower, stride);
    _tile_loadd(7, panel + kTileElements, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(3, 5, 7);
}

inline __attribute__((always_inline)) void clear_sums() {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

inline __attribute__((always_inline)) void store_sums(float* sums, int64_t stride) {
    _tile_stored(0, sums, stride * 4);
    _tile_stored(1, sums + kTile, stride * 4);
    _tile_stored(2, sums + kTile * stride, stride * 4);
    _tile_stored(3, sums + kTile * stride + kTile, stride * 4);
}

// Where the tiles of 32 rows lie: those of a chunk of the depth at upper and lower + chunk * step.
struct LeftRows {
    const uint16_t* upper;
    const uint16_t* lower;
    int64_t stride;  // of rows, in bytes
    int64_t step;
};

// Calls between(chunk) after each chunk: what it computes runs beside the tiles, whose products take longer to finish than to
// start.
template <typename Between>
inline __attribute__((always_inline)) void sum_block(const LeftRows& left, const uint16_t* panel, int64_t chunks, float* sums,
                                                            int64_t stride, bool onto, Between between) {
    if (onto) {
        _tile_loadd(0, sums, stride * 4);
        _tile_loadd(1, sums + kTile, stride * 4);
        _tile_loadd(2, sums + kTile * stride, stride * 4);
        _tile_loadd(3, sums + kTile * stride + kTile, stride * 4);
    } else {
        clear_sums();
    }
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        add_chunk(left.upper + chunk * left.step, left.lower + chunk * left.step, left.stride, panel + chunk * 2 * kTileElements);
        between(chunk);
    }
    store_sums(sums, stride);
}

inline __attribute__((always_inline)) void sum_block(const LeftRows& left, const uint16_t* panel, int64_t chunks, float* sums,
                                                            int64_t stride, bool onto) {
    sum_block(left, panel, chunks, sums, stride, onto, [](int64_t) {});
}

// ---------------------------------------------------------------------------------------------------------------
// Whole products.

// What becomes of a sum: alpha * sum + beta * added[row][column], rounded to bfloat16; then, where asked, its GELU, or what
// it makes of a residual stream.
struct Finish {
    uint16_t* out = nullptr;        // bfloat16, row-major
    int64_t stride = 0;             // of out's rows, in elements
    float alpha = 1;
    const uint16_t* added = nullptr;  // bfloat16
    int64_t added_row = 0;
    int64_t added_column = 1;
    float beta = 1;
    const float* bias = nullptr;    // for each column
    const int32_t* rows = nullptr;  // where a row goes; less than 0: nowhere. Null: every row to its own place

    // Of linear layers, whose added values are one row:
    bool gelu = false;
    float* stream = nullptr;             // float32, in place of out: onto + gate * result
    const float* onto = nullptr;         // of the stream's shape
    const float* gate = nullptr;         // a table; null: 1
    int64_t gate_stride = 0;             // of the table's rows, in elements
    const int64_t* gate_rows = nullptr;  // the row of the table that each row reads
};

// out [m, n] of a [m, k] and b [k, n], by all threads.
void multiply(const Matrix& a, const Matrix& b, int64_t m, int64_t n, int64_t k, const Finish& finish);

// The same by the calling thread, which holds a TileSession.
void multiply_here(const Matrix& a, const Matrix& b, int64_t m, int64_t n, int64_t k, const Finish& finish);

}  // namespace sora
#endif
