// Products of bfloat16 matrices on the processor's matrix tiles (AMX), in place of libtorch's own kernels of mm, addmm, bmm
// and baddbmm, whose library knows no tiles for them: every product of the networks, forward and backward, comes here.
// The right operand is packed once a call into the tiles' order, a block of columns at a time, and stays in the second
// cache while the rows of the left one go by (Goto, van de Geijn 2008). Sums are float32 in one order that depends on
// the depth alone, so a row's result does not depend on what it is computed with.
#include "sora_torch.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "convolution.h"
#include "frames.h"
#include "lanes.h"
#include "products.h"
#include "replacement.h"

#ifdef SORA_AMX

#include <algorithm>
#include <cstring>
#include <vector>

namespace sora {

constexpr int64_t kRows = 256;         // rows of the left operand that a thread takes at a time
constexpr int64_t kDepth = 1024;       // longest depth whose sums stay in the tiles
constexpr int64_t kSplitDepth = 512;   // depth at a time of longer ones
constexpr int64_t kColumns = 512;      // columns that are packed at a time
constexpr int64_t kNearRows = 512;     // longest rows of a left operand that is read in place

// ---------------------------------------------------------------------------------------------------------------
// Sums to their place in the result.

static inline __m512 added_values(const Finish& f, int64_t row, int64_t column, __mmask16 mask) {
    const uint16_t* from = f.added + row * f.added_row + column * f.added_column;
    __m512i half;
    if (f.added_column == 1) {
        half = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from));
    } else {
        alignas(32) uint16_t gathered[16] = {};
        for (int64_t j = 0; j < 16; j++)
            if (mask >> j & 1) gathered[j] = from[j * f.added_column];
        half = _mm512_cvtepu16_epi32(_mm256_load_si256(reinterpret_cast<const __m256i*>(gathered)));
    }
    return _mm512_castsi512_ps(_mm512_slli_epi32(half, 16));
}

// Whole columns of plain sums in bfloat16, each column with a value of its own or none.
static void finish_plain(const Finish& f, const float* sums, int64_t stride, int64_t row, int64_t rows, int64_t column) {
    __m512 left = _mm512_setzero_ps(), right = left;
    if (f.added) {
        left = floats_of(f.added + column);
        right = floats_of(f.added + column + 16);
    } else if (f.bias) {
        left = _mm512_loadu_ps(f.bias + column);
        right = _mm512_loadu_ps(f.bias + column + 16);
    }
    uint16_t* out = f.out + column;
    for (int64_t r = 0; r < rows; r++, sums += stride) {
        int64_t target = f.rows ? f.rows[row + r] : row + r;
        if (target < 0) continue;
        __m512bh both = _mm512_cvtne2ps_pbh(_mm512_add_ps(_mm512_loadu_ps(sums + 16), right), _mm512_add_ps(_mm512_loadu_ps(sums), left));
        _mm512_storeu_si512(out + target * f.stride, reinterpret_cast<__m512i&>(both));
    }
}

static inline __m512 rounded(__m512 value) {
    __m256bh half = _mm512_cvtneps_pbh(value);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(reinterpret_cast<__m256i&>(half)), 16));
}

