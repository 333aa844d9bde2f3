// softmax(q kT / sqrt(d)) v in bfloat16 on the processor's matrix tiles (AMX), without the matrix of scores: keys go by in
// blocks under a running maximum and sum (Milakov, Gimelshein 2018; Dao et al. 2022). Memory grows with the number of
// tokens. Processors without AMX take the composed path of Sora.Torch/Attention.cs.
#include "sora_torch.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <memory>
#define SORA_AMX 1
#endif

namespace sora {

#ifdef SORA_AMX

constexpr int64_t kQueries = 32;  // rows of a block of queries: two tiles
constexpr int64_t kKeys = 128;    // keys of a block
constexpr int64_t kTile = 16;     // rows of a tile; a row holds 16 floats or 32 bfloat16

struct alignas(64) TileConfig {
    uint8_t palette = 1;
    uint8_t start_row = 0;
    uint8_t reserved[14] = {};
    uint16_t bytes_per_row[16] = {};
    uint8_t rows[16] = {};
};

// Linux gives a process the tiles when it asks.
static bool tiles_allowed() {
    static const bool allowed = [] {
        constexpr int kRequestPermission = 0x1023, kTileData = 18;
        return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
    }();
    return allowed;
}

class TileSession {
public:
    TileSession() {
        TileConfig config;
        for (int i = 0; i < 8; i++) {
            config.bytes_per_row[i] = 64;
            config.rows[i] = kTile;
        }
        _tile_loadconfig(&config);
    }
    ~TileSession() { _tile_release(); }
    TileSession(const TileSession&) = delete;
    TileSession& operator=(const TileSession&) = delete;
};

struct View {
    const uint16_t* data;
    int64_t batch, head, row;  // strides in elements

