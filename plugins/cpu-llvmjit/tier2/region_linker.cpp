#include "tier2/region_linker.h"

#include "tier2/region_function.h"

#include <llvm/ExecutionEngine/JITSymbol.h>
#include <llvm/ExecutionEngine/RuntimeDyld.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Support/MemoryBuffer.h>

#include <string>
#include <utility>

namespace backplane::jit::tier2 {
namespace {

class Memory final : public llvm::RuntimeDyld::MemoryManager {
public:
    Memory(std::uint8_t* writable, std::size_t room) : start_{writable}, room_{room} {}

    std::uint8_t* allocateCodeSection(std::uintptr_t size, unsigned alignment, unsigned,
                                      llvm::StringRef) override {
        return allocate(size, alignment);
    }
    std::uint8_t* allocateDataSection(std::uintptr_t size, unsigned alignment, unsigned,
                                      llvm::StringRef, bool) override {
        return allocate(size, alignment);
    }
    bool finalizeMemory(std::string*) override { return false; }
    void registerEHFrames(std::uint8_t*, std::uint64_t, std::size_t) override {}
    void deregisterEHFrames() override {}

    std::size_t used() const { return used_; }
    bool fits() const { return fits_; }

private:
    // RuntimeDyld has no way to be refused.
    std::uint8_t* allocate(std::size_t size, std::size_t alignment) {
        if (alignment == 0) alignment = 16;
        const std::size_t at = (used_ + alignment - 1) & ~(alignment - 1);
        if (at + size > room_) {
            fits_ = false;
            overflow_.resize(overflow_.size() + size + alignment);
            return nullptr;
        }
        used_ = at + size;
        return start_ + at;
    }

    std::uint8_t* start_;
    std::size_t room_, used_ = 0;
    bool fits_ = true;
    std::string overflow_;
};

}  // namespace

std::optional<LinkedRegion> link_region(std::span<const char> object, std::uint8_t* writable,
                                        const std::uint8_t* executable, std::size_t room) {
    // More than all its sections need.
    if (room < 2 * object.size()) return std::nullopt;
    auto file = llvm::object::ObjectFile::createELFObjectFile(
        llvm::MemoryBufferRef{{object.data(), object.size()}, "region"});
    if (!file) {
        llvm::consumeError(file.takeError());
        return std::nullopt;
    }
    Memory memory{writable, room};
    class NoSymbols final : public llvm::LegacyJITSymbolResolver {
    public:
        llvm::JITSymbol findSymbol(const std::string&) override { return nullptr; }
        llvm::JITSymbol findSymbolInLogicalDylib(const std::string&) override { return nullptr; }
    } no_symbols;
    llvm::RuntimeDyld linker{memory, no_symbols};
    const auto loaded = linker.loadObject(**file);
    if (!loaded || linker.hasError() || !memory.fits()) return std::nullopt;
    for (const llvm::object::SectionRef& section : (*file)->sections()) {
        const std::uint64_t at = loaded->getSectionLoadAddress(section);
        if (at == 0) continue;
        const auto* local = reinterpret_cast<const std::uint8_t*>(at);
        linker.mapSectionAddress(local, reinterpret_cast<std::uint64_t>(executable) +
                                            static_cast<std::uint64_t>(local - writable));
    }
    linker.resolveRelocations();
    const auto symbol = linker.getSymbol(region_symbol);
    if (linker.hasError() || !symbol) return std::nullopt;
    return LinkedRegion{reinterpret_cast<const std::uint8_t*>(symbol.getAddress()), executable,
                        memory.used()};
}

}  // namespace backplane::jit::tier2
