// softmax(q kT / sqrt(d)) v in float32 for processors without matrix tiles, without the matrix of scores: a block of queries at a time
// has its scores with all keys, and the backward pass computes them again (Dao et al. 2022). Products are OpenBLAS', a head or a
// block of queries on each of libtorch's threads.
#include "sora_torch.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "blas.h"
#include "lanes.h"

namespace sora {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kMostScores = 1 << 16;  // of a block of queries: a quarter of a megabyte, half of a core's second cache

// One head: rows of d numbers, `stride` apart.
struct HeadRows {
    float* data;
    int64_t stride;
    float* row(int64_t i) const { return data + i * stride; }
};

struct Heads {
    // The stride of a single row may be anything.
    explicit Heads(const at::Tensor& t) : data(t.data_ptr<float>()), batch(t.stride(0)), head(t.stride(1)), row(std::max(t.stride(2), t.size(3))) {}
    HeadRows of(int64_t b, int64_t h) const { return {data + b * batch + h * head, row}; }
    float* data;
    int64_t batch, head, row;
};

static at::Tensor float_rows(const at::Tensor& t) {
    at::Tensor wide = t.to(at::kFloat);
    return wide.stride(3) == 1 && wide.stride(2) >= wide.size(3) ? wide : wide.contiguous();
}

// c [m, n] = alpha * a b + beta * c, by this thread.
struct Product {
    Sgemm sgemm;

    // b is [n, k], so that its rows are the result's columns.
    void by_rows(const HeadRows& a, const HeadRows& b, float* c, int64_t stride, int64_t m, int64_t n, int64_t k, float alpha) const {
        call(kAsItIs, kTransposed, a, b, c, stride, m, n, k, alpha, 0);
    }

    void plain(const HeadRows& a, const HeadRows& b, float* c, int64_t stride, int64_t m, int64_t n, int64_t k, float alpha, float beta) const {
        call(kAsItIs, kAsItIs, a, b, c, stride, m, n, k, alpha, beta);
    }

    // a is [k, m].
    void turned(const HeadRows& a, const HeadRows& b, float* c, int64_t stride, int64_t m, int64_t n, int64_t k, float alpha, float beta) const {
        call(kTransposed, kAsItIs, a, b, c, stride, m, n, k, alpha, beta);
    }

private:
    void call(int turn_a, int turn_b, const HeadRows& a, const HeadRows& b, float* c, int64_t stride, int64_t m, int64_t n, int64_t k, float alpha, float beta) const {
        multiply(sgemm, turn_a, turn_b, m, n, k, alpha, a.data, a.stride, b.data, b.stride, beta, c, stride);
    }
};

static int64_t queries_of_block(int64_t n, int64_t m) { return std::min(n, std::max<int64_t>(16, kMostScores / m)); }

static float largest(const float* row, int64_t count) {
    Lanes most = lanes_of(row[0]);
    each_part(count, [&](int64_t j, auto part) {
        // Lanes beyond the last are the first number again.
        Lanes value = lanes_of(row[0]);
        std::memcpy(&value, row + j, part.count * sizeof(float));
        most = value > most ? value : most;
    });
    float result = most[0];
    for (int64_t i = 1; i < kLanes; i++) result = std::max(result, most[i]);
    return result;
}

// Scores [rows, m] become weights e^score / sum, and each row's norm, the logarithm of that sum, is kept.
static void weigh(float* scores, int64_t rows, int64_t m, float* norms) {
    for (int64_t i = 0; i < rows; i++) {
        float* row = scores + i * m;
        float highest = largest(row, m);
        Lanes total{};
        each_part(m, [&](int64_t j, auto part) {
            Lanes weight = exp_approx(load(row + j, part) - highest);
            store(row + j, weight, part);
            // Lanes beyond the last have a weight too, which does not count.
            if constexpr (part.whole) total += weight;
            else for (size_t lane = 0; lane < part.count; lane++) total[lane] += weight[lane];
        });
        float weights = sum(total), share = 1 / weights;
        norms[i] = highest + std::log(weights);
        each_part(m, [&](int64_t j, auto part) { store(row + j, load(row + j, part) * share, part); });
    }
}

// The same weights again, of scores whose norms are known.
static void weigh_again(float* scores, int64_t rows, int64_t m, const float* norms) {
    for (int64_t i = 0; i < rows; i++)
        each_part(m, [&](int64_t j, auto part) { store(scores + i * m + j, exp_approx(load(scores + i * m + j, part) - norms[i]), part); });
}

struct FloatAttention : torch::autograd::Function<FloatAttention> {
    static at::Tensor forward(AutogradContext* ctx, const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
        Product product{own_sgemm()};
        at::Tensor q = float_rows(query), k = float_rows(key), v = float_rows(value);
        int64_t b = q.size(0), h = q.size(1), n = q.size(2), d = q.size(3), m = k.size(2), block = queries_of_block(n, m), blocks = (n + block - 1) / block;
        float scale = 1 / std::sqrt(static_cast<float>(d));
        at::Tensor result = at::empty({b, n, h, d}, q.options()).transpose(1, 2), norms = at::empty({b, h, n}, q.options());
        Heads qs(q), ks(k), vs(v), results(result);
        float* all_norms = norms.data_ptr<float>();
        at::parallel_for(0, b * h * blocks, 1, [&](int64_t begin, int64_t end) {
            std::vector<float> scores(static_cast<size_t>(block * m));
            for (int64_t task = begin; task < end; task++) {
                int64_t i = task / blocks, first = task % blocks * block, rows = std::min(block, n - first);
                HeadRows out = results.of(i / h, i % h), own = qs.of(i / h, i % h);
                product.by_rows({own.row(first), own.stride}, ks.of(i / h, i % h), scores.data(), m, rows, m, d, scale);
                weigh(scores.data(), rows, m, all_norms + i * n + first);
                product.plain({scores.data(), m}, vs.of(i / h, i % h), out.row(first), out.stride, rows, d, m, 1, 0);
            }
        });
        ctx->save_for_backward({q, k, v, result, norms});
        return result.to(query.scalar_type());
    }

