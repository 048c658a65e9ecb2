#include "rom.h"

#include <cstring>
#include <fstream>

namespace backplane::chipset {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t largest_image = std::uint64_t{1} << 30;

void Rom::declare(Declaration<Rom>& d) {
    d.type("chipset.rom", "Read-only memory holding an image file");
    d.property("image", &Rom::image_, "File with the contents").required();
    d.property(
        "size", &Rom::size_,
        "Bytes of the window, filled up with 0xff; 0 = those of the image, rounded up to 4 KiB");
    d.property("align", &Rom::align_, {"start", "end"},
               "Which end of the window the image touches; a BIOS ends at its window's end");
    d.memory_region<&Rom::contents>("contents", "The image; writes are ignored");
}

Outcome Rom::start() {
    if (!problem_.empty()) return std::unexpected{problem_};
    return {};
}

// The window's size is asked before start, so the file is read here and what is wrong with it said
// there.
MemoryRegion Rom::contents() {
    if (!loaded_) load();
    loaded_ = true;
    return region_;
}

void Rom::load() {
    std::error_code error;
    const std::uint64_t image_size = std::filesystem::file_size(image_, error);
    if (error) {
        problem_ = "cannot read image " + image_.string() + ": " + error.message();
        return;
    }
    const std::uint64_t size = size_.value != 0 ? size_.value
                                                : (image_size + page - 1) / page * page;
    if (image_size == 0 || image_size > std::min(size, largest_image)) {
        problem_ = "image " + image_.string() + " has " + std::to_string(image_size) +
                   " bytes; 1 to " + std::to_string(std::min(size, largest_image)) + " fit";
        return;
    }
    auto* memory = static_cast<std::byte*>(host().allocate_memory(host().context, size));
    if (memory == nullptr) {
        problem_ = "the host has no room for " + std::to_string(size) + " bytes of ROM";
        return;
    }
    std::memset(memory, 0xff, size);
    auto* start = reinterpret_cast<char*>(memory) + (align_ == Align::End ? size - image_size : 0);
    std::ifstream file{image_, std::ios::binary};
    if (!file.read(start, static_cast<std::streamsize>(image_size))) {
        problem_ = "cannot read image " + image_.string();
        return;
    }
    region_.memory = memory;
    region_.size = size;
}

}  // namespace backplane::chipset
