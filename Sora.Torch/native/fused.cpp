// Operations of the networks that are several passes over memory as ordinary operators, and one here. Each has its own
// backward pass, so that training takes the same path.
#include "sora_torch.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstring>
#include <vector>

#include "lanes.h"

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace sora {

// ---------------------------------------------------------------------------------------------------------------
// Channel norm and SiLU: y = silu(x * sqrt(C) / max(|x|, 1e-12) * gamma), x [N, C] with the norm over C.

template <typename T>
static void channel_norm_forward(const T* x, const float* gamma, T* y, int64_t n, int64_t c, bool silu) {
    float root = std::sqrt(static_cast<float>(c));
    at::parallel_for(0, n, std::max<int64_t>(1, 16384 / c), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            const T* row = x + i * c;
            T* out = y + i * c;
            Lanes square{};
            each_part(c, [&](int64_t j, auto part) {
                Lanes v = load(row + j, part);
                square += v * v;
            });
            float inverse = root / std::max(std::sqrt(sum(square)), 1e-12f);
            each_part(c, [&](int64_t j, auto part) {
                Lanes u = load(row + j, part) * inverse * load(gamma + j, part);
                store(out + j, silu ? u * sigmoid<T>(u) : u, part);
            });
        }
    });
}

template <typename T>
static void channel_norm_backward(const T* x, const float* gamma, const T* dy, T* dx, float* dgamma, int64_t n, int64_t c, bool silu) {
    float root = std::sqrt(static_cast<float>(c));
    int64_t threads = at::get_num_threads();
    std::vector<float> partial(static_cast<size_t>(threads * c), 0.0f);
    at::parallel_for(0, n, std::max<int64_t>(1, n / threads + 1), [&](int64_t begin, int64_t end) {
        float* own = partial.data() + at::get_thread_num() * c;
        std::vector<float> buffer(static_cast<size_t>(c));
        float* d = buffer.data();
        for (int64_t i = begin; i < end; i++) {
            const T *row = x + i * c, *grad = dy + i * c;
            Lanes squares{}, dots{};
            each_part(c, [&](int64_t j, auto part) {
                Lanes v = load(row + j, part);
                squares += v * v;
            });
            float square = std::max(sum(squares), 1e-24f);
            float inverse = root / std::sqrt(square);
            each_part(c, [&](int64_t j, auto part) {
                Lanes value = load(row + j, part), gain = load(gamma + j, part);
                Lanes normed = value * inverse, v = load(grad + j, part);
                if (silu) {
                    Lanes u = normed * gain, sg = sigmoid<T>(u);
                    v *= sg * (1 + u * (1 - sg));
                }
                store(own + j, load(own + j, part) + v * normed, part);
                v *= gain;
                store(d + j, v, part);
                dots += v * value;
            });
            float dot = sum(dots) / square;
            each_part(c, [&](int64_t j, auto part) {
                store(dx + i * c + j, inverse * (load(d + j, part) - load(row + j, part) * dot), part);
            });
        }
    });
    for (int64_t j = 0; j < c; j++) {
        dgamma[j] = 0;
        for (int64_t t = 0; t < threads; t++) dgamma[j] += partial[static_cast<size_t>(t * c + j)];
    }
}

struct ChannelNorm : torch::autograd::Function<ChannelNorm> {
    static Tensor forward(AutogradContext* ctx, const Tensor& input, const Tensor& gamma, bool silu) {
        Tensor x = input.contiguous(), g = gamma.contiguous();
        Tensor y = at::empty_like(x);
        int64_t c = x.size(-1), n = x.numel() / c;
        if (x.scalar_type() == at::kBFloat16)
            channel_norm_forward(x.data_ptr<c10::BFloat16>(), g.data_ptr<float>(), y.data_ptr<c10::BFloat16>(), n, c, silu);
        else
            channel_norm_forward(x.data_ptr<float>(), g.data_ptr<float>(), y.data_ptr<float>(), n, c, silu);
        ctx->save_for_backward({x, g});
        ctx->saved_data["silu"] = silu;
        return y;
    }

