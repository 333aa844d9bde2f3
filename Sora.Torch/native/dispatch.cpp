// Operators by schema name through libtorch's own dispatcher, called boxed. One function serves them all, so this file
// does not grow with the number of operators that the C# side uses.
#include "sora_torch.h"

#include <cstring>
#include <vector>

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <c10/core/Device.h>

namespace sora {

static thread_local std::string last_error;

void set_last_error(const std::string& message) { last_error = message; }

static double as_double(int64_t bits) {
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

static c10::IValue to_ivalue(const Value& v) {
    switch (v.tag) {
        case kNone:
            return c10::IValue();
        case kTensor:
            return borrow(v.a);
        case kInt:
            return v.a;
        case kDouble:
            return as_double(v.a);
        case kBool:
            return v.a != 0;
        case kIntList: {
            auto* p = reinterpret_cast<const int64_t*>(v.a);
            return c10::List<int64_t>(c10::ArrayRef<int64_t>(p, static_cast<size_t>(v.b)));
        }
        case kDoubleList: {
            auto* p = reinterpret_cast<const double*>(v.a);
            return c10::List<double>(c10::ArrayRef<double>(p, static_cast<size_t>(v.b)));
        }
        case kTensorList: {
            auto* p = reinterpret_cast<const int64_t*>(v.a);
            c10::List<at::Tensor> list;
            list.reserve(static_cast<size_t>(v.b));
            for (int64_t i = 0; i < v.b; i++) list.push_back(borrow(p[i]));
            return list;
        }
        case kOptionalTensorList: {
            auto* p = reinterpret_cast<const int64_t*>(v.a);
            c10::List<c10::optional<at::Tensor>> list;
            list.reserve(static_cast<size_t>(v.b));
            for (int64_t i = 0; i < v.b; i++)
                list.push_back(p[i] == 0 ? c10::optional<at::Tensor>() : c10::optional<at::Tensor>(borrow(p[i])));
            return list;
        }
        case kString:
            return std::string(reinterpret_cast<const char*>(v.a), static_cast<size_t>(v.b));
        case kDevice:
            return c10::Device(static_cast<c10::DeviceType>(v.a), static_cast<c10::DeviceIndex>(v.b));
    }
    throw std::runtime_error("unknown argument tag " + std::to_string(v.tag));
}

}  // namespace sora

using namespace sora;

SORA_API const char* sora_last_error() { return last_error.c_str(); }

// The handle of an operator, valid for the life of the process; null when the schema does not exist.
SORA_API const void* sora_operator(const char* name, const char* overload) {
    return guarded(
        [&]() -> const void* {
            return new c10::OperatorHandle(c10::Dispatcher::singleton().findSchemaOrThrow(name, overload));
        },
        nullptr);
}

// Calls an operator. Arguments left out at the end take the schema's defaults. Results go to `results`; a result that
// is a list of tensors takes one place for each. Returns how many places were filled.
SORA_API int32_t sora_call(const void* op, const Value* args, int32_t count, Value* results, int32_t capacity) {
    return guarded(
        [&]() -> int32_t {
            const auto& handle = *static_cast<const c10::OperatorHandle*>(op);
            const auto& arguments = handle.schema().arguments();
            torch::jit::Stack stack;
            stack.reserve(arguments.size());
            for (int32_t i = 0; i < count; i++) stack.push_back(to_ivalue(args[i]));
            for (size_t i = static_cast<size_t>(count); i < arguments.size(); i++) {
                const auto& value = arguments[i].default_value();
                if (!value) throw std::runtime_error(handle.schema().name() + " needs its argument " + arguments[i].name());
                stack.push_back(*value);
            }
            handle.callBoxed(&stack);

            int32_t filled = 0;
            auto put = [&](Value v) {
                if (filled == capacity) throw std::runtime_error(handle.schema().name() + " returned too many results");
                results[filled++] = v;
            };
            for (auto& value : stack) {
                if (value.isTensor()) {
                    put({kTensor, give(std::move(value).toTensor()), 0});
                } else if (value.isTensorList()) {
                    for (const at::Tensor& t : value.toTensorVector()) put({kTensor, give(t), 0});
                } else if (value.isInt()) {
                    put({kInt, value.toInt(), 0});
                } else if (value.isBool()) {
                    put({kBool, value.toBool() ? 1 : 0, 0});
                } else if (value.isDouble()) {
                    double d = value.toDouble();
                    Value v{kDouble, 0, 0};
                    std::memcpy(&v.a, &d, sizeof d);
                    put(v);
                } else if (value.isNone()) {
                    put({kNone, 0, 0});
                } else {
                    throw std::runtime_error(handle.schema().name() + " returned a " + value.tagKind());
                }
            }
            return filled;
        },
        -1);
}
