// OpenBLAS' products of float32 matrices, each on the thread that asks for it.
#pragma once

#include <cstdint>

namespace sora {

// Of cblas.h, which a machine need not have.
constexpr int kRowMajor = 101, kAsItIs = 111, kTransposed = 112;
constexpr int64_t kMostSize = 0x7fffffff;
using Sgemm = void (*)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float* a, int row_a, const float* b,
                       int row_b, float beta, float* c, int row_c);

// Its function where libtorch's BLAS is an OpenBLAS with threads of its own, which it then has no more; else null.
Sgemm own_sgemm();

// c [m, n] = alpha * a b + beta * c, row-major, of sizes that were found to be kMostSize at most.
inline void multiply(Sgemm sgemm, int turn_a, int turn_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t row_a, const float* b, int64_t row_b,
                     float beta, float* c, int64_t row_c) {
    sgemm(kRowMajor, turn_a, turn_b, static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), alpha, a, static_cast<int>(row_a), b, static_cast<int>(row_b), beta, c,
          static_cast<int>(row_c));
}

// Whether OpenBLAS has its own threads again; benchmarks compare with them.
void use_blas_threads(bool use);

}  // namespace sora