    static variable_list backward(AutogradContext* ctx, variable_list grads) {
        auto saved = ctx->get_saved_variables();
        const Tensor &x = saved[0], &g = saved[1];
        bool silu = ctx->saved_data["silu"].toBool();
        Tensor dy = grads[0].to(x.scalar_type()).contiguous();
        Tensor dx = at::empty_like(x), dg = at::empty_like(g);
        int64_t c = x.size(-1), n = x.numel() / c;
        if (x.scalar_type() == at::kBFloat16)
            channel_norm_backward(x.data_ptr<c10::BFloat16>(), g.data_ptr<float>(), dy.data_ptr<c10::BFloat16>(),
                                  dx.data_ptr<c10::BFloat16>(), dg.data_ptr<float>(), n, c, silu);
        else
            channel_norm_backward(x.data_ptr<float>(), g.data_ptr<float>(), dy.data_ptr<float>(), dx.data_ptr<float>(),
                                  dg.data_ptr<float>(), n, c, silu);
        return {dx, dg, Tensor()};
    }
};

// ---------------------------------------------------------------------------------------------------------------
// Windows of time: [B, T, S, C] to [B, (T - length) / stride + 1, S, length * C], each frame with those after it side by
// side in the channels. The backward pass adds every part back to its frame.

template <typename T>
static void time_windows_forward(const T* x, T* y, int64_t b, int64_t t, int64_t s, int64_t c, int64_t length, int64_t stride) {
    int64_t count = (t - length) / stride + 1;
    at::parallel_for(0, b * count * s, std::max<int64_t>(1, 8192 / c), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            int64_t point = i % s, window = i / s % count, clip = i / s / count;
            const T* from = x + ((clip * t + window * stride) * s + point) * c;
            T* to = y + i * length * c;
            for (int64_t k = 0; k < length; k++) std::memcpy(to + k * c, from + k * s * c, static_cast<size_t>(c) * sizeof(T));
        }
    });
}

template <typename T>
static void time_windows_backward(const T* dy, T* dx, int64_t b, int64_t t, int64_t s, int64_t c, int64_t length, int64_t stride) {
    int64_t count = (t - length) / stride + 1;
    at::parallel_for(0, b * t * s, std::max<int64_t>(1, 8192 / c), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            int64_t point = i % s, frame = i / s % t, clip = i / s / t;
            each_part(c, [&](int64_t j, auto part) {
                Lanes total{};
                for (int64_t k = 0; k < length; k++) {
                    int64_t start = frame - k;
                    if (start < 0 || start % stride != 0 || start / stride >= count) continue;
                    total += load(dy + (((clip * count + start / stride) * s + point) * length + k) * c + j, part);
                }
                store(dx + i * c + j, total, part);
            });
        }
    });
}

struct TimeWindows : torch::autograd::Function<TimeWindows> {
    static Tensor forward(AutogradContext* ctx, const Tensor& input, int64_t length, int64_t stride) {
        Tensor x = input.contiguous();
        int64_t b = x.size(0), t = x.size(1), s = x.size(2) * x.size(3), c = x.size(4);
        TORCH_CHECK(t >= length, "a window of ", length, " frames does not fit in ", t);
        Tensor y = at::empty({b, (t - length) / stride + 1, x.size(2), x.size(3), length * c}, x.options());
        if (x.scalar_type() == at::kBFloat16)
            time_windows_forward(x.data_ptr<c10::BFloat16>(), y.data_ptr<c10::BFloat16>(), b, t, s, c, length, stride);
        else
            time_windows_forward(x.data_ptr<float>(), y.data_ptr<float>(), b, t, s, c, length, stride);
        ctx->saved_data["length"] = length;
        ctx->saved_data["stride"] = stride;
        ctx->saved_data["sizes"] = x.sizes().vec();
        return y;
    }