// Sums of a linear layer with what follows it. They are rounded to bfloat16 between, as if it had been written.
static void finish_linear(const Finish& f, const float* sums, int64_t stride, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    auto low = static_cast<__mmask16>(columns >= 16 ? 0xffff : (1u << columns) - 1);
    auto high = static_cast<__mmask16>(columns >= kSide ? 0xffff : columns > 16 ? (1u << (columns - 16)) - 1 : 0);
    __m512 biases[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    if (f.added) {
        biases[0] = added_values(f, 0, column, low);
        biases[1] = added_values(f, 0, column + 16, high);
    }
    for (int64_t r = row; r < row + rows; r++, sums += stride) {
        __m512 a = rounded(_mm512_add_ps(_mm512_loadu_ps(sums), biases[0])), b = rounded(_mm512_add_ps(_mm512_loadu_ps(sums + 16), biases[1]));
        int64_t place = r * f.stride + column;
        if (f.gelu) {
            a = bits_as<__m512>(gelu<c10::BFloat16>(bits_as<Lanes>(a)));
            b = bits_as<__m512>(gelu<c10::BFloat16>(bits_as<Lanes>(b)));
            __m512bh both = _mm512_cvtne2ps_pbh(b, a);
            _mm512_mask_storeu_epi16(f.out + place, static_cast<__mmask32>(high) << 16 | low, reinterpret_cast<__m512i&>(both));
            continue;
        }
        const float* gates = f.gate ? f.gate + f.gate_rows[r] * f.gate_stride + column : nullptr;
        __m512 one = _mm512_set1_ps(1);
        a = _mm512_fmadd_ps(gates ? _mm512_maskz_loadu_ps(low, gates) : one, a, _mm512_maskz_loadu_ps(low, f.onto + place));
        b = _mm512_fmadd_ps(gates ? _mm512_maskz_loadu_ps(high, gates + 16) : one, b, _mm512_maskz_loadu_ps(high, f.onto + place + 16));
        _mm512_mask_storeu_ps(f.stream + place, low, a);
        _mm512_mask_storeu_ps(f.stream + place + 16, high, b);
    }
}

// Sums of up to 32 rows and 32 columns to their place in the result.
static void finish_block(const Finish& f, const float* sums, int64_t stride, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    if (f.gelu || f.stream) {
        finish_linear(f, sums, stride, row, rows, column, columns);
        return;
    }
    if (columns == kSide && f.alpha == 1 && (!f.added || (f.added_row == 0 && f.added_column == 1 && f.beta == 1))) {
        finish_plain(f, sums, stride, row, rows, column);
        return;
    }
    for (int64_t r = 0; r < rows; r++) {
        int64_t target = f.rows ? f.rows[row + r] : row + r;
        if (target < 0) continue;
        for (int64_t c = 0; c < columns; c += 16) {
            auto mask = static_cast<__mmask16>(columns - c >= 16 ? 0xffff : (1u << (columns - c)) - 1);
            __m512 value = _mm512_loadu_ps(sums + r * stride + c);
            if (f.alpha != 1) value = _mm512_mul_ps(value, _mm512_set1_ps(f.alpha));
            if (f.bias) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, f.bias + column + c));
            if (f.added) value = _mm512_fmadd_ps(added_values(f, row + r, column + c, mask), _mm512_set1_ps(f.beta), value);
            __m256bh half = _mm512_cvtneps_pbh(value);
            _mm256_mask_storeu_epi16(f.out + target * f.stride + column + c, mask, reinterpret_cast<__m256i&>(half));
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Blocks of rows against packed panels.

struct Task {
    int64_t row, rows;        // of the left operand
    int64_t column, columns;  // of the result, as far as it goes
    const uint16_t* panels;   // of those columns
};

struct RowScratch {
    alignas(64) float sums[2][kSide * kSide];
    Scratch left;
    Scratch long_sums;
};

static RowScratch& row_scratch() {
    static thread_local RowScratch scratch;
    return scratch;
}

// The tiles of 32 rows: in place where they are whole and lie near each other, else copied side by side, since rows that
// are far apart share few sets of the first cache.
static LeftRows left_rows(const Matrix& a, int64_t row, int64_t m, int64_t depth, int64_t end, uint16_t* copy) {
    if (a.column == 1 && a.row <= kNearRows && row + kSide <= m && (end - depth) % kTileDepth == 0) {
        const uint16_t* upper = a.data + row * a.row + depth;
        return {upper, upper + kTile * a.row, a.row * 2, kTileDepth};
    }
    pack_rows(a, row, m, depth, end, copy);
    return {copy, copy + kTileElements, 64, 2 * kTileElements};
}

// Sums that wait to be finished until those of the next block are on their way through the tiles.
struct Waiting {
    const float* sums = nullptr;
    int64_t stride = 0, row = 0, rows = 0, column = 0, columns = 0;

    void finish(const Finish& f) {
        if (sums) finish_block(f, sums, stride, row, rows, column, columns);
        sums = nullptr;
    }

    // Rows of a stream lie a page or more apart, where the processor does not see ahead.
    void prefetch(const Finish& f) const {
        for (int64_t r = row; f.stream && r < row + rows; r++) {
            int64_t place = r * f.stride + column;
            __builtin_prefetch(f.onto + place);
            __builtin_prefetch(f.onto + place + 16);
            __builtin_prefetch(f.stream + place, 1);
            __builtin_prefetch(f.stream + place + 16, 1);
        }
    }

    // The next rows, where there are any left.
    void finish_some(const Finish& f, int64_t most) {
        if (!sums) return;
        int64_t count = std::min(most, rows);
        finish_block(f, sums, stride, row, count, column, columns);
        sums += count * stride;
        row += count;
        rows -= count;
        if (rows == 0) sums = nullptr;
    }
};

// The sums of 32 pixels and 32 columns over the kernel's taps.
static void sum_taps(const uint16_t* pixels, int64_t c, const std::vector<int64_t>& starts, const uint16_t* panel, float* sums) {
    clear_sums();
    for (int64_t start : starts) {
        add_chunk(pixels + start, pixels + start + kTile * c, c * 2, panel);
        panel += 2 * kTileElements;
    }
    store_sums(sums, kSide);
}

static void run_task(const Matrix& a, int64_t m, int64_t k, const Task& task, const Finish& finish) {
    RowScratch& scratch = row_scratch();
    int64_t chunks = (k + kTileDepth - 1) / kTileDepth, panels = (task.columns + kSide - 1) / kSide;
    bool split = k > kDepth;
    int64_t step = split ? kSplitDepth : chunks * kTileDepth, width = panels * kSide;
    auto* copy = scratch.left.of<uint16_t>(packed_size(step, kSide));
    float* long_sums = split ? scratch.long_sums.of<float>((task.rows + kSide) * width) : nullptr;
    Waiting waiting;
    int turn = 0;
    // A whole block of finishing is more than the processor looks ahead while the tiles are busy; a few rows of it are not.
    bool spread = finish.gelu || finish.stream;
    for (int64_t depth = 0; depth < k; depth += step) {
        int64_t end = std::min(k, depth + step), parts = (end - depth + kTileDepth - 1) / kTileDepth;
        for (int64_t r = 0; r < task.rows; r += kSide) {
            int64_t row = task.row + r, rows = std::min(kSide, task.rows - r);
            LeftRows left = left_rows(a, row, m, depth, end, copy);
            for (int64_t p = 0; p < panels; p++) {
                const uint16_t* panel = task.panels + (p * chunks + depth / kTileDepth) * 2 * kTileElements;
                float* sums = split ? long_sums + r * width + p * kSide : scratch.sums[turn ^= 1];
                int64_t stride = split ? width : kSide;
                if (spread) {
                    int64_t some = (kSide + parts - 1) / parts;
                    sum_block(left, panel, parts, sums, stride, depth > 0, [&](int64_t) { waiting.finish_some(finish, some); });
                } else {
                    sum_block(left, panel, parts, sums, stride, depth > 0);
                }
                waiting.finish(finish);
                if (end < k) continue;
                waiting = {sums, stride, row, rows, task.column + p * kSide, std::min(kSide, task.columns - p * kSide)};
                waiting.prefetch(finish);
            }
        }
    }
    waiting.finish(finish);
}

void multiply_here(const Matrix& a, const Matrix& b, int64_t m, int64_t n, int64_t k, const Finish& finish) {
    static thread_local Scratch packed;
    int64_t panel = packed_size(k, kSide);
    for (int64_t first = 0; first < n; first += kColumns) {
        int64_t columns = std::min(kColumns, n - first);
        auto* panels = packed.of<uint16_t>(packed_size(k, columns));
        for (int64_t c = 0; c < columns; c += kSide) pack_panel(b, k, first + c, n, panels + c / kSide * panel);
        for (int64_t row = 0; row < m; row += kRows)
            run_task(a, m, k, {row, std::min(kRows, m - row), first, columns, panels}, finish);
    }
}

void multiply(const Matrix& a, const Matrix& b, int64_t m, int64_t n, int64_t k, const Finish& finish) {
    int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
    if (threads == 1) {
        TileSession tiles;
        multiply_here(a, b, m, n, k, finish);
        return;
    }
    static thread_local Scratch packed;
    int64_t panel = packed_size(k, kSide);
    int64_t rows = std::min(kRows, std::max(kSide, ((m + 2 * threads - 1) / (2 * threads) + kSide - 1) / kSide * kSide));
    int64_t row_blocks = (m + rows - 1) / rows;
    for (int64_t first = 0; first < n; first += kColumns) {
        int64_t columns = std::min(kColumns, n - first), panels = (columns + kSide - 1) / kSide;
        auto* memory = packed.of<uint16_t>(packed_size(k, columns));
        at::parallel_for(0, panels, 1, [&](int64_t begin, int64_t end) {
            for (int64_t p = begin; p < end; p++) pack_panel(b, k, first + p * kSide, n, memory + p * panel);
        });
        // With few rows the columns are shared out too.
        int64_t parts = std::min(panels, std::max<int64_t>(1, (2 * threads + row_blocks - 1) / row_blocks));
        int64_t part = (panels + parts - 1) / parts;
        parts = (panels + part - 1) / part;
        at::parallel_for(0, row_blocks * parts, 1, [&](int64_t begin, int64_t end) {
            TileSession tiles;
            for (int64_t i = begin; i < end; i++) {
                int64_t row = i % row_blocks * rows, p = i / row_blocks * part;
                run_task(a, m, k, {row, std::min(rows, m - row), first + p * kSide, std::min(part * kSide, columns - p * kSide), memory + p * panel}, finish);
            }
        });
    }
    packed.release_above(16 << 20);
}

// ---------------------------------------------------------------------------------------------------------------
// Convolutions. The pixels of the border get sums too, which are left out.

static at::Tensor convolve(const at::Tensor& input, const at::Tensor& kernel, const at::Tensor& bias, int64_t stride) {
    at::Tensor x = input.contiguous(), weight = kernel.contiguous(), column_biases = bias.to(at::kFloat).contiguous();
    ConvolutionSizes sizes(x, weight, bias, stride);
    int64_t b = sizes.b, t = sizes.t, h = sizes.h, w = sizes.w, c = sizes.c, n = sizes.n, side = sizes.side;
    int64_t edge = sizes.edge(), line = sizes.line(), frame = sizes.frame(), taps = sizes.kt * side * side, count = sizes.count();
    int64_t tap_chunks = (c + kTileDepth - 1) / kTileDepth, chunks = taps * tap_chunks, panels = (n + kSide - 1) / kSide;

    at::Tensor padded = with_border<c10::BFloat16, c10::BFloat16>(x, edge, (kSide + 2 * edge) * c + kTileDepth);
    at::Tensor memory = at::empty({panels * chunks * 2 * kTileElements + 32}, x.options());
    auto* packed = reinterpret_cast<uint16_t*>((reinterpret_cast<uintptr_t>(memory.data_ptr()) + 63) / 64 * 64);
    const auto* weights = reinterpret_cast<const uint16_t*>(weight.data_ptr<c10::BFloat16>());
    at::parallel_for(0, panels * taps, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++)
            pack_panel({weights + i % taps * c, 1, taps * c}, c, i / taps * kSide, n, packed + i * tap_chunks * 2 * kTileElements);
    });
    // Where each chunk of the depth begins, from the pixel on, and where each pixel's sums go.
    std::vector<int64_t> starts;
    for (int64_t tap = 0; tap < taps; tap++)
        for (int64_t chunk = 0; chunk < tap_chunks; chunk++)
            starts.push_back((tap / (side * side) * frame + tap / side % side * line + tap % side) * c + chunk * kTileDepth);
    std::vector<int32_t> places(static_cast<size_t>((h * line + kSide - 1) / kSide * kSide), -1);
    for (int64_t y = 0; y < h; y++)
        for (int64_t column = 0; column < w; column++) places[static_cast<size_t>(y * line + column)] = static_cast<int32_t>(y * w + column);

    at::Tensor result = at::empty({b, count, h, w, n}, x.options());
    const auto* pixels = reinterpret_cast<const uint16_t*>(padded.data_ptr<c10::BFloat16>());
    // The last rows of a frame may read what lies behind it, which the room after the last frame allows; their sums go nowhere.
    int64_t rows = h * line - 2 * edge, blocks = (rows + kRows - 1) / kRows;
    at::parallel_for(0, b * count * blocks, 1, [&](int64_t begin, int64_t end) {
        TileSession tiles;
        RowScratch& scratch = row_scratch();
        for (int64_t i = begin; i < end; i++) {
            int64_t image = i / blocks, first = i % blocks * kRows, last = std::min(rows, first + kRows);
            const uint16_t* from = pixels + (image / count * t + image % count * stride) * frame * c;
            Finish finish;
            finish.out = reinterpret_cast<uint16_t*>(result.data_ptr<c10::BFloat16>()) + image * h * w * n;
            finish.stride = n;
            finish.bias = column_biases.data_ptr<float>();
            finish.rows = places.data();
            Waiting waiting;
            int turn = 0;
            for (int64_t p = 0; p < panels; p++) {
                for (int64_t row = first; row < last; row += kSide) {
                    float* sums = scratch.sums[turn ^= 1];
                    sum_taps(from + row * c, c, starts, packed + p * chunks * 2 * kTileElements, sums);
                    waiting.finish(finish);
                    waiting = {sums, kSide, row, std::min(kSide, last - row), p * kSide, std::min(kSide, n - p * kSide)};
                }
            }
            waiting.finish(finish);
        }
    });
    return result;
}

