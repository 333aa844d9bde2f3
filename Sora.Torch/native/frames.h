// Channels-last frames for convolutions.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "lanes.h"

namespace sora {

// x [B, T, H, W, C], of numbers From, as numbers To with a border of `edge` zeros around each frame, and with `room` zeros behind the
// last. Read as one long row of pixels a frame is a matrix whose rows are pixels, and the same matrix from a later pixel on is its
// neighbour's: a convolution is the sum of as many products as the kernel has taps, all of one matrix, and nothing is laid out anew.
template <typename To, typename From>
at::Tensor with_border(const at::Tensor& x, int64_t edge, int64_t room) {
    int64_t frames = x.size(0) * x.size(1), h = x.size(2), w = x.size(3), c = x.size(4), line = (w + 2 * edge) * c, frame = (h + 2 * edge) * line;
    at::Tensor padded = at::empty({frames * frame + room}, x.options().dtype(c10::CppTypeToScalarType<To>::value));
    To* out = padded.data_ptr<To>();
    const From* in = x.data_ptr<From>();
    std::fill_n(out + frames * frame, room, To(0));
    at::parallel_for(0, frames * (h + 2 * edge), 16, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            int64_t y = i % (h + 2 * edge) - edge;
            To* target = out + i * line;
            if (y < 0 || y >= h) {
                std::fill_n(target, line, To(0));
                continue;
            }
            const From* source = in + (i / (h + 2 * edge) * h + y) * w * c;
            std::fill_n(target, edge * c, To(0));
            if constexpr (std::is_same_v<To, From>)
                std::memcpy(target + edge * c, source, static_cast<size_t>(w * c) * sizeof(To));
            else
                each_part(w * c, [&](int64_t j, auto part) { store(target + edge * c + j, load(source + j, part), part); });
            std::fill_n(target + (edge + w) * c, edge * c, To(0));
        }
    });
    return padded;
}

}  // namespace sora