    static variable_list backward(AutogradContext* ctx, variable_list grads) {
        auto sizes = ctx->saved_data["sizes"].toIntVector();
        int64_t length = ctx->saved_data["length"].toInt(), stride = ctx->saved_data["stride"].toInt();
        int64_t b = sizes[0], t = sizes[1], s = sizes[2] * sizes[3], c = sizes[4];
        Tensor dy = grads[0].contiguous(), dx = at::empty(sizes, dy.options());
        if (dy.scalar_type() == at::kBFloat16)
            time_windows_backward(dy.data_ptr<c10::BFloat16>(), dx.data_ptr<c10::BFloat16>(), b, t, s, c, length, stride);
        else
            time_windows_backward(dy.data_ptr<float>(), dx.data_ptr<float>(), b, t, s, c, length, stride);
        return {dx, Tensor(), Tensor()};
    }
};

// ---------------------------------------------------------------------------------------------------------------
// Layer norm without parameters, then * (1 + scale[row]) + shift[row]: x [N, D] float32, tables [R, D] float32,
// rows [N] int64; the result is in the type of the matrix product that reads it.

template <typename T>
static void norm_modulate_forward(const float* x, const float* scale, const float* shift, const int64_t* rows, T* y, float* mean,
                                  float* inverse, int64_t n, int64_t d, float eps) {
    at::parallel_for(0, n, std::max<int64_t>(1, 8192 / d), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            const float* row = x + i * d;
            Lanes total{}, squares{};
            each_part(d, [&](int64_t j, auto part) { total += load(row + j, part); });
            float m = sum(total) / static_cast<float>(d);
            each_part(d, [&](int64_t j, auto part) {
                // What lies beyond the axis' end reads as zero, and must not count as 0 - m.
                Lanes v = load(row + j, part) - m;
                if constexpr (!part.whole) v = load(reinterpret_cast<const float*>(&v), part);
                squares += v * v;
            });
            float inv = 1.0f / std::sqrt(sum(squares) / static_cast<float>(d) + eps);
            mean[i] = m;
            inverse[i] = inv;
            const float *sc = scale + rows[i] * d, *sh = shift + rows[i] * d;
            T* out = y + i * d;
            each_part(d, [&](int64_t j, auto part) {
                store(out + j, (load(row + j, part) - m) * inv * (1 + load(sc + j, part)) + load(sh + j, part), part);
            });
        }
    });
}

template <typename T>
static void norm_modulate_backward(const float* x, const float* scale, const int64_t* rows, const T* dy, const float* mean,
                                   const float* inverse, float* dx, float* dscale, float* dshift, int64_t n, int64_t d,
                                   int64_t table) {
    // The tables' gradients are gathered from all tokens of a row: each thread has tables of its own.
    int64_t threads = at::get_num_threads();
    std::vector<float> partial(static_cast<size_t>(threads > 1 ? 2 * (threads - 1) * table * d : 0), 0.0f);
    at::parallel_for(0, n, std::max<int64_t>(1, n / threads + 1), [&](int64_t begin, int64_t end) {
        int64_t thread = at::get_thread_num();
        float* ds = thread == 0 ? dscale : partial.data() + 2 * (thread - 1) * table * d;
        float* dh = thread == 0 ? dshift : ds + table * d;
        std::vector<float> g(static_cast<size_t>(d));
        for (int64_t i = begin; i < end; i++) {
            const float* row = x + i * d;
            const T* grad = dy + i * d;
            const float* sc = scale + rows[i] * d;
            float *dsr = ds + rows[i] * d, *dhr = dh + rows[i] * d;
            float m = mean[i], inv = inverse[i];
            Lanes totals{}, dots{};
            each_part(d, [&](int64_t j, auto part) {
                Lanes v = load(grad + j, part), normed = (load(row + j, part) - m) * inv;
                store(dsr + j, load(dsr + j, part) + v * normed, part);
                store(dhr + j, load(dhr + j, part) + v, part);
                Lanes u = v * (1 + load(sc + j, part));
                store(g.data() + j, u, part);
                totals += u;
                dots += u * normed;
            });
            float total = sum(totals) / static_cast<float>(d), dot = sum(dots) / static_cast<float>(d);
            float* out = dx + i * d;
            each_part(d, [&](int64_t j, auto part) {
                store(out + j, inv * (load(g.data() + j, part) - total - (load(row + j, part) - m) * inv * dot), part);
            });
        }
    });
    for (int64_t t = 0; t + 1 < threads; t++) {
        const float* ds = partial.data() + 2 * t * table * d;
        for (int64_t j = 0; j < table * d; j++) {
            dscale[j] += ds[j];
            dshift[j] += ds[table * d + j];
        }
    }
}