// ---------------------------------------------------------------------------------------------------------------
// The operators.

// [..., rows, columns] in which one of the two is dense.
static at::Tensor as_matrices(const at::Tensor& t) {
    int64_t row = t.stride(-2), column = t.stride(-1);
    // Broadcasting repeats with a stride of 0, which packing would step over.
    return (row == 1 || column == 1) && row > 0 && column > 0 ? t : t.contiguous();
}

static int64_t batch_stride(const at::Tensor& t) { return t.dim() == 3 ? t.stride(0) : 0; }

static Matrix matrix_of(const at::Tensor& t, int64_t batch) {
    return {reinterpret_cast<const uint16_t*>(t.data_ptr<c10::BFloat16>()) + batch * batch_stride(t), t.stride(-2), t.stride(-1)};
}

// Small products, and few rows, are read once and not worth packing.
static bool is_worth_packing(const at::Tensor& a, const at::Tensor& b) { return a.size(-2) >= 16 && b.size(-1) >= 16 && a.size(-1) >= 16; }

// alpha * a b + beta * added, of matrices [m, k] and [k, n] or batches of them.
static at::Tensor product(const at::Tensor& a, const at::Tensor& b, const at::Tensor* added = nullptr, double beta = 0, double alpha = 1) {
    at::Tensor left = as_matrices(a), right = as_matrices(b), whole;
    auto shape = a.sizes().vec();
    shape.back() = b.size(-1);
    at::Tensor result = at::empty(shape, a.options());
    if (added) whole = added->expand(shape);
    int64_t batches = a.dim() == 3 ? a.size(0) : 1, m = a.size(-2), n = b.size(-1), k = a.size(-1);
    auto finish_of = [&](int64_t batch) {
        Finish finish;
        finish.out = reinterpret_cast<uint16_t*>(result.data_ptr<c10::BFloat16>()) + batch * m * n;
        finish.stride = n;
        finish.alpha = static_cast<float>(alpha);
        if (added) {
            Matrix values = matrix_of(whole, batch);
            finish.added = values.data;
            finish.added_row = values.row;
            finish.added_column = values.column;
            finish.beta = static_cast<float>(beta);
        }
        return finish;
    };
    if (batches < 2 * at::get_num_threads()) {
        for (int64_t i = 0; i < batches; i++) multiply(matrix_of(left, i), matrix_of(right, i), m, n, k, finish_of(i));
        return result;
    }
    at::parallel_for(0, batches, 1, [&](int64_t begin, int64_t end) {
        TileSession tiles;
        for (int64_t i = begin; i < end; i++) multiply_here(matrix_of(left, i), matrix_of(right, i), m, n, k, finish_of(i));
    });
    return result;
}

