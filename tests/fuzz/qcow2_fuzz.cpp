// Any bytes as a qcow2 image: it is refused, or read and written without harm to the host, and what
// `check --repair all` mends is right afterwards.
// clang++ -fsanitize=fuzzer,address,undefined, with core/images.
#include "image_script.h"
#include "images/qcow2/check.h"
#include "images/qcow2/qcow2_image.h"

#include <cstdint>

using namespace backplane::images;

namespace {

constexpr std::uint8_t magic[] = {'Q', 'F', 'I', 0xfb};

void check_and_mend(const std::shared_ptr<testing::MemoryDisk>& disk) {
    testing::MemoryFile file{disk};
    (void)qcow2::check(file, Repair::Nothing);
    (void)qcow2::check(file, Repair::Leaks);
    const auto mended = qcow2::check(file, Repair::Everything);
    if (!mended) return mended.error().empty() ? std::abort() : void();
    const auto after = qcow2::check(file, Repair::Nothing);
    if (!after) std::abort();
    testing::ImageScript::compare(*mended, *after);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    testing::ImageScript script{std::span{data, size}};
    const auto disk = script.disk();
    if (disk->current.size() < sizeof magic) return 0;
    std::memcpy(disk->current.data(), magic, sizeof magic);
    disk->stable = disk->current;
    const std::vector<std::byte> original = disk->current;
    {
        auto image = qcow2::Qcow2Image::open(std::make_unique<testing::MemoryFile>(disk));
        if (!image && image.error().empty()) std::abort();
        if (image) script.play(**image);
    }
    check_and_mend(disk);
    // As it was: its first snapshot, and without writing.
    disk->current = disk->stable = original;
    disk->pending.clear();
    check_and_mend(disk);
    disk->current = disk->stable = original;
    disk->pending.clear();
    disk->is_read_only = true;
    for (const char* snapshot : {"", "1"}) {
        auto image = qcow2::Qcow2Image::open(std::make_unique<testing::MemoryFile>(disk), snapshot);
        if (image) script.play(**image);
    }
    return disk->current == original ? 0 : (std::abort(), 0);
}