struct NormModulate : torch::autograd::Function<NormModulate> {
    static Tensor forward(AutogradContext* ctx, const Tensor& input, const Tensor& scale_table, const Tensor& shift_table,
                          const Tensor& row_index, double eps, int64_t dtype) {
        Tensor x = input.contiguous(), scale = scale_table.contiguous(), shift = shift_table.contiguous(), rows = row_index.contiguous();
        int64_t n = x.size(0), d = x.size(1);
        auto type = static_cast<at::ScalarType>(dtype);
        Tensor y = at::empty({n, d}, x.options().dtype(type)), mean = at::empty({n}, x.options()), inverse = at::empty({n}, x.options());
        if (type == at::kBFloat16)
            norm_modulate_forward(x.data_ptr<float>(), scale.data_ptr<float>(), shift.data_ptr<float>(), rows.data_ptr<int64_t>(),
                                  y.data_ptr<c10::BFloat16>(), mean.data_ptr<float>(), inverse.data_ptr<float>(), n, d, static_cast<float>(eps));
        else
            norm_modulate_forward(x.data_ptr<float>(), scale.data_ptr<float>(), shift.data_ptr<float>(), rows.data_ptr<int64_t>(),
                                  y.data_ptr<float>(), mean.data_ptr<float>(), inverse.data_ptr<float>(), n, d, static_cast<float>(eps));
        ctx->save_for_backward({x, scale, rows, mean, inverse});
        return y;
    }

    static variable_list backward(AutogradContext* ctx, variable_list grads) {
        auto saved = ctx->get_saved_variables();
        const Tensor &x = saved[0], &scale = saved[1], &rows = saved[2];
        int64_t n = x.size(0), d = x.size(1);
        Tensor dy = grads[0].contiguous();
        Tensor dx = at::empty_like(x), dscale = at::zeros_like(scale), dshift = at::zeros_like(scale);
        if (dy.scalar_type() == at::kBFloat16)
            norm_modulate_backward(x.data_ptr<float>(), scale.data_ptr<float>(), rows.data_ptr<int64_t>(), dy.data_ptr<c10::BFloat16>(),
                                   saved[3].data_ptr<float>(), saved[4].data_ptr<float>(), dx.data_ptr<float>(),
                                   dscale.data_ptr<float>(), dshift.data_ptr<float>(), n, d, scale.size(0));
        else
            norm_modulate_backward(x.data_ptr<float>(), scale.data_ptr<float>(), rows.data_ptr<int64_t>(), dy.data_ptr<float>(),
                                   saved[3].data_ptr<float>(), saved[4].data_ptr<float>(), dx.data_ptr<float>(),
                                   dscale.data_ptr<float>(), dshift.data_ptr<float>(), n, d, scale.size(0));
        return {dx, dscale, dshift, Tensor(), Tensor(), Tensor()};
    }
};

// ---------------------------------------------------------------------------------------------------------------
// x + gate[row] * y: x [N, D] float32, y [N, D] of any type, gate [R, D] float32.

template <typename T>
static void add_gated_forward(const float* x, const T* y, const float* gate, const int64_t* rows, float* out, int64_t n, int64_t d) {
    at::parallel_for(0, n, std::max<int64_t>(1, 16384 / d), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            const float* g = gate + rows[i] * d;
            each_part(d, [&](int64_t j, auto part) {
                store(out + i * d + j, load(x + i * d + j, part) + load(g + j, part) * load(y + i * d + j, part), part);
            });
        }
    });
}

