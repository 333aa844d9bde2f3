// Kernels of aten::mm, addmm, bmm and baddbmm in place of libtorch's own: every product of the networks, forward and backward, comes
// here, goes to what is best on the machine, and to libtorch where that is its own.
#include "replacement.h"

#include <ATen/ATen.h>
#include <ATen/ops/addmm_cpu_dispatch.h>
#include <ATen/ops/baddbmm_cpu_dispatch.h>
#include <ATen/ops/bmm_cpu_dispatch.h>
#include <ATen/ops/mm_cpu_dispatch.h>
#include <torch/csrc/api/include/torch/version.h>
#include <torch/library.h>

#include <atomic>

#include "blas.h"
#include "sora_torch.h"

namespace sora {

// Whether they compute at all; benchmarks compare them with libtorch's own.
static std::atomic<bool> enabled{true};

// oneDNN multiplies bfloat16 where the processor has these. Elsewhere libtorch has a plain loop, which is slower than float32 and (in
// libtorch 1.13) adds up in bfloat16: a sum of some hundred products is off by one in a hundred.
static bool library_has_bfloat16() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#else
    return false;
#endif
}

static at::Tensor library_product(const ProductCall& call) {
    bool batches = call.a.dim() == 3;
    if (!call.added) return batches ? at::cpu::bmm(call.a, call.b) : at::cpu::mm(call.a, call.b);
    return batches ? at::cpu::baddbmm(*call.added, call.a, call.b, call.beta, call.alpha) : at::cpu::addmm(*call.added, call.a, call.b, call.beta, call.alpha);
}

// In float32, rounded once.
static at::Tensor wide_product(const ProductCall& call) {
    at::Tensor a = call.a.to(at::kFloat), b = call.b.to(at::kFloat), added = call.added ? call.added->to(at::kFloat) : at::Tensor();
    ProductCall wide{a, b, call.added ? &added : nullptr, call.beta, call.alpha};
    at::Tensor result = product_with_blas(wide);
    return (result.defined() ? result : library_product(wide)).to(at::kBFloat16);
}

// What is no product of two matrices, or two batches of as many, is left to libtorch, which says what is wrong with it.
static bool is_product(const ProductCall& call, int64_t dim) {
    const at::Tensor &a = call.a, &b = call.b;
    return a.dim() == dim && b.dim() == dim && a.size(-1) == b.size(-2) && (dim == 2 || a.size(0) == b.size(0)) && a.numel() > 0 && b.numel() > 0
        && a.scalar_type() == b.scalar_type() && (!call.added || call.added->scalar_type() == a.scalar_type());
}

static at::Tensor product(const ProductCall& call, int64_t dim) {
    at::Tensor result;
    if (enabled && is_product(call, dim)) {
        if (call.a.scalar_type() == at::kBFloat16) {
            result = product_on_tiles(call);
            if (!result.defined() && !library_has_bfloat16()) result = wide_product(call);
        } else if (call.a.scalar_type() == at::kFloat) {
            result = product_with_blas(call);
        }
    }
    return result.defined() ? result : library_product(call);
}

static at::Tensor mm(const at::Tensor& a, const at::Tensor& b) { return product({a, b}, 2); }

static at::Tensor bmm(const at::Tensor& a, const at::Tensor& b) { return product({a, b}, 3); }

static at::Tensor addmm(const at::Tensor& added, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta, const at::Scalar& alpha) {
    return product({a, b, &added, beta.toDouble(), alpha.toDouble()}, 2);
}

static at::Tensor baddbmm(const at::Tensor& added, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta, const at::Scalar& alpha) {
    return product({a, b, &added, beta.toDouble(), alpha.toDouble()}, 3);
}

// libtorch warns of every kernel that is replaced; here that is what is meant.
class Silence : public c10::WarningHandler {
#if TORCH_VERSION_MAJOR >= 2
    void process(const c10::Warning&) override {}
};
using c10::WarningUtils::WarningHandlerGuard;
#else
    void process(const c10::SourceLocation&, const std::string&, bool) override {}
};
using c10::Warning::WarningHandlerGuard;
#endif

[[maybe_unused]] static const bool installed = [] {
    Silence silence;
    WarningHandlerGuard guard(&silence);
    static torch::Library library(torch::Library::IMPL, "aten", c10::DispatchKey::CPU, __FILE__, __LINE__);
    library.impl("mm", TORCH_FN(mm));
    library.impl("addmm", TORCH_FN(addmm));
    library.impl("bmm", TORCH_FN(bmm));
    library.impl("baddbmm", TORCH_FN(baddbmm));
    return true;
}();

}  // namespace sora

using namespace sora;

// Whether products are this library's where it has its own; returns whether they were before.
SORA_API int32_t sora_own_products(int32_t use) {
    use_blas_threads(use == 0);
    return enabled.exchange(use != 0) ? 1 : 0;
}

// Whether products and convolutions of bfloat16 are libtorch's own at the processor's speed.
SORA_API int32_t sora_library_has_bfloat16() { return library_has_bfloat16() ? 1 : 0; }
