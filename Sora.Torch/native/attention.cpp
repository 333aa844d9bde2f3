// softmax(scale q kT + bias) v in bfloat16 on the processor's matrix tiles (AMX), without the matrix of scores: keys go by in
// blocks under a running maximum and sum (Milakov, Gimelshein 2018; Dao et al. 2022), and the backward pass computes each
// block of them again. Memory grows with the number of tokens. Processors without AMX take the composed path of
// Sora.Torch/Attention.cs.
#include "sora_torch.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "lanes.h"
#include "products.h"

#ifdef SORA_AMX
#include <cmath>

namespace sora {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kQueries = 32;     // rows of a block of queries
constexpr int64_t kGroup = 4;        // blocks of queries that a block of keys is read for
constexpr int64_t kKeys = 128;       // keys of a block
constexpr int64_t kMostWidth = 256;  // channels of a head
constexpr int64_t kBlock = 64;       // queries and keys of a block of the backward pass
constexpr float kLog2E = 1.44269504f;

// [B, H, N, d] of bfloat16, its channels side by side.
struct View {
    const uint16_t* data;
    int64_t batch, head, row;  // strides in elements

    explicit View(const at::Tensor& t)
        : data(reinterpret_cast<const uint16_t*>(t.data_ptr<c10::BFloat16>())), batch(t.stride(0)), head(t.stride(1)), row(t.stride(2)) {}