template <typename T>
static void add_gated_backward(const float* dout, const T* y, const float* gate, const int64_t* rows, T* dy, float* dgate,
                               int64_t n, int64_t d, int64_t table) {
    int64_t threads = at::get_num_threads();
    std::vector<float> partial(static_cast<size_t>((threads - 1) * table * d), 0.0f);
    at::parallel_for(0, n, std::max<int64_t>(1, n / threads + 1), [&](int64_t begin, int64_t end) {
        int64_t thread = at::get_thread_num();
        float* dg = thread == 0 ? dgate : partial.data() + (thread - 1) * table * d;
        for (int64_t i = begin; i < end; i++) {
            const float* g = gate + rows[i] * d;
            float* dgr = dg + rows[i] * d;
            each_part(d, [&](int64_t j, auto part) {
                Lanes v = load(dout + i * d + j, part);
                store(dgr + j, load(dgr + j, part) + v * load(y + i * d + j, part), part);
                store(dy + i * d + j, v * load(g + j, part), part);
            });
        }
    });
    for (int64_t t = 0; t + 1 < threads; t++)
        for (int64_t j = 0; j < table * d; j++) dgate[j] += partial[static_cast<size_t>(t * table * d + j)];
}

struct AddGated : torch::autograd::Function<AddGated> {
    static Tensor forward(AutogradContext* ctx, const Tensor& input, const Tensor& branch, const Tensor& gate_table, const Tensor& row_index) {
        Tensor x = input.contiguous(), y = branch.contiguous(), gate = gate_table.contiguous(), rows = row_index.contiguous();
        Tensor out = at::empty_like(x);
        int64_t n = x.size(0), d = x.size(1);
        if (y.scalar_type() == at::kBFloat16)
            add_gated_forward(x.data_ptr<float>(), y.data_ptr<c10::BFloat16>(), gate.data_ptr<float>(), rows.data_ptr<int64_t>(), out.data_ptr<float>(), n, d);
        else
            add_gated_forward(x.data_ptr<float>(), y.data_ptr<float>(), gate.data_ptr<float>(), rows.data_ptr<int64_t>(), out.data_ptr<float>(), n, d);
        ctx->save_for_backward({y, gate, rows});
        return out;
    }

    static variable_list backward(AutogradContext* ctx, variable_list grads) {
        auto saved = ctx->get_saved_variables();
        const Tensor &y = saved[0], &gate = saved[1], &rows = saved[2];
        Tensor dout = grads[0].contiguous();
        Tensor dy = at::empty_like(y), dgate = at::zeros_like(gate);
        int64_t n = y.size(0), d = y.size(1);
        if (y.scalar_type() == at::kBFloat16)
            add_gated_backward(dout.data_ptr<float>(), y.data_ptr<c10::BFloat16>(), gate.data_ptr<float>(), rows.data_ptr<int64_t>(),
                               dy.data_ptr<c10::BFloat16>(), dgate.data_ptr<float>(), n, d, gate.size(0));
        else
            add_gated_backward(dout.data_ptr<float>(), y.data_ptr<float>(), gate.data_ptr<float>(), rows.data_ptr<int64_t>(),
                               dy.data_ptr<float>(), dgate.data_ptr<float>(), n, d, gate.size(0));
        return {dout, dy, dgate, Tensor()};
    }
};

// ---------------------------------------------------------------------------------------------------------------
// RMS norm over D with a gain, then the rotary turn of pairs (2i, 2i+1) of every head; x [N, D], cos and sin
// [N, head/2]. Without positions (a head of 0) it is the norm alone.

// Pairs (a, b) turned by their angles: (a cos - b sin, a sin + b cos), and back with a direction of -1.
template <typename Part>
static inline Lanes turned(Lanes pairs, const float* cosine, const float* sine, Part part, float direction) {
    constexpr IntegerLanes twice = {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7};
    constexpr IntegerLanes swap = {1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14};
    constexpr Lanes sign = {-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1};
    Rest half{part.count / 2};
    Lanes c = __builtin_shuffle(load(cosine, half), twice), s = __builtin_shuffle(load(sine, half), twice);
    return pairs * c + __builtin_shuffle(pairs, swap) * (s * sign * direction);
}

