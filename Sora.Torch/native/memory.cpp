// Memory of large tensors: in large pages, and used again. A video's activations would be new memory in every layer, and the system takes
// a fifth of a decoder's time to hand it out and to fill it with zeros.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <torch/csrc/api/include/torch/version.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_map>

#include "sora_torch.h"

#ifdef __linux__
#include <malloc.h>
#include <sys/mman.h>
#endif

namespace sora {

#if defined(__linux__) && (TORCH_VERSION_MAJOR < 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 3))

constexpr size_t kPage = size_t(2) << 20, kLeast = 2 * kPage;

// Blocks of whole large pages. Freed ones are kept as far as all together are no more than what was in use at once: memory that is
// used again does not make a process larger than it has been.
class Blocks {
public:
    // Null where the system has no more.
    void* take(size_t count) {
        size_t size = (count + kPage - 1) / kPage * kPage;
        std::lock_guard<std::mutex> lock(mutex_);
        auto fit = unused_.lower_bound(size);
        if (fit == unused_.end() || fit->first > size + size / 4) {
            most_ = std::max(most_, in_use_ + size);
            keep(most_ - in_use_ - size);
            void* made = made_of(size);
            if (!made) {
                keep(0);
                made = made_of(size);
            }
            if (!made) return nullptr;
            fit = unused_.emplace(size, made);
            idle_ += size;
        }
        auto [own, block] = *fit;
        unused_.erase(fit);
        idle_ -= own;
        in_use_ += own;
        most_ = std::max(most_, in_use_);
        sizes_[block] = own;
        return block;
    }

    // False where the memory is none of these.
    bool give_back(void* block) {
        std::lock_guard<std::mutex> lock(mutex_);
        auto known = sizes_.find(block);
        if (known == sizes_.end()) return false;
        in_use_ -= known->second;
        idle_ += known->second;
        unused_.emplace(known->second, block);
        sizes_.erase(known);
        return true;
    }

    // Forgets what was in use before.
    void release() {
        std::lock_guard<std::mutex> lock(mutex_);
        keep(0);
        most_ = in_use_;
    }

private:
    static void* made_of(size_t size) {
        void* p = nullptr;
        if (posix_memalign(&p, kPage, size) != 0) return nullptr;
        madvise(p, size, MADV_HUGEPAGE);  // a wish: where the system has no large pages the memory is as good
        return p;
    }

    // The smallest go first: the largest are hardest to get.
    void keep(size_t bytes) {
        while (idle_ > bytes) {
            auto first = unused_.begin();
            idle_ -= first->first;
            std::free(first->second);
            unused_.erase(first);
        }
    }

    std::mutex mutex_;
    std::multimap<size_t, void*> unused_;
    std::unordered_map<void*, size_t> sizes_;  // of blocks in use
    size_t in_use_ = 0, idle_ = 0, most_ = 0;
};

// Never destroyed: tensors may outlive everything else in a process.
static Blocks& blocks() {
    static Blocks& all = *new Blocks;
    return all;
}

static void give_back(void* p) {
    if (p && !blocks().give_back(p)) std::free(p);
}

class Allocator final : public at::Allocator {
public:
    at::DataPtr allocate(size_t count) const override {
        if (count >= kLeast)
            if (void* block = blocks().take(count)) return {block, block, &give_back, at::Device(at::kCPU)};
        void* p;
        try {
            p = c10::alloc_cpu(count);
        } catch (const c10::Error&) {
            blocks().release();
            p = c10::alloc_cpu(count);  // what cannot be had is libtorch's to report
        }
        return {p, p, &c10::free_cpu, at::Device(at::kCPU)};
    }

    at::DeleterFnPtr raw_deleter() const override { return &give_back; }
};

[[maybe_unused]] static const bool installed = [] {
    static Allocator allocator;
    constexpr uint8_t kAboveDefault = 1;
    c10::SetCPUAllocator(&allocator, kAboveDefault);
    return true;
}();

static void release_blocks() { blocks().release(); }

#else

static void release_blocks() {}

#endif

}  // namespace sora

using namespace sora;

// Memory of freed tensors stays with the allocators, in pieces that depend on chance; this gives whole pages of it back.
SORA_API void sora_release_unused_memory() {
    release_blocks();
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