    const uint16_t* at(int64_t b, int64_t h) const { return data + b * batch + h * head; }
    // Rows as rows, and as columns.
    Matrix rows(int64_t b, int64_t h) const { return {at(b, h), row, 1}; }
    Matrix columns(int64_t b, int64_t h) const { return {at(b, h), 1, row}; }
};

static at::Tensor with_near_channels(const at::Tensor& t) { return t.stride(3) == 1 ? t : t.contiguous(); }

static void pack_panels(const Matrix& b, int64_t depth, int64_t columns, uint16_t* out) {
    for (int64_t c = 0; c < columns; c += kSide, out += packed_size(depth, kSide)) pack_panel(b, depth, c, columns, out);
}

// What a call of attention is about, beside its tensors.
struct Scores {
    float scale;                       // of q kT, in units of log 2
    const float* bias = nullptr;       // [H, N + M - 1]: of key j to query i at j - i + N - 1, in units of log 2
    const int64_t* lengths = nullptr;  // how many keys each of the B has; null: all M
};

// ---------------------------------------------------------------------------------------------------------------
// Forward.

// What a key that is not there scores: finite, so that 2^x needs no test, and far below all others.
constexpr float kNothing = -1e30f;

struct QueryBlock {
    alignas(64) uint16_t queries[kQueries * kMostWidth];
    alignas(64) float output[kQueries * kMostWidth];
    float maximum[kQueries];
    float sum[kQueries];
};

struct ForwardScratch {
    QueryBlock blocks[kGroup];
    alignas(64) float scores[kQueries * kKeys];
    alignas(64) uint16_t weights[kQueries * kKeys];
};

// Scores to weights 2^(score - maximum); what came before is scaled down when the maximum grows. `bias`, if any, is that of
// the block's first key to row 0, and goes one place back with each row.
static void weigh_block(ForwardScratch& s, QueryBlock& block, int64_t valid, int64_t d, float scale, const float* bias, bool first) {
    int64_t columns = (valid + kSide - 1) / kSide * kSide;
    for (int64_t row = 0; row < kQueries; row++) {
        float* scores = s.scores + row * kKeys;
        float unit = scale;
        if (bias) {
            for (int64_t j = 0; j < valid; j++) scores[j] = scores[j] * scale + bias[j - row];
            unit = 1;
        }
        for (int64_t j = valid; j < columns; j++) scores[j] = kNothing;
        const __m512 factor = _mm512_set1_ps(unit);
        __m512 highest = _mm512_load_ps(scores);
        for (int64_t j = 16; j < columns; j += 16) highest = _mm512_max_ps(highest, _mm512_load_ps(scores + j));
        float maximum = std::max(block.maximum[row], _mm512_reduce_max_ps(highest) * unit);
        const __m512 base = _mm512_set1_ps(maximum);
        __m512 total = _mm512_setzero_ps();
        for (int64_t j = 0; j < columns; j += 32) {
            __m512 a = exp2_coarse(_mm512_fmsub_ps(_mm512_load_ps(scores + j), factor, base));
            __m512 b = exp2_coarse(_mm512_fmsub_ps(_mm512_load_ps(scores + j + 16), factor, base));
            total = _mm512_add_ps(total, _mm512_add_ps(a, b));
            __m512bh both = _mm512_cvtne2ps_pbh(b, a);
            _mm512_store_si512(s.weights + row * kKeys + j, reinterpret_cast<__m512i&>(both));
        }
        float shrink = std::exp2(block.maximum[row] - maximum);
        block.sum[row] = block.sum[row] * shrink + _mm512_reduce_add_ps(total);
        block.maximum[row] = maximum;
        if (first || shrink == 1.0f) continue;
        float* output = block.output + row * d;
        for (int64_t j = 0; j < d; j += 16)
            _mm512_store_ps(output + j, _mm512_mul_ps(_mm512_load_ps(output + j), _mm512_set1_ps(shrink)));
    }
}

// The output of some blocks of queries over all keys. Each block of keys is read once for all of them: at some thousand
// tokens it comes from memory. `bias` is that of the first key to the first query.
static void attend_rows(ForwardScratch& s, int64_t count, const uint16_t* keys, const uint16_t* values, int64_t valid, int64_t d, float scale,
                        const float* bias) {
    int64_t key_panel = packed_size(d, kSide), value_panel = packed_size(valid, kSide);
    LeftRows weights{s.weights, s.weights + kTile * kKeys, kKeys * 2, kTileDepth};
    for (int64_t key = 0; key < valid; key += kKeys) {
        int64_t here = std::min(kKeys, valid - key);
        for (int64_t i = 0; i < count; i++) {
            QueryBlock& block = s.blocks[i];
            LeftRows queries{block.queries, block.queries + kTile * d, d * 2, kTileDepth};
            for (int64_t column = 0; column < here; column += kSide)
                sum_block(queries, keys + (key + column) / kSide * key_panel, d / kTileDepth, s.scores + column, kKeys, false);
            weigh_block(s, block, here, d, scale, bias ? bias + key - i * kQueries : nullptr, key == 0);
            const uint16_t* panel = values + key / kTileDepth * 2 * kTileElements;
            for (int64_t column = 0; column < d; column += kSide, panel += value_panel)
                sum_block(weights, panel, (here + kTileDepth - 1) / kTileDepth, block.output + column, d, key > 0);
        }
    }
}

// The result [B, H, N, d], in memory [B, N, H, d]; `norms` [B, H, N], if any, takes the log2 of each query's sum of weights.
static at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, const Scores& scores, float* norms) {
    at::Tensor q = with_near_channels(query), k = with_near_channels(key), v = with_near_channels(value);
    int64_t b = q.size(0), h = q.size(1), n = q.size(2), d = q.size(3), m = k.size(2);
    int64_t packed = packed_size(d, m);  // one head's keys, or values
    at::Tensor memory = at::empty({2 * b * h * packed + 32}, q.options());
    auto* keys = reinterpret_cast<uint16_t*>((reinterpret_cast<uintptr_t>(memory.data_ptr()) + 63) / 64 * 64);
    uint16_t* values = keys + b * h * packed;
    View qs(q), ks(k), vs(v);
    auto keys_of = [&](int64_t clip) { return scores.lengths ? scores.lengths[clip] : m; };
    at::parallel_for(0, b * h, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            pack_panels(ks.columns(i / h, i % h), d, keys_of(i / h), keys + i * packed);
            pack_panels(vs.rows(i / h, i % h), keys_of(i / h), d, values + i * packed);
        }
    });

    at::Tensor result = at::empty({b, n, h, d}, q.options());
    auto* out = reinterpret_cast<uint16_t*>(result.data_ptr<c10::BFloat16>());
    constexpr int64_t kTogether = kGroup * kQueries;
    int64_t groups = (n + kTogether - 1) / kTogether;
    at::parallel_for(0, b * h * groups, 1, [&](int64_t begin, int64_t end) {
        TileSession tiles;
        static thread_local std::unique_ptr<ForwardScratch> scratch;
        if (!scratch) scratch = std::make_unique<ForwardScratch>();
        for (int64_t task = begin; task < end; task++) {
            int64_t i = task / groups, clip = i / h, head = i % h, first = task % groups * kTogether, rows = std::min(kTogether, n - first);
            for (int64_t row = 0; row < (rows + kQueries - 1) / kQueries * kQueries; row++) {
                QueryBlock& block = scratch->blocks[row / kQueries];
                uint16_t* target = block.queries + row % kQueries * d;
                if (row < rows)
                    std::memcpy(target, qs.at(clip, head) + (first + row) * qs.row, static_cast<size_t>(d) * 2);
                else
                    std::memset(target, 0, static_cast<size_t>(d) * 2);
                block.maximum[row % kQueries] = kNothing;
                block.sum[row % kQueries] = 0;
            }
            // Rows beyond the last read what is before the table.
            const float* bias = scores.bias ? scores.bias + head * (n + m - 1) + (n - 1 - first) : nullptr;
            attend_rows(*scratch, (rows + kQueries - 1) / kQueries, keys + i * packed, values + i * packed, keys_of(clip), d, scores.scale, bias);
            for (int64_t row = 0; row < rows; row++) {
                QueryBlock& block = scratch->blocks[row / kQueries];
                const float* output = block.output + row % kQueries * d;
                const __m512 inverse = _mm512_set1_ps(1.0f / block.sum[row % kQueries]);
                uint16_t* target = out + ((clip * n + first + row) * h + head) * d;
                for (int64_t j = 0; j < d; j += 32) {
                    __m512bh both = _mm512_cvtne2ps_pbh(_mm512_mul_ps(_mm512_load_ps(output + j + 16), inverse), _mm512_mul_ps(_mm512_load_ps(output + j), inverse));
                    _mm512_storeu_si512(target + j, reinterpret_cast<__m512i&>(both));
                }
                if (norms) norms[i * n + first + row] = block.maximum[row % kQueries] + std::log2(block.sum[row % kQueries]);
            }
        }
    });
    return result.transpose(1, 2);
}