template <typename T>
static void rms_rotary_forward(const T* x, const float* weight, const float* cosine, const float* sine, T* y, float* inverse,
                               int64_t n, int64_t d, int64_t head, float eps) {
    at::parallel_for(0, n, std::max<int64_t>(1, 8192 / d), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            const T* row = x + i * d;
            T* out = y + i * d;
            Lanes squares{};
            each_part(d, [&](int64_t j, auto part) {
                Lanes v = load(row + j, part);
                squares += v * v;
            });
            float inv = 1.0f / std::sqrt(sum(squares) / static_cast<float>(d) + eps);
            inverse[i] = inv;
            if (head == 0) {
                each_part(d, [&](int64_t j, auto part) { store(out + j, load(row + j, part) * inv * load(weight + j, part), part); });
                continue;
            }
            const float *c = cosine + i * head / 2, *s = sine + i * head / 2;
            for (int64_t h = 0; h < d; h += head) {
                each_part(head, [&](int64_t j, auto part) {
                    Lanes v = load(row + h + j, part) * inv * load(weight + h + j, part);
                    store(out + h + j, turned(v, c + j / 2, s + j / 2, part, 1), part);
                });
            }
        }
    });
}

template <typename T>
static void rms_rotary_backward(const T* x, const float* weight, const float* cosine, const float* sine, const float* inverse,
                                const T* dy, T* dx, float* dweight, int64_t n, int64_t d, int64_t head) {
    int64_t threads = at::get_num_threads();
    std::vector<float> partial(static_cast<size_t>(threads * d), 0.0f);
    at::parallel_for(0, n, std::max<int64_t>(1, n / threads + 1), [&](int64_t begin, int64_t end) {
        float* dw = partial.data() + at::get_thread_num() * d;
        std::vector<float> buffer(static_cast<size_t>(d));
        float* g = buffer.data();
        for (int64_t i = begin; i < end; i++) {
            const T *row = x + i * d, *grad = dy + i * d;
            float inv = inverse[i];
            if (head == 0) {
                each_part(d, [&](int64_t j, auto part) { store(g + j, load(grad + j, part), part); });
            } else {
                const float *c = cosine + i * head / 2, *s = sine + i * head / 2;
                for (int64_t h = 0; h < d; h += head) {
                    each_part(head, [&](int64_t j, auto part) {
                        store(g + h + j, turned(load(grad + h + j, part), c + j / 2, s + j / 2, part, -1), part);
                    });
                }
            }
            Lanes dots{};
            each_part(d, [&](int64_t j, auto part) {
                Lanes normed = load(row + j, part) * inv, v = load(g + j, part);
                store(dw + j, load(dw + j, part) + v * normed, part);
                v *= load(weight + j, part);
                store(g + j, v, part);
                dots += v * normed;
            });
            float dot = sum(dots) / static_cast<float>(d);
            each_part(d, [&](int64_t j, auto part) {
                store(dx + i * d + j, inv * (load(g + j, part) - load(row + j, part) * inv * dot), part);
            });
        }
    });
    for (int64_t j = 0; j < d; j++) {
        dweight[j] = 0;
        for (int64_t t = 0; t < threads; t++) dweight[j] += partial[static_cast<size_t>(t * d + j)];
    }
}

struct RmsRotary : torch::autograd::Function<RmsRotary> {
    static Tensor forward(AutogradContext* ctx, const Tensor& input, const Tensor& weight, const Tensor& cosine, const Tensor& sine, int64_t head, double eps) {
        Tensor x = input.contiguous(), w = weight.contiguous();
        int64_t d = x.size(-1), n = x.numel() / d;
        Tensor y = at::empty_like(x), inverse = at::empty({n}, x.options().dtype(at::kFloat));
        const float* c = head == 0 ? nullptr : cosine.data_ptr<float>();
        const float* s = head == 0 ? nullptr : sine.data_ptr<float>();
        if (x.scalar_type() == at::kBFloat16)
            rms_rotary_forward(x.data_ptr<c10::BFloat16>(), w.data_ptr<float>(), c, s, y.data_ptr<c10::BFloat16>(), inverse.data_ptr<float>(), n, d, head, static_cast<float>(eps));
        else
            rms_rotary_forward(x.data_ptr<float>(), w.data_ptr<float>(), c, s, y.data_ptr<float>(), inverse.data_ptr<float>(), n, d, head, static_cast<float>(eps));
        ctx->save_for_backward({x, w, cosine, sine, inverse});
        ctx->saved_data["head"] = head;
        return y;
    }

