// Any bytes as a VDI image, which is read.
// clang++ -fsanitize=fuzzer,address,undefined, with core/images.
#include "image_script.h"
#include "images/byte_order.h"
#include "images/vdi/vdi_image.h"

#include <cstdint>

using namespace backplane::images;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    testing::ImageScript script{std::span{data, size}};
    const auto disk = script.disk();
    if (disk->current.size() < 512) return 0;
    store_little(disk->current, 64, std::uint32_t{0xbeda107f});
    store_little(disk->current, 68, std::uint32_t{0x00010001});
    disk->is_read_only = true;
    auto image = vdi::VdiImage::open(std::make_unique<testing::MemoryFile>(disk));
    if (!image) return image.error().empty() ? (std::abort(), 0) : 0;
    script.play(**image);
    return 0;
}
