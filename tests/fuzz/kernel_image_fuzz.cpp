// Any bytes as a kernel: the parser must refuse them or give parts that lie inside them.
// clang++ -fsanitize=fuzzer,address,undefined, with plugins/linux-boot/kernel_image.cpp.
#include "kernel_image.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

namespace {

// Reads each byte, so that the sanitizer sees where it lies.
unsigned sum(std::span<const std::byte> bytes) {
    unsigned sum = 0;
    for (const std::byte byte : bytes)
        sum += std::to_integer<unsigned>(byte);
    return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Most inputs would fail at the first magic number: give them the two that a mutator does not
    // find soon.
    std::vector<std::byte> file(1024 + size);
    for (std::size_t i = 0; i < size; ++i)
        file[(0x1f1 + i) % file.size()] = std::byte{data[i]};
    constexpr std::array<std::uint8_t, 2> boot_flag{0x55, 0xaa};
    constexpr std::array<std::uint8_t, 4> signature{'H', 'd', 'r', 'S'};
    std::memcpy(file.data() + 0x1fe, boot_flag.data(), boot_flag.size());
    std::memcpy(file.data() + 0x202, signature.data(), signature.size());
    const auto image = backplane::linux_boot::KernelImage::parse(std::move(file));
    if (!image) return image.error().empty() ? (std::abort(), 0) : 0;
    if (image->memory_needed() < image->payload().size()) std::abort();
    return sum(image->setup_header()) == ~0u && sum(image->payload()) == ~0u;
}
