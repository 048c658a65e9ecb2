#include "x86/fp_native.h"

#include "x86/host_features.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <csignal>
#include <cstring>
#include <initializer_list>
#include <vector>

namespace backplane::x86::testing {

namespace {

constexpr std::size_t page_size = 4096, entry = 64;

// What the handler needs to step over the instruction under test.
struct Running {
    std::uint64_t instruction = 0, length = 0;
    int signal = 0;
};
thread_local Running running;

void step_over(int signal, siginfo_t*, void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    if (static_cast<std::uint64_t>(registers[REG_RIP]) != running.instruction) {
        std::signal(signal, SIG_DFL);
        return;
    }
    running.signal = signal;
    registers[REG_RIP] += static_cast<greg_t>(running.length);
}

// For each instruction anew: other tests of the program have handlers of their own.
void install_handler() {
    struct sigaction action{};
    action.sa_sigaction = step_over;
    action.sa_flags = SA_SIGINFO;
    for (const int signal : {SIGFPE, SIGILL, SIGSEGV, SIGBUS})
        sigaction(signal, &action, nullptr);
}

// Each YMM register's upper half from the state, VINSERTF128 ymm, ymm, [rbx+disp32], 1, or to it,
// VEXTRACTF128 [rbx+disp32], ymm, 1.
std::vector<std::uint8_t> upper_halves(bool store) {
    std::vector<std::uint8_t> code;
    for (unsigned i = 0; i < 16; ++i) {
        const unsigned map = i < 8 ? 0xe3 : 0x63;
        const unsigned vvvv_l_pp = (store ? 15 : ~i & 15) << 3 | 5;
        const unsigned modrm = 0x83 | (i & 7) << 3;
        const unsigned offset = offsetof(FpState, ymm_high) + 16 * i;
        for (const unsigned byte : {0xc4u, map, vvvv_l_pp, store ? 0x19u : 0x18u, modrm,
                                    offset & 0xff, offset >> 8, 0u, 0u, 1u})
            code.push_back(static_cast<std::uint8_t>(byte));
    }
    return code;
}

// push rbx; mov rbx, rdi; mov rdi, rsi; fxrstor64 [rbx]; rflags, rax, rcx, rdx from the state.
constexpr std::uint8_t prologue[] = {0x53, 0x48, 0x89, 0xfb, 0x48, 0x89, 0xf7, 0x48, 0x0f, 0xae,
                                     0x0b, 0xff, 0xb3, 0x18, 0x02, 0x00, 0x00, 0x9d, 0x48, 0x8b,
                                     0x83, 0x00, 0x02, 0x00, 0x00, 0x48, 0x8b, 0x8b, 0x08, 0x02,
                                     0x00, 0x00, 0x48, 0x8b, 0x93, 0x10, 0x02, 0x00, 0x00};
// pushfq; fxsave64 [rbx]; rax, rcx, rdx, rflags to the state; fninit; pop rbx; ret.
constexpr std::uint8_t epilogue[] = {0x9c, 0x48, 0x0f, 0xae, 0x03, 0x48, 0x89, 0x83, 0x00,
                                     0x02, 0x00, 0x00, 0x48, 0x89, 0x8b, 0x08, 0x02, 0x00,
                                     0x00, 0x48, 0x89, 0x93, 0x10, 0x02, 0x00, 0x00, 0x8f,
                                     0x83, 0x18, 0x02, 0x00, 0x00, 0xdb, 0xe3, 0x5b, 0xc3};

}  // namespace

NativeInstruction::NativeInstruction(std::span<const std::uint8_t> code)
    : page_(mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)),
      length_(code.size()) {
    install_handler();
    // Sanitizers look for a signature in front of a function they call through a pointer.
    auto* place = static_cast<std::uint8_t*>(page_) + entry;
    const auto append = [&](std::span<const std::uint8_t> bytes) {
        std::memcpy(place, bytes.data(), bytes.size());
        place += bytes.size();
    };
    const bool has_ymm = host_features().has(Feature::Avx);
    append(prologue);
    if (has_ymm) append(upper_halves(false));
    instruction_ = reinterpret_cast<std::uint64_t>(place);
    append(code);
    if (has_ymm) append(upper_halves(true));
    append(epilogue);
    mprotect(page_, page_size, PROT_READ | PROT_EXEC);
}

NativeInstruction::~NativeInstruction() { munmap(page_, page_size); }

int NativeInstruction::execute(FpState& state, void* memory) const {
    constexpr std::uint32_t power_on = 0x1f80;
    running = {instruction_, length_, 0};
    auto* code = static_cast<std::uint8_t*>(page_) + entry;
    reinterpret_cast<void (*)(FpState*, void*)>(code)(&state, memory);
    asm volatile("ldmxcsr %0" : : "m"(power_on));
    return running.signal;
}

}  // namespace backplane::x86::testing