    // With P the weights and D the product of result and its gradient, summed over channels: dv = PT do, dS = P (do vT - D),
    // dq = dS k / sqrt(d), dk = dST q / sqrt(d).
    static variable_list backward(AutogradContext* ctx, variable_list gradients) {
        Product product{own_sgemm()};
        auto saved = ctx->get_saved_variables();
        at::Tensor q = saved[0], k = saved[1], v = saved[2], result = saved[3], norms = saved[4], gradient = float_rows(gradients[0]);
        int64_t b = q.size(0), h = q.size(1), n = q.size(2), d = q.size(3), m = k.size(2), block = queries_of_block(n, m);
        float scale = 1 / std::sqrt(static_cast<float>(d));
        auto like = [&](int64_t rows) { return at::empty({b, rows, h, d}, q.options()).transpose(1, 2); };
        at::Tensor dq = like(n), dk = like(m), dv = like(m);
        Heads qs(q), ks(k), vs(v), results(result), slopes(gradient), dqs(dq), dks(dk), dvs(dv);
        float* all_norms = norms.data_ptr<float>();
        at::parallel_for(0, b * h, 1, [&](int64_t begin, int64_t end) {
            std::vector<float> weights(static_cast<size_t>(block * m)), changes(static_cast<size_t>(block * m));
            for (int64_t i = begin; i < end; i++) {
                HeadRows own = qs.of(i / h, i % h), keys = ks.of(i / h, i % h), values = vs.of(i / h, i % h), out = results.of(i / h, i % h), slope = slopes.of(i / h, i % h);
                HeadRows own_change = dqs.of(i / h, i % h), key_change = dks.of(i / h, i % h), value_change = dvs.of(i / h, i % h);
                for (int64_t first = 0; first < n; first += block) {
                    int64_t rows = std::min(block, n - first);
                    HeadRows here{own.row(first), own.stride}, slope_here{slope.row(first), slope.stride}, p{weights.data(), m}, change{changes.data(), m};
                    product.by_rows(here, keys, weights.data(), m, rows, m, d, scale);
                    weigh_again(weights.data(), rows, m, all_norms + i * n + first);
                    product.by_rows(slope_here, values, changes.data(), m, rows, m, d, 1);
                    for (int64_t r = 0; r < rows; r++) {
                        Lanes dots{};
                        each_part(d, [&](int64_t j, auto part) { dots += load(out.row(first + r) + j, part) * load(slope_here.row(r) + j, part); });
                        float dot = sum(dots);
                        each_part(m, [&](int64_t j, auto part) { store(change.row(r) + j, load(p.row(r) + j, part) * (load(change.row(r) + j, part) - dot), part); });
                    }
                    float onto = first > 0 ? 1.0f : 0.0f;
                    product.turned(p, slope_here, value_change.data, value_change.stride, m, d, rows, 1, onto);
                    product.turned(change, here, key_change.data, key_change.stride, m, d, rows, scale, onto);
                    product.plain(change, keys, own_change.row(first), own_change.stride, rows, d, m, scale, 0);
                }
            }
        });
        auto type = gradients[0].scalar_type();
        return {dq.to(type), dk.to(type), dv.to(type)};
    }
};

}  // namespace sora

using namespace sora;

// Whether sora_float_attention can be used on this machine.
SORA_API int32_t sora_float_attention_available() { return own_sgemm() ? 1 : 0; }

// softmax(q kT / sqrt(d)) v of q [B, H, N, d] and k, v [B, H, M, d], computed in float32, in the type of q; with gradients.
SORA_API int64_t sora_float_attention(int64_t q, int64_t k, int64_t v) {
    return guarded([&] { return give(FloatAttention::apply(borrow(q), borrow(k), borrow(v))); }, int64_t{0});
}