// ---------------------------------------------------------------------------------------------------------------
// Backward. With P the weights and D the product of result and its gradient, summed over channels:
// dv = PT do, dS = P (do vT - D), dq = scale dS k, dk = scale dST q.

struct BackwardScratch {
    alignas(64) float scores[kBlock * kBlock];
    alignas(64) float slopes[kBlock * kBlock];
    alignas(64) uint16_t weights[kBlock * kBlock];
    alignas(64) uint16_t changes[kBlock * kBlock];
    alignas(64) uint16_t turned[kBlock * kBlock];
    alignas(64) float key_sums[kBlock * kMostWidth];
    alignas(64) float value_sums[kBlock * kMostWidth];
    Scratch memory;
    Scratch query_sums;
};

// sums [64, columns] (+)= left [64, depth] x the panels' depth from `chunk` on; `panel` numbers from one panel to the next.
static void add_block(const LeftRows (&left)[2], const uint16_t* panels, int64_t panel, int64_t chunks, float* sums, int64_t columns, bool onto) {
    for (int64_t c = 0; c < columns; c += kSide, panels += panel) {
        sum_block(left[0], panels, chunks, sums + c, columns, onto);
        sum_block(left[1], panels, chunks, sums + kSide * columns + c, columns, onto);
    }
}