// Whether a linear layer of x [m, k] and weight [n, k] with what follows it runs as one product; gradients have no way back.
static bool fits_linear(const at::Tensor& x, const at::Tensor& weight) {
    return tiles_allowed() && x.dim() == 2 && weight.dim() == 2 && x.device().is_cpu() && x.size(1) == weight.size(1)
        && x.scalar_type() == at::kBFloat16 && weight.scalar_type() == at::kBFloat16 && is_worth_packing(x, weight.t());
}

static Finish finish_of_linear(const at::Tensor& bias, int64_t n) {
    TORCH_CHECK(!bias.defined() || (bias.scalar_type() == at::kBFloat16 && bias.dim() == 1 && bias.size(0) == n && bias.stride(0) == 1), "a bias ", bias.sizes(), " of ", bias.scalar_type());
    Finish finish;
    finish.stride = n;
    if (bias.defined()) finish.added = reinterpret_cast<const uint16_t*>(bias.data_ptr<c10::BFloat16>());
    return finish;
}

static at::Tensor linear_gelu(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    TORCH_CHECK(fits_linear(x, weight), "no product of ", x.sizes(), " and ", weight.sizes());
    at::Tensor left = as_matrices(x), right = as_matrices(weight.t());
    int64_t m = x.size(0), n = weight.size(0), k = x.size(1);
    at::Tensor result = at::empty({m, n}, x.options());
    Finish finish = finish_of_linear(bias, n);
    finish.gelu = true;
    finish.out = reinterpret_cast<uint16_t*>(result.data_ptr<c10::BFloat16>());
    multiply(matrix_of(left, 0), matrix_of(right, 0), m, n, k, finish);
    return result;
}

