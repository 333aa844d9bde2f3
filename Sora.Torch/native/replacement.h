// Products of this library in the place of libtorch's own on the CPU.
#pragma once

#include <ATen/core/Tensor.h>

namespace sora {

// alpha * a b + beta * added, of matrices a [m, k] and b [k, n], or of batches of them.
struct ProductCall {
    const at::Tensor& a;
    const at::Tensor& b;
    const at::Tensor* added = nullptr;  // broadcast to the result; null: none
    double beta = 0;
    double alpha = 1;
};

// Each gives an undefined tensor where the call is not one of its own.
at::Tensor product_on_tiles(const ProductCall& call);    // bfloat16 on processors with AMX
at::Tensor product_with_blas(const ProductCall& call);   // float32 by OpenBLAS, on libtorch's threads in place of its own

}  // namespace sora
