// The C interface between Sora.Torch (C#) and libtorch. Everything that can throw returns a negative number or null
// and leaves its message for sora_last_error().
#pragma once

#include <cstdint>
#include <exception>
#include <string>

#include <ATen/core/Tensor.h>

#define SORA_API extern "C" __attribute__((visibility("default")))

namespace sora {

// One argument or result of an operator. `a` holds the integer, the bits of the double, or the pointer; `b` the length
// of a list.
struct Value {
    int64_t tag;
    int64_t a;
    int64_t b;
};

enum Tag : int64_t {
    kNone = 0,
    kTensor = 1,
    kInt = 2,
    kDouble = 3,
    kBool = 4,
    kIntList = 5,
    kTensorList = 6,
    kOptionalTensorList = 7,
    kDoubleList = 8,
    kString = 9,
    kDevice = 10,
};

void set_last_error(const std::string& message);

// Borrow a tensor whose owner is the C# handle.
inline at::Tensor borrow(int64_t handle) {
    auto* impl = reinterpret_cast<c10::TensorImpl*>(handle);
    return at::Tensor(c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim_copy(impl));
}

// Give a tensor to a C# handle; an undefined tensor is 0.
inline int64_t give(at::Tensor tensor) {
    return tensor.defined() ? reinterpret_cast<int64_t>(tensor.unsafeReleaseTensorImpl()) : 0;
}

template <typename F>
auto guarded(F&& body, decltype(body()) failed) -> decltype(body()) {
    try {
        return body();
    } catch (const c10::Error& e) {
        set_last_error(e.what_without_backtrace());
    } catch (const std::exception& e) {
        set_last_error(e.what());
    } catch (...) {
        set_last_error("unknown native error");
    }
    return failed;
}

}  // namespace sora
