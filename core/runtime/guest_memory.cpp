#include "runtime/guest_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BACKPLANE_THREAD_SANITIZER
extern "C" void AnnotateBenignRaceSized(const char* file, int line, const volatile void* memory,
                                        std::size_t bytes, const char* why);
#endif
#endif

namespace backplane::runtime {

namespace {

// The processors of a machine and its devices access guest memory without asking each other, as
// they do in a real one: what orders these accesses are the guest's own locked instructions and
// fences, which engines execute as such. So a race there is the guest's, and thread sanitizer,
// which would see one of the host, is told not to report it. Everything else is watched as usual.
void declare_races_benign([[maybe_unused]] void* memory, [[maybe_unused]] std::uint64_t bytes) {
#ifdef BACKPLANE_THREAD_SANITIZER
    AnnotateBenignRaceSized(__FILE__, __LINE__, memory, bytes, "guest memory");
#endif
}

}  // namespace

std::expected<GuestMemory, std::string> GuestMemory::allocate(std::uint64_t bytes) {
    // NORESERVE: a 64 GiB guest starts on a small host, and only what it touches counts.
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return std::unexpected(fmt::format("the host cannot reserve {} MiB of memory: {}",
                                           bytes >> 20, std::strerror(errno)));
    // Fewer host TLB misses where the guest uses its memory densely; a hint that may be refused.
    madvise(memory, bytes, MADV_HUGEPAGE);
    declare_races_benign(memory, bytes);
    return GuestMemory{{static_cast<std::byte*>(memory), bytes}};
}

GuestMemory::~GuestMemory() {
    if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

std::uint64_t GuestMemory::committed() const {
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    constexpr std::uint64_t chunk = std::uint64_t{1} << 30;
    std::vector<unsigned char> resident(chunk / page);
    std::uint64_t pages = 0;
    for (std::uint64_t offset = 0; offset < bytes_.size(); offset += chunk) {
        const std::uint64_t length = std::min(chunk, bytes_.size() - offset);
        if (mincore(bytes_.data() + offset, length, resident.data()) != 0) continue;
        for (std::uint64_t index = 0; index < (length + page - 1) / page; ++index)
            pages += resident[index] & 1;
    }
    return pages * page;
}

}  // namespace backplane::runtime
