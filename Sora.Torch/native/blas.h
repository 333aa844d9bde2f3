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

// Whether OpenBLAS has its own threads again; benchmarks compare with them.
void use_blas_threads(bool use);

}  // namespace sora