static at::Tensor linear_add(const at::Tensor& stream, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& gate, const at::Tensor& rows) {
    TORCH_CHECK(fits_linear(x, weight), "no product of ", x.sizes(), " and ", weight.sizes());
    int64_t m = x.size(0), n = weight.size(0), k = x.size(1);
    TORCH_CHECK(stream.scalar_type() == at::kFloat && stream.dim() == 2 && stream.size(0) == m && stream.size(1) == n, "a stream ", stream.sizes(), " of ", stream.scalar_type());
    TORCH_CHECK(!gate.defined() || (gate.scalar_type() == at::kFloat && gate.dim() == 2 && gate.size(1) == n), "a gate ", gate.sizes());
    TORCH_CHECK(!gate.defined() || (rows.scalar_type() == at::kLong && rows.numel() == m), "rows ", rows.sizes());
    at::Tensor onto = stream.contiguous(), left = as_matrices(x), right = as_matrices(weight.t()), table, index;
    at::Tensor result = at::empty_like(onto);
    Finish finish = finish_of_linear(bias, n);
    finish.stream = result.data_ptr<float>();
    finish.onto = onto.data_ptr<float>();
    if (gate.defined()) {
        table = gate.stride(1) == 1 ? gate : gate.contiguous();
        index = rows.contiguous();
        finish.gate = table.data_ptr<float>();
        finish.gate_stride = table.stride(0);
        finish.gate_rows = index.data_ptr<int64_t>();
    }
    multiply(matrix_of(left, 0), matrix_of(right, 0), m, n, k, finish);
    return result;
}