// Rows of 64 numbers, and the same turned about the diagonal, as left operands.
static void rows_of_block(const uint16_t* block, LeftRows (&left)[2]) {
    for (int64_t i = 0; i < 2; i++) {
        const uint16_t* upper = block + i * kSide * kBlock;
        left[i] = {upper, upper + kTile * kBlock, kBlock * 2, kTileDepth};
    }
}

static void turned_rows_of_block(const uint16_t* block, uint16_t* memory, LeftRows (&left)[2]) {
    Matrix turned{block, 1, kBlock};
    for (int64_t i = 0; i < 2; i++) {
        uint16_t* start = memory + i * kSide * kBlock;
        pack_rows(turned, i * kSide, kBlock, 0, kBlock, start);
        left[i] = {start, start + kTileElements, 64, 2 * kTileElements};
    }
}

// All rows as left operands, with zeros for those beyond the last.
static void pack_all_rows(const Matrix& rows, int64_t count, int64_t d, uint16_t* out) {
    for (int64_t row = 0; row < count; row += kSide) pack_rows(rows, row, count, 0, d, out + row * d);
}

static void packed_rows(const uint16_t* packed, int64_t first, int64_t d, LeftRows (&left)[2]) {
    for (int64_t i = 0; i < 2; i++) {
        const uint16_t* start = packed + (first + i * kSide) * d;
        left[i] = {start, start + kTileElements, 64, 2 * kTileElements};
    }
}

static void write_rows(const float* sums, int64_t rows, int64_t d, float scale, uint16_t* out, int64_t stride) {
    const __m512 factor = _mm512_set1_ps(scale);
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t j = 0; j < d; j += 32) {
            __m512bh both = _mm512_cvtne2ps_pbh(_mm512_mul_ps(_mm512_loadu_ps(sums + row * d + j + 16), factor),
                                                _mm512_mul_ps(_mm512_loadu_ps(sums + row * d + j), factor));
            _mm512_storeu_si512(out + row * stride + j, reinterpret_cast<__m512i&>(both));
        }
    }
}

