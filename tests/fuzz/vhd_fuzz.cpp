// Any bytes as a VHD image, with checksums that are right.
// clang++ -fsanitize=fuzzer,address,undefined, with core/images.
#include "image_script.h"
#include "images/byte_order.h"
#include "images/vhd/check.h"
#include "images/vhd/dynamic_vhd.h"
#include "images/vhd/fixed_vhd.h"

#include <cstdint>

using namespace backplane::images;

namespace {

void mend_sum(std::span<std::byte> bytes, std::size_t at, const char* cookie) {
    std::memcpy(bytes.data(), cookie, 8);
    store_big(bytes, at, std::uint32_t{0});
    std::uint32_t sum = 0;
    for (const std::byte byte : bytes)
        sum += std::to_integer<std::uint32_t>(byte);
    store_big(bytes, at, ~sum);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    testing::ImageScript script{std::span{data, size}};
    const auto disk = script.disk();
    auto& bytes = disk->current;
    if (bytes.size() < 2048) return 0;
    mend_sum(std::span{bytes}.first(512), 64, "conectix");
    const auto header = load_big<std::uint64_t>(bytes, 16);
    if (header <= bytes.size() - 1024)
        mend_sum(std::span{bytes}.subspan(header, 1024), 36, "cxsparse");
    if (size % 2 == 0) mend_sum(std::span{bytes}.last(512), 64, "conectix");
    disk->stable = bytes;

    for (const bool is_read_only : {true, false}) {
        disk->is_read_only = is_read_only;
        auto file = std::make_unique<testing::MemoryFile>(disk);
        const auto footer = vhd::find_footer(*file);
        if (!footer) return footer.error().empty() ? (std::abort(), 0) : 0;
        if (footer->type == vhd::DiskType::Fixed) {
            vhd::FixedVhd image{std::move(file), *footer};
            script.play(image);
        } else if (auto image = vhd::DynamicVhd::open(std::move(file), *footer)) {
            script.play(**image);
        } else if (image.error().empty()) {
            std::abort();
        }
    }
    testing::MemoryFile file{disk};
    (void)vhd::check(file, Repair::Nothing);
    (void)vhd::check(file, Repair::Everything);
    return 0;
}
