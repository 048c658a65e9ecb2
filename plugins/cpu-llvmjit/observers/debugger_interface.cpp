#include "observers/debugger_interface.h"

#include <cstdint>
#include <mutex>
#include <utility>

// What a debugger looks for, by these names, in every library's own symbols: they need not be
// exported.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

struct jit_code_entry {
    jit_code_entry *next, *previous;
    const char* start;
    std::uint64_t bytes;
};

struct jit_descriptor {
    std::uint32_t version, action;
    jit_code_entry *relevant, *first;
};

[[gnu::used]] jit_descriptor __jit_debug_descriptor{1, 0, nullptr, nullptr};

// The debugger stops here.
[[gnu::used, gnu::noinline]] void __jit_debug_register_code() { asm volatile("" : : : "memory"); }
}
// NOLINTEND(readability-identifier-naming)

namespace backplane::jit {
namespace {

enum Action : std::uint32_t { Nothing, Register, Unregister };

std::mutex mutex;

void tell(Action action, jit_code_entry& entry) {
    __jit_debug_descriptor.action = action;
    __jit_debug_descriptor.relevant = &entry;
    __jit_debug_register_code();
    __jit_debug_descriptor.action = Nothing;
    __jit_debug_descriptor.relevant = nullptr;
}

}  // namespace

struct DebuggerFile::Entry : jit_code_entry {
    explicit Entry(std::vector<std::byte> bytes_of_file)
        : jit_code_entry{}, image{std::move(bytes_of_file)} {
        start = reinterpret_cast<const char*>(image.data());
        bytes = image.size();
        const std::scoped_lock lock{mutex};
        next = __jit_debug_descriptor.first;
        if (next) next->previous = this;
        __jit_debug_descriptor.first = this;
        tell(Register, *this);
    }
    ~Entry() {
        const std::scoped_lock lock{mutex};
        (previous ? previous->next : __jit_debug_descriptor.first) = next;
        if (next) next->previous = previous;
        tell(Unregister, *this);
    }

    std::vector<std::byte> image;
};

DebuggerFile::DebuggerFile(std::vector<std::byte> image)
    : entry_{std::make_unique<Entry>(std::move(image))} {}

DebuggerFile::DebuggerFile(DebuggerFile&&) noexcept = default;
DebuggerFile& DebuggerFile::operator=(DebuggerFile&&) noexcept = default;
DebuggerFile::~DebuggerFile() = default;

}  // namespace backplane::jit
