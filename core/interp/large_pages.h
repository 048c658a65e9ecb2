// Memory in large pages of the host, for what is looked into all the time, anywhere. The host may
// refuse them; then it is memory like any other.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>

namespace backplane::interp {

constexpr std::size_t large_page_bytes = std::size_t{2} << 20;

inline void* allocate_large_pages(std::size_t bytes) {
    bytes = (bytes + large_page_bytes - 1) / large_page_bytes * large_page_bytes;
    void* place = ::operator new(bytes, std::align_val_t{large_page_bytes});
    madvise(place, bytes, MADV_HUGEPAGE);
    return place;
}

inline void free_large_pages(void* place) {
    ::operator delete(place, std::align_val_t{large_page_bytes});
}

// For containers.
template <class T>
struct LargePages {
    using value_type = T;

    LargePages() = default;
    template <class Other>
    explicit(false) LargePages(const LargePages<Other>&) {}

    T* allocate(std::size_t n) { return static_cast<T*>(allocate_large_pages(n * sizeof(T))); }
    void deallocate(T* place, std::size_t) { free_large_pages(place); }
    bool operator==(const LargePages&) const = default;
};

}  // namespace backplane::interp