// One head of one clip; the gradients' rows lie `stride` numbers apart.
static void backward_of_head(const Matrix& q, const Matrix& k, const Matrix& v, const Matrix& result, const Matrix& gradient, const float* norms,
                             int64_t n, int64_t m, int64_t d, BackwardScratch& s, uint16_t* dq, uint16_t* dk, uint16_t* dv, int64_t stride) {
    // Whole blocks of 64, so that the last one's depth is 64 too.
    int64_t queries = (n + kBlock - 1) / kBlock * kBlock, keys = (m + kBlock - 1) / kBlock * kBlock;
    auto* memory = s.memory.of<uint16_t>((4 * queries + 3 * keys) * d + 2 * queries);
    uint16_t *left_queries = memory, *left_gradients = left_queries + queries * d, *right_queries = left_gradients + queries * d,
             *right_gradients = right_queries + queries * d, *score_keys = right_gradients + queries * d, *slope_values = score_keys + keys * d,
             *right_keys = slope_values + keys * d;
    auto* dots = reinterpret_cast<float*>(right_keys + keys * d);
    std::memset(memory, 0, static_cast<size_t>((4 * queries + 3 * keys) * d) * 2);
    pack_all_rows(q, n, d, left_queries);
    pack_all_rows(gradient, n, d, left_gradients);
    int64_t query_panel = packed_size(queries, kSide), key_panel = packed_size(keys, kSide), width_panel = packed_size(d, kSide);
    for (int64_t c = 0; c < d; c += kSide) {
        pack_panel(q, n, c, d, right_queries + c / kSide * query_panel);
        pack_panel(gradient, n, c, d, right_gradients + c / kSide * query_panel);
        pack_panel(k, m, c, d, right_keys + c / kSide * key_panel);
    }
    pack_panels({k.data, 1, k.row}, d, m, score_keys);
    pack_panels({v.data, 1, v.row}, d, m, slope_values);
    for (int64_t i = 0; i < n; i++) {
        __m512 total = _mm512_setzero_ps();
        for (int64_t j = 0; j < d; j += 16) {
            __m512 a = floats_of(result.data + i * result.row + j), b = floats_of(gradient.data + i * gradient.row + j);
            total = _mm512_fmadd_ps(a, b, total);
        }
        dots[i] = _mm512_reduce_add_ps(total);
    }

    float natural = 1 / std::sqrt(static_cast<float>(d));
    const __m512 scale = _mm512_set1_ps(natural * kLog2E);
    auto* query_sums = s.query_sums.of<float>(queries * d);
    std::memset(query_sums, 0, sizeof(float) * static_cast<size_t>(queries * d));
    LeftRows left[2];
    for (int64_t key = 0; key < m; key += kBlock) {
        int64_t valid = std::min(kBlock, m - key);
        for (int64_t query = 0; query < n; query += kBlock) {
            int64_t rows = std::min(kBlock, n - query);
            packed_rows(left_queries, query, d, left);
            add_block(left, score_keys + key / kSide * width_panel, width_panel, d / kTileDepth, s.scores, kBlock, false);
            packed_rows(left_gradients, query, d, left);
            add_block(left, slope_values + key / kSide * width_panel, width_panel, d / kTileDepth, s.slopes, kBlock, false);
            for (int64_t r = 0; r < kBlock; r++) {
                uint16_t *weights = s.weights + r * kBlock, *changes = s.changes + r * kBlock;
                if (r >= rows) {
                    std::memset(weights, 0, kBlock * 2);
                    std::memset(changes, 0, kBlock * 2);
                    continue;
                }
                const __m512 norm = _mm512_set1_ps(norms[query + r]), dot = _mm512_set1_ps(dots[query + r]);
                for (int64_t j = 0; j < kBlock; j += 32) {
                    __m512 p[2], c[2];
                    for (int64_t half = 0; half < 2; half++) {
                        int64_t at = j + half * 16, count = valid - at;
                        auto mask = static_cast<__mmask16>(count >= 16 ? 0xffff : count <= 0 ? 0 : (1u << count) - 1);
                        __m512 score = _mm512_load_ps(s.scores + r * kBlock + at);
                        p[half] = _mm512_maskz_mov_ps(mask, exp2_coarse(_mm512_fmsub_ps(score, scale, norm)));
                        c[half] = _mm512_mul_ps(p[half], _mm512_sub_ps(_mm512_load_ps(s.slopes + r * kBlock + at), dot));
                    }
                    __m512bh weight = _mm512_cvtne2ps_pbh(p[1], p[0]), change = _mm512_cvtne2ps_pbh(c[1], c[0]);
                    _mm512_store_si512(weights + j, reinterpret_cast<__m512i&>(weight));
                    _mm512_store_si512(changes + j, reinterpret_cast<__m512i&>(change));
                }
            }
            rows_of_block(s.changes, left);
            add_block(left, right_keys + key / kTileDepth * 2 * kTileElements, key_panel, 2, query_sums + query * d, d, true);
            turned_rows_of_block(s.weights, s.turned, left);
            add_block(left, right_gradients + query / kTileDepth * 2 * kTileElements, query_panel, 2, s.value_sums, d, query > 0);
            turned_rows_of_block(s.changes, s.turned, left);
            add_block(left, right_queries + query / kTileDepth * 2 * kTileElements, query_panel, 2, s.key_sums, d, query > 0);
        }
        write_rows(s.value_sums, valid, d, 1, dv + key * stride, stride);
        write_rows(s.key_sums, valid, d, natural, dk + key * stride, stride);
    }
    write_rows(query_sums, n, d, natural, dq, stride);
}

struct TileAttention : torch::autograd::Function<TileAttention> {
    static at::Tensor forward(AutogradContext* ctx, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
        at::Tensor norms = at::empty({q.size(0), q.size(1), q.size(2)}, q.options().dtype(at::kFloat));
        at::Tensor result = attend(q, k, v, {kLog2E / std::sqrt(static_cast<float>(q.size(3)))}, norms.data_ptr<float>());
        ctx->save_for_backward({q, k, v, result, norms});
        return result;
    }