    static variable_list backward(AutogradContext* ctx, variable_list grads) {
        auto saved = ctx->get_saved_variables();
        const Tensor &x = saved[0], &w = saved[1], &cosine = saved[2], &sine = saved[3], &inverse = saved[4];
        int64_t head = ctx->saved_data["head"].toInt(), d = x.size(-1), n = x.numel() / d;
        Tensor dy = grads[0].contiguous(), dx = at::empty_like(x), dw = at::empty_like(w);
        const float* c = head == 0 ? nullptr : cosine.data_ptr<float>();
        const float* s = head == 0 ? nullptr : sine.data_ptr<float>();
        if (x.scalar_type() == at::kBFloat16)
            rms_rotary_backward(x.data_ptr<c10::BFloat16>(), w.data_ptr<float>(), c, s, inverse.data_ptr<float>(), dy.data_ptr<c10::BFloat16>(), dx.data_ptr<c10::BFloat16>(), dw.data_ptr<float>(), n, d, head);
        else
            rms_rotary_backward(x.data_ptr<float>(), w.data_ptr<float>(), c, s, inverse.data_ptr<float>(), dy.data_ptr<float>(), dx.data_ptr<float>(), dw.data_ptr<float>(), n, d, head);
        return {dx, dw, Tensor(), Tensor(), Tensor(), Tensor()};
    }
};

// ---------------------------------------------------------------------------------------------------------------
// GELU by its tanh approximation.

template <typename T>
static void gelu_forward(const T* x, T* y, int64_t n) {
    at::parallel_for(0, n, 32768, [&](int64_t begin, int64_t end) {
        each_part(end - begin, [&](int64_t i, auto part) {
            store(y + begin + i, gelu<T>(load(x + begin + i, part)), part);
        });
    });
}

template <typename T>
static void gelu_backward(const T* x, const T* dy, T* dx, int64_t n) {
    at::parallel_for(0, n, 32768, [&](int64_t begin, int64_t end) {
        each_part(end - begin, [&](int64_t i, auto part) {
            Lanes v = load(x + begin + i, part), u = kGeluFactor * (v + kGeluCube * v * v * v);
            Lanes s = sigmoid<T>(2 * u), slope = kGeluFactor * (1 + 3 * kGeluCube * v * v);
            store(dx + begin + i, load(dy + begin + i, part) * (s + 2 * v * s * (1 - s) * slope), part);
        });
    });
}

struct Gelu : torch::autograd::Function<Gelu> {
    static Tensor forward(AutogradContext* ctx, const Tensor& input) {
        Tensor x = input.contiguous(), y = at::empty_like(x);
        if (x.scalar_type() == at::kBFloat16)
            gelu_forward(x.data_ptr<c10::BFloat16>(), y.data_ptr<c10::BFloat16>(), x.numel());
        else
            gelu_forward(x.data_ptr<float>(), y.data_ptr<float>(), x.numel());
        ctx->save_for_backward({x});
        return y;
    }

    static variable_list backward(AutogradContext* ctx, variable_list grads) {
        auto saved = ctx->get_saved_variables();
        const Tensor& x = saved[0];
        Tensor dy = grads[0].contiguous(), dx = at::empty_like(x);
        if (x.scalar_type() == at::kBFloat16)
            gelu_backward(x.data_ptr<c10::BFloat16>(), dy.data_ptr<c10::BFloat16>(), dx.data_ptr<c10::BFloat16>(), x.numel());
        else
            gelu_backward(x.data_ptr<float>(), dy.data_ptr<float>(), dx.data_ptr<float>(), x.numel());
        return {dx};
    }
};

