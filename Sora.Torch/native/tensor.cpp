// What the dispatcher does not offer: a tensor's own fields, autograd, thread counts.
#include "sora_torch.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/variable.h>

using namespace sora;

SORA_API void sora_tensor_release(int64_t handle) {
    // Taking ownership back and letting it go.
    at::Tensor(c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim(
        reinterpret_cast<c10::TensorImpl*>(handle)));
}

SORA_API int32_t sora_tensor_dim(int64_t handle) {
    return static_cast<int32_t>(reinterpret_cast<c10::TensorImpl*>(handle)->dim());
}

SORA_API void sora_tensor_sizes(int64_t handle, int64_t* sizes) {
    auto s = reinterpret_cast<c10::TensorImpl*>(handle)->sizes();
    std::copy(s.begin(), s.end(), sizes);
}

SORA_API void sora_tensor_strides(int64_t handle, int64_t* strides) {
    auto s = reinterpret_cast<c10::TensorImpl*>(handle)->strides();
    std::copy(s.begin(), s.end(), strides);
}

SORA_API int64_t sora_tensor_numel(int64_t handle) { return reinterpret_cast<c10::TensorImpl*>(handle)->numel(); }

SORA_API int32_t sora_tensor_dtype(int64_t handle) {
    return static_cast<int32_t>(c10::typeMetaToScalarType(reinterpret_cast<c10::TensorImpl*>(handle)->dtype()));
}

SORA_API int32_t sora_tensor_device_type(int64_t handle) {
    return static_cast<int32_t>(reinterpret_cast<c10::TensorImpl*>(handle)->device().type());
}

SORA_API int32_t sora_tensor_device_index(int64_t handle) {
    return static_cast<int32_t>(reinterpret_cast<c10::TensorImpl*>(handle)->device().index());
}

SORA_API int32_t sora_tensor_is_contiguous(int64_t handle) {
    return reinterpret_cast<c10::TensorImpl*>(handle)->is_contiguous() ? 1 : 0;
}

SORA_API void* sora_tensor_data(int64_t handle) {
    return guarded([&]() -> void* { return borrow(handle).data_ptr(); }, nullptr);
}

SORA_API int32_t sora_tensor_requires_grad(int64_t handle) { return borrow(handle).requires_grad() ? 1 : 0; }

SORA_API int32_t sora_tensor_set_requires_grad(int64_t handle, int32_t value) {
    return guarded(
        [&] {
            borrow(handle).set_requires_grad(value != 0);
            return 0;
        },
        -1);
}

SORA_API int64_t sora_tensor_grad(int64_t handle) { return give(borrow(handle).grad()); }

SORA_API int32_t sora_tensor_set_grad(int64_t handle, int64_t grad) {
    return guarded(
        [&] {
            borrow(handle).mutable_grad() = grad == 0 ? at::Tensor() : borrow(grad);
            return 0;
        },
        -1);
}

SORA_API int32_t sora_backward(int64_t handle, int64_t gradient) {
    return guarded(
        [&] {
            torch::autograd::backward({borrow(handle)}, {gradient == 0 ? at::Tensor() : borrow(gradient)});
            return 0;
        },
        -1);
}

// A tensor over memory that its owner keeps alive and unchanged in place, such as a mapped file.
SORA_API int64_t sora_from_blob(void* data, const int64_t* sizes, int32_t dim, int32_t dtype) {
    return guarded(
        [&]() -> int64_t {
            return give(at::from_blob(data, c10::IntArrayRef(sizes, static_cast<size_t>(dim)),
                                      at::TensorOptions().dtype(static_cast<c10::ScalarType>(dtype))));
        },
        int64_t{0});
}

SORA_API int32_t sora_grad_enabled() { return c10::GradMode::is_enabled() ? 1 : 0; }

SORA_API void sora_set_grad_enabled(int32_t enabled) { c10::GradMode::set_enabled(enabled != 0); }

SORA_API void sora_set_num_threads(int32_t count) { at::set_num_threads(count); }

SORA_API int32_t sora_get_num_threads() { return at::get_num_threads(); }
