// Products of float32 matrices by OpenBLAS on libtorch's threads. Debian's OpenBLAS has threads of its own, which spin for work
// after each product while libtorch's spin for theirs: on two cores the pocket model's network takes twice as long with them as
// with one thread. Here each of libtorch's threads multiplies a part of the rows or columns, and OpenBLAS has one thread.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <algorithm>
#include <utility>

#include "blas.h"
#include "replacement.h"
#include "sora_torch.h"

namespace sora {

static void set_blas_threads(int count) {
    static const auto function = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
    function(count);
}

Sgemm own_sgemm() {
    static const Sgemm function = [] {
        auto parallel = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_parallel"));
        auto sgemm = reinterpret_cast<Sgemm>(dlsym(RTLD_DEFAULT, "cblas_sgemm"));
        constexpr int kOwnThreads = 1;  // 0: none, 2: OpenMP's, which are libtorch's
        if (!parallel || !sgemm || !dlsym(RTLD_DEFAULT, "openblas_set_num_threads") || parallel() != kOwnThreads) return static_cast<Sgemm>(nullptr);
        set_blas_threads(1);
        return sgemm;
    }();
    return function;
}

void use_blas_threads(bool use) {
    if (own_sgemm()) set_blas_threads(use ? at::get_num_threads() : 1);
}

// A matrix of float32 as BLAS takes it: one of its two strides is 1, and the other at least as long as what it steps over.
struct FloatMatrix {
    const float* data;
    int64_t row, column;

    int transpose() const { return column == 1 ? kAsItIs : kTransposed; }
    int64_t leading() const { return column == 1 ? row : column; }
    FloatMatrix rows_from(int64_t first) const { return {data + first * row, row, column}; }
    FloatMatrix columns_from(int64_t first) const { return {data + first * column, row, column}; }
};

// The last two strides; that of an axis of one, which may be anything and steps over nothing, as if the matrix were dense.
static std::pair<int64_t, int64_t> strides_of(const at::Tensor& t) {
    return {t.size(-2) > 1 ? t.stride(-2) : t.size(-1), t.size(-1) > 1 ? t.stride(-1) : 1};
}

static at::Tensor dense(const at::Tensor& t) {
    auto [row, column] = strides_of(t);
    bool fits = (column == 1 && row >= t.size(-1)) || (row == 1 && column >= t.size(-2));
    return fits && std::max(row, column) <= kMostSize ? t : t.contiguous();
}

static FloatMatrix matrix_of(const at::Tensor& t, int64_t batch) {
    auto [row, column] = strides_of(t);
    return {t.data_ptr<float>() + (t.dim() == 3 ? batch * t.stride(0) : 0), row, column};
}

struct Sums {
    Sgemm sgemm;
    float alpha, beta;
    int64_t stride;  // of c's rows

    void here(const FloatMatrix& a, const FloatMatrix& b, float* c, int64_t m, int64_t n, int64_t k) const {
        multiply(sgemm, a.transpose(), b.transpose(), m, n, k, alpha, a.data, a.leading(), b.data, b.leading(), beta, c, stride);
    }

    // By all threads: each takes rows or columns, whichever there are more of.
    void together(const FloatMatrix& a, const FloatMatrix& b, float* c, int64_t m, int64_t n, int64_t k) const {
        constexpr int64_t kLeastWork = 1 << 18, kUnit = 16;  // multiplications worth a thread; rows or columns of a kernel
        int64_t longer = std::max(m, n), units = (longer + kUnit - 1) / kUnit;
        int64_t parts = std::min({static_cast<int64_t>(at::get_num_threads()), units, m * n * k / kLeastWork + 1});
        if (parts <= 1 || at::in_parallel_region()) {
            here(a, b, c, m, n, k);
            return;
        }
        at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
            int64_t first = std::min(longer, units * begin / parts * kUnit), count = std::min(longer, units * end / parts * kUnit) - first;
            if (m >= n)
                here(a.rows_from(first), b, c + first * stride, count, n, k);
            else
                here(a, b.columns_from(first), c + first, m, count, k);
        });
    }
};

at::Tensor product_with_blas(const ProductCall& call) {
    Sgemm sgemm = own_sgemm();
    int64_t batches = call.a.dim() == 3 ? call.a.size(0) : 1, m = call.a.size(-2), n = call.b.size(-1), k = call.a.size(-1);
    if (!sgemm || std::max({m, n, k}) > kMostSize) return {};
    at::Tensor a = dense(call.a), b = dense(call.b);
    auto shape = call.a.sizes().vec();
    shape.back() = n;
    at::Tensor result = at::empty(shape, a.options());
    bool adds = call.added && call.beta != 0;
    if (adds) result.copy_(call.added->expand(shape));
    float* c = result.data_ptr<float>();
    Sums sums{sgemm, static_cast<float>(call.alpha), adds ? static_cast<float>(call.beta) : 0.0f, n};
    if (batches < at::get_num_threads()) {
        for (int64_t i = 0; i < batches; i++) sums.together(matrix_of(a, i), matrix_of(b, i), c + i * m * n, m, n, k);
        return result;
    }
    at::parallel_for(0, batches, std::max<int64_t>(1, (1 << 18) / (m * n * k)), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) sums.here(matrix_of(a, i), matrix_of(b, i), c + i * m * n, m, n, k);
    });
    return result;
}

}  // namespace sora