    const uint16_t* at(int64_t b, int64_t h, int64_t n) const { return data + b * batch + h * head + n * row; }
};

static View view_of(const at::Tensor& t) {
    return {reinterpret_cast<const uint16_t*>(t.data_ptr<c10::BFloat16>()), t.stride(0), t.stride(1), t.stride(2)};
}

// Keys as right operands of q kT: for 16 keys and 32 channels a tile whose row k holds channels 2k, 2k+1 of each key.
static void pack_keys(const View& keys, int64_t b, int64_t h, int64_t m, int64_t padded, int64_t d, uint32_t* out) {
    for (int64_t block = 0; block < padded; block += kTile) {
        for (int64_t chunk = 0; chunk < d; chunk += 32) {
            for (int64_t n = 0; n < kTile; n++) {
                if (block + n < m) {
                    const auto* words = reinterpret_cast<const uint32_t*>(keys.at(b, h, block + n) + chunk);
                    for (int64_t k = 0; k < kTile; k++) out[k * kTile + n] = words[k];
                } else {
                    for (int64_t k = 0; k < kTile; k++) out[k * kTile + n] = 0;
                }
            }
            out += kTile * kTile;
        }
    }
}

// Values as right operands of p v: for 32 keys and 16 channels a tile whose row k holds keys 2k, 2k+1 of each channel.
static void pack_values(const View& values, int64_t b, int64_t h, int64_t m, int64_t padded, int64_t d, uint32_t* out) {
    for (int64_t block = 0; block < padded; block += 32) {
        for (int64_t channel = 0; channel < d; channel += kTile) {
            for (int64_t k = 0; k < kTile; k++) {
                int64_t even = block + 2 * k, odd = even + 1;
                const uint16_t* low = even < m ? values.at(b, h, even) + channel : nullptr;
                const uint16_t* high = odd < m ? values.at(b, h, odd) + channel : nullptr;
                for (int64_t n = 0; n < kTile; n++)
                    out[k * kTile + n] = (low ? low[n] : 0u) | ((high ? static_cast<uint32_t>(high[n]) : 0u) << 16);
            }
            out += kTile * kTile;
        }
    }
}

// 2^x for x <= 0: the fraction by a polynomial of degree 5, the whole part in the exponent.
static inline __m512 exp2_negative(__m512 x) {
    x = _mm512_max_ps(x, _mm512_set1_ps(-126.0f));
    __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 f = _mm512_sub_ps(x, whole);
    __m512 p = _mm512_set1_ps(1.3333558e-3f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.6181291e-3f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.5504109e-2f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.4022651e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.9314718e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(p, whole);
}

struct Scratch {
    alignas(64) uint16_t queries[kQueries * 256];
    alignas(64) float scores[kQueries * kKeys];
    alignas(64) uint16_t weights[kQueries * kKeys];
    alignas(64) float output[kQueries * 256];
    float maximum[kQueries];
    float sum[kQueries];
};

// scores [32, 128] = queries [32, d] x keys of one block.
static void score_block(Scratch& s, const uint32_t* keys, int64_t d) {
    int64_t chunks = d / 32;
    for (int64_t column = 0; column < kKeys; column += 32) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        const uint32_t* left = keys + (column / kTile) * chunks * kTile * kTile;
        const uint32_t* right = left + chunks * kTile * kTile;
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            _tile_loadd(4, s.queries + chunk * 32, d * 2);
            _tile_loadd(5, s.queries + kTile * d + chunk * 32, d * 2);
            _tile_loadd(6, left + chunk * kTile * kTile, 64);
            _tile_loadd(7, right + chunk * kTile * kTile, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
        _tile_stored(0, s.scores + column, kKeys * 4);
        _tile_stored(1, s.scores + column + kTile, kKeys * 4);
        _tile_stored(2, s.scores + kTile * kKeys + column, kKeys * 4);
        _tile_stored(3, s.scores + kTile * kKeys + column + kTile, kKeys * 4);
    }
}

// Scores to weights 2^(score - maximum); what came before is scaled down when the maximum grows.
static void weigh_block(Scratch& s, int64_t valid, float scale, int64_t d) {
    const __m512 factor = _mm512_set1_ps(scale);
    for (int64_t row = 0; row < kQueries; row++) {
        float* scores = s.scores + row * kKeys;
        for (int64_t j = valid; j < kKeys; j++) scores[j] = -INFINITY;
        __m512 highest = _mm512_loadu_ps(scores);
        for (int64_t j = 16; j < kKeys; j += 16) highest = _mm512_max_ps(highest, _mm512_loadu_ps(scores + j));
        float maximum = std::max(s.maximum[row], _mm512_reduce_max_ps(highest) * scale);
        const __m512 base = _mm512_set1_ps(maximum);
        __m512 total = _mm512_setzero_ps();
        for (int64_t j = 0; j < kKeys; j += 32) {
            __m512 a = exp2_negative(_mm512_fmsub_ps(_mm512_loadu_ps(scores + j), factor, base));
            __m512 b = exp2_negative(_mm512_fmsub_ps(_mm512_loadu_ps(scores + j + 16), factor, base));
            total = _mm512_add_ps(total, _mm512_add_ps(a, b));
            __m512bh both = _mm512_cvtne2ps_pbh(b, a);
            _mm512_storeu_si512(s.weights + row * kKeys + j, reinterpret_cast<__m512i&>(both));
        }
        float shrink = std::exp2(s.maximum[row] - maximum);
        s.sum[row] = s.sum[row] * shrink + _mm512_reduce_add_ps(total);
        s.maximum[row] = maximum;
        if (shrink != 1.0f) {
            float* output = s.output + row * d;
            for (int64_t j = 0; j < d; j += 16)
                _mm512_storeu_ps(output + j, _mm512_mul_ps(_mm512_loadu_ps(output + j), _mm512_set1_ps(shrink)));
        }
    }
}

// output [32, d] += weights [32, 128] x values of one block.
static void mix_block(Scratch& s, const uint32_t* values, int64_t d) {
    int64_t columns = d / kTile;
    for (int64_t column = 0; column < columns; column += 2) {
        _tile_loadd(0, s.output + column * kTile, d * 4);
        _tile_loadd(1, s.output + (column + 1) * kTile, d * 4);
        _tile_loadd(2, s.output + kTile * d + column * kTile, d * 4);
        _tile_loadd(3, s.output + kTile * d + (column + 1) * kTile, d * 4);
        for (int64_t chunk = 0; chunk < kKeys / 32; chunk++) {
            const uint32_t* tile = values + (chunk * columns + column) * kTile * kTile;
            _tile_loadd(4, s.weights + chunk * 32, kKeys * 2);
            _tile_loadd(5, s.weights + kTile * kKeys + chunk * 32, kKeys * 2);
            _tile_loadd(6, tile, 64);
            _tile_loadd(7, tile + kTile * kTile, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
        _tile_stored(0, s.output + column * kTile, d * 4);
        _tile_stored(1, s.output + (column + 1) * kTile, d * 4);
        _tile_stored(2, s.output + kTile * d + column * kTile, d * 4);
        _tile_stored(3, s.output + kTile * d + (column + 1) * kTile, d * 4);
    }
}

static at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
    auto unit = [](const at::Tensor& t) { return t.stride(3) == 1 ? t : t.contiguous(); };
    at::Tensor q = unit(query), k = unit(key), v = unit(value);
    int64_t b = q.size(0), h = q.size(1), n = q.size(2), d = q.size(3), m = k.size(2);
    int64_t padded = (m + kKeys - 1) / kKeys * kKeys;
    int64_t words = padded * d / 2;  // one head's keys, or values
    at::Tensor packed = at::empty({2 * b * h * words}, q.options().dtype(at::kInt));
    auto* keys = reinterpret_cast<uint32_t*>(packed.data_ptr<int32_t>());
    uint32_t* values = keys + b * h * words;
    View qs = view_of(q), ks = view_of(k), vs = view_of(v);
    at::parallel_for(0, b * h, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            pack_keys(ks, i / h, i % h, m, padded, d, keys + i * words);
            pack_values(vs, i / h, i % h, m, padded, d, values + i * words);
        }
    });

    at::Tensor result = at::empty({b, n, h, d}, q.options());
    auto* out = reinterpret_cast<c10::BFloat16*>(result.data_ptr<c10::BFloat16>());
    int64_t blocks = (n + kQueries - 1) / kQueries;
    // Scores are in units of log 2, so that weights are powers of two.
    float scale = 1.44269504f / std::sqrt(static_cast<float>(d));
    at::parallel_for(0, b * h * blocks, 1, [&](int64_t begin, int64_t end) {
        TileSession tiles;
        auto s = std::make_unique<Scratch>();
        for (int64_t task = begin; task < end; task++) {
            int64_t i = task / blocks, first = task % blocks * kQueries, rows = std::min(kQueries, n - first);
            for (int64_t row = 0; row < kQueries; row++) {
                uint16_t* target = s->queries + row * d;
                if (row < rows)
                    std::memcpy(target, qs.at(i / h, i % h, first + row), static_cast<size_t>(d) * 2);
                else
                    std::memset(target, 0, static_cast<size_t>(d) * 2);
                s->maximum[row] = -INFINITY;
                s->sum[row] = 0;
            }
            std::memset(s->output, 0, sizeof(float) * static_cast<size_t>(kQueries * d));
            for (int64_t block = 0; block < padded; block += kKeys) {
                score_block(*s, keys + i * words + block * d / 2, d);
                weigh_block(*s, std::min(kKeys, m - block), scale, d);
                mix_block(*s, values + i * words + block * d / 2, d);
            }
            for (int64_t row = 0; row < rows; row++) {
                float inverse = 1.0f / s->sum[row];
                c10::BFloat16* target = out + ((i / h * n + first + row) * h + i % h) * d;
                for (int64_t j = 0; j < d; j++) target[j] = s->output[row * d + j] * inverse;
            }
        }
    });
    return result.transpose(1, 2);
}

#endif

}  // namespace sora

using namespace sora;

// Whether sora_attention can be used on this machine.
SORA_API int32_t sora_attention_available() {
#ifdef SORA_AMX
    return tiles_allowed() ? 1 : 0;
#else
    return 0;
#endif
}

// Attention of q [B, H, N, d] to k, v [B, H, M, d], bfloat16, d a multiple of 32 up to 256. No gradients.
SORA_API int64_t sora_attention(int64_t q, int64_t k, int64_t v) {
#ifdef SORA_AMX
    return guarded([&] { return give(attend(borrow(q), borrow(k), borrow(v))); }, int64_t{0});
#else
    set_last_error("this library was built for a processor without AMX");
    return 0;
#endif
}