    static variable_list backward(AutogradContext* ctx, variable_list gradients) {
        auto saved = ctx->get_saved_variables();
        at::Tensor q = with_near_channels(saved[0]), k = with_near_channels(saved[1]), v = with_near_channels(saved[2]);
        at::Tensor result = saved[3], norms = saved[4], gradient = with_near_channels(gradients[0]);
        int64_t b = q.size(0), h = q.size(1), n = q.size(2), d = q.size(3), m = k.size(2);
        at::Tensor dq = at::empty({b, n, h, d}, q.options()), dk = at::empty({b, m, h, d}, q.options()), dv = at::empty({b, m, h, d}, q.options());
        View qs(q), ks(k), vs(v), results(result), gs(gradient);
        auto numbers = [](const at::Tensor& t) { return reinterpret_cast<uint16_t*>(t.data_ptr<c10::BFloat16>()); };
        at::parallel_for(0, b * h, 1, [&](int64_t begin, int64_t end) {
            TileSession tiles;
            static thread_local std::unique_ptr<BackwardScratch> scratch;
            if (!scratch) scratch = std::make_unique<BackwardScratch>();
            for (int64_t i = begin; i < end; i++) {
                int64_t clip = i / h, head = i % h;
                backward_of_head(qs.rows(clip, head), ks.rows(clip, head), vs.rows(clip, head), results.rows(clip, head), gs.rows(clip, head),
                                 norms.data_ptr<float>() + i * n, n, m, d, *scratch, numbers(dq) + (clip * n * h + head) * d,
                                 numbers(dk) + (clip * m * h + head) * d, numbers(dv) + (clip * m * h + head) * d, h * d);
            }
            constexpr size_t kKept = 16 << 20;
            scratch->memory.release_above(kKept);
            scratch->query_sums.release_above(kKept);
        });
        return {dq.transpose(1, 2), dk.transpose(1, 2), dv.transpose(1, 2)};
    }
};

}  // namespace sora

#endif

using namespace sora;

// Whether sora_attention can be used on this machine.
SORA_API int32_t sora_attention_available() {
#ifdef SORA_AMX
    return tiles_allowed() ? 1 : 0;
#else
    return 0;
#endif
}

// softmax(q kT / sqrt(d)) v of q [B, H, N, d] and k, v [B, H, M, d], bfloat16, d a multiple of 32 up to 256; with gradients.
SORA_API int64_t sora_attention(int64_t q, int64_t k, int64_t v) {
#ifdef SORA_AMX
    return guarded([&] { return give(TileAttention::apply(borrow(q), borrow(k), borrow(v))); }, int64_t{0});
#else
    set_last_error("this library was built for a processor without AMX");
    return 0;
#endif
}

// softmax(q kT + bias) v of the same over the first `lengths` [B] int64 keys of each; bias [H, N + M - 1] float32 is that of
// key j to query i at j - i + N - 1. No gradients.
SORA_API int64_t sora_relative_attention(int64_t q, int64_t k, int64_t v, int64_t bias, int64_t lengths) {
#ifdef SORA_AMX
    return guarded(
        [&] {
            at::Tensor query = borrow(q), table = (borrow(bias) * kLog2E).contiguous(), counts = borrow(lengths).contiguous();
            // Blocks of queries reach beyond the last, and read the table before its beginning.
            at::Tensor padded = at::zeros({table.numel() + kQueries}, table.options());
            padded.narrow(0, kQueries, table.numel()).copy_(table.flatten());
            Scores scores{kLog2E, padded.data_ptr<float>() + kQueries, counts.data_ptr<int64_t>()};
            return give(attend(query, borrow(k), borrow(v), scores, nullptr));
        },
        int64_t{0});
#else
    set_last_error("this library was built for a processor without AMX");
    return 0;
#endif
}