at::Tensor product_on_tiles(const ProductCall& call) {
    bool adds = call.added && call.beta != 0;
    return tiles_allowed() && is_worth_packing(call.a, call.b) ? product(call.a, call.b, adds ? call.added : nullptr, call.beta, call.alpha) : at::Tensor();
}

at::Tensor convolve_on_tiles(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, int64_t stride) {
    return tiles_allowed() && x.scalar_type() == at::kBFloat16 ? convolve(x, weight, bias, stride) : at::Tensor();
}

}  // namespace sora

#else

at::Tensor sora::product_on_tiles(const ProductCall&) { return {}; }

at::Tensor sora::convolve_on_tiles(const at::Tensor&, const at::Tensor&, const at::Tensor&, int64_t) { return {}; }

#endif

using namespace sora;

// Whether sora_linear_gelu and sora_linear_add take an input [m, k] and a weight [n, k].
SORA_API int32_t sora_linear_available(int64_t x, int64_t weight) {
#ifdef SORA_AMX
    return guarded([&] { return fits_linear(borrow(x), borrow(weight)) ? 1 : 0; }, 0);
#else
    return 0;
#endif
}

#ifdef SORA_AMX
static at::Tensor borrow_if(int64_t handle) { return handle == 0 ? at::Tensor() : borrow(handle); }
#endif

// The GELU of x [m, k] by weight [n, k] plus bias [n], or 0 for none: [m, n], bfloat16. No gradients.
SORA_API int64_t sora_linear_gelu(int64_t x, int64_t weight, int64_t bias) {
#ifdef SORA_AMX
    return guarded([&] { return give(linear_gelu(borrow(x), borrow(weight), borrow_if(bias))); }, int64_t{0});
#else
    set_last_error("this library was built for a processor without AMX");
    return 0;
#endif
}

// stream + gate[rows] * (x by weight plus bias), float32 [m, n]; gate [r, n] or 0 for 1, rows [m] int64. No gradients.
SORA_API int64_t sora_linear_add(int64_t stream, int64_t x, int64_t weight, int64_t bias, int64_t gate, int64_t rows) {
#ifdef SORA_AMX
    return guarded([&] { return give(linear_add(borrow(stream), borrow(x), borrow(weight), borrow_if(bias), borrow_if(gate), borrow_if(rows))); }, int64_t{0});
#else
    set_last_error("this library was built for a processor without AMX");
    return 0;
#endif
}