// ---------------------------------------------------------------------------------------------------------------
// A step of AdamW (Loshchilov and Hutter 2019) in one pass over memory: all tensors float32 and of one size.

struct AdamWStep {
    float beta1, beta2, epsilon;
    float kept;         // 1 - learning rate * weight decay
    float length;       // learning rate / (1 - beta1^steps)
    float correction2;  // 1 - beta2^steps
};

static void adamw(const Tensor& parameter, const Tensor& gradient, const Tensor& mean, const Tensor& square, const AdamWStep& step) {
    for (const Tensor& t : {parameter, mean, square})
        TORCH_CHECK(t.scalar_type() == at::kFloat && t.is_contiguous() && t.device().is_cpu() && t.sizes() == gradient.sizes(), "a step of AdamW on ", t.scalar_type(), " ", t.sizes());
    Tensor slopes = gradient.to(at::kFloat).contiguous();
    const float* g = slopes.data_ptr<float>();
    float *p = parameter.data_ptr<float>(), *m = mean.data_ptr<float>(), *v = square.data_ptr<float>();
    at::parallel_for(0, parameter.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
        each_part(end - begin, [&](int64_t offset, auto part) {
            int64_t i = begin + offset;
            Lanes slope = load(g + i, part);
            Lanes average = step.beta1 * load(m + i, part) + (1 - step.beta1) * slope;
            Lanes power = step.beta2 * load(v + i, part) + (1 - step.beta2) * slope * slope;
            store(m + i, average, part);
            store(v + i, power, part);
            store(p + i, load(p + i, part) * step.kept - step.length * average / (square_root(power / step.correction2) + step.epsilon), part);
        });
    });
}

}  // namespace sora

using namespace sora;

// Moves a parameter by its gradient, and the optimiser's mean and square with it. Returns 0, or -1 with an error.
SORA_API int32_t sora_adamw(int64_t parameter, int64_t gradient, int64_t mean, int64_t square, double beta1, double beta2, double epsilon,
                            double kept, double length, double correction2) {
    return guarded([&] {
        at::NoGradGuard no_gradients;
        adamw(borrow(parameter), borrow(gradient), borrow(mean), borrow(square),
              {static_cast<float>(beta1), static_cast<float>(beta2), static_cast<float>(epsilon), static_cast<float>(kept), static_cast<float>(length), static_cast<float>(correction2)});
        return 0;
    }, -1);
}

SORA_API int64_t sora_gelu(int64_t x) {
    return guarded([&] { return give(Gelu::apply(borrow(x))); }, int64_t{0});
}

SORA_API int64_t sora_channel_norm(int64_t x, int64_t gamma, int32_t silu) {
    return guarded([&] { return give(ChannelNorm::apply(borrow(x), borrow(gamma), silu != 0)); }, int64_t{0});
}

SORA_API int64_t sora_time_windows(int64_t x, int64_t length, int64_t stride) {
    return guarded([&] { return give(TimeWindows::apply(borrow(x), length, stride)); }, int64_t{0});
}

SORA_API int64_t sora_norm_modulate(int64_t x, int64_t scale, int64_t shift, int64_t rows, double eps, int32_t dtype) {
    return guarded([&] { return give(NormModulate::apply(borrow(x), borrow(scale), borrow(shift), borrow(rows), eps, static_cast<int64_t>(dtype))); }, int64_t{0});
}

SORA_API int64_t sora_add_gated(int64_t x, int64_t y, int64_t gate, int64_t rows) {
    return guarded([&] { return give(AddGated::apply(borrow(x), borrow(y), borrow(gate), borrow(rows))); }, int64_t{0});
}

SORA_API int64_t sora_rms_rotary(int64_t x, int64_t weight, int64_t cosine, int64_t sine, int64_t head, double eps) {
    return guarded([&] { return give(RmsRotary::apply(borrow(x), borrow(weight), borrow(cosine), borrow(sine), head, eps)); }, int64_t{0});
}
