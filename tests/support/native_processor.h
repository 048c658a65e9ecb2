// Executes single instructions on the processor that runs the tests, with all general registers and
// flags chosen.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

namespace backplane::x86::testing {

struct NativeState {
    std::array<std::uint64_t, 16> gpr{};
    std::uint64_t rflags = 0x202;
    int signal = 0;  // SIGFPE, SIGSEGV, SIGILL ... when the instruction faulted
};

// Code, context and the data the instructions work on lie below 2 GiB, so that 32-bit code reaches
// them too.
class NativeProcessor {
public:
    static constexpr std::size_t data_size = 0x4000;

    static NativeProcessor& instance() {
        static NativeProcessor processor;
        return processor;
    }

    std::span<std::byte> data() { return {data_, data_size}; }
    std::uint64_t data_address() const { return reinterpret_cast<std::uintptr_t>(data_); }

    // Where the instruction given to set_code lies.
    std::uint64_t instruction_address() const {
        return reinterpret_cast<std::uintptr_t>(code_) + 0x200;
    }

    // 64-bit code.
    void set_code(std::span<const std::uint8_t> bytes) { write_code(bytes, Width::Bits64); }

    // 32-bit code in a flat segment, entered through Linux's compatibility-mode selectors. Its
    // upper register halves are not kept by the processor.
    void set_code32(std::span<const std::uint8_t> bytes) { write_code(bytes, Width::Bits32); }

    // Linux has these selectors; other kernels under the tests may not.
    bool has_code32() {
        const std::uint8_t nop[] = {0x90};
        set_code32(nop);
        NativeState state;
        state.gpr[4] = data_address() + data_size / 2;
        return run(state).signal == 0;
    }

    // The sanitizer would look for a function's type in front of the code, where there is none.
    [[clang::no_sanitize("function")]]
    NativeState run(const NativeState& before) {
        context_->in = before.gpr;
        context_->in_flags = before.rflags;
        context_->signal = 0;
        reinterpret_cast<void (*)()>(code_)();
        return {.gpr = context_->out,
                .rflags = context_->out_flags,
                .signal = static_cast<int>(context_->signal)};
    }

private:
    enum class Width : std::uint8_t { Bits32, Bits64 };
    static constexpr std::uint16_t linux_code32 = 0x23, linux_code64 = 0x33, linux_data = 0x2b;

    struct Context {
        std::array<std::uint64_t, 16> in, out;
        std::uint64_t in_flags, out_flags, host_rsp, signal;
        std::uint32_t far_offset;
        std::uint16_t far_selector;
    };

    NativeProcessor() {
        // Always there, as what instructions compute depends on it.
        const auto map = [](std::uintptr_t at, std::size_t size, int protection) {
            void* place = mmap(reinterpret_cast<void*>(at), size, protection,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
            if (reinterpret_cast<std::uintptr_t>(place) != at) std::abort();
            return static_cast<std::byte*>(place);
        };
        code_ = map(0x4060'0000, 0x2000, PROT_READ | PROT_WRITE | PROT_EXEC);
        context_ = new (code_ + 0x1000) Context{};
        data_ = map(0x4070'0000, data_size, PROT_READ | PROT_WRITE);
    }

    // For each snippet anew: other tests of the program have segments and handlers of their own.
    static void prepare_host() {
        // 64-bit processes run with null data segments, which 32-bit code could not use.
        asm volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(linux_data));

        static std::array<std::byte, 65536> alternate_stack;
        const stack_t stack{
            .ss_sp = alternate_stack.data(), .ss_flags = 0, .ss_size = alternate_stack.size()};
        sigaltstack(&stack, nullptr);
        struct sigaction action{};
        action.sa_sigaction = &on_signal;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        for (const int number : {SIGFPE, SIGSEGV, SIGILL, SIGBUS, SIGTRAP})
            sigaction(number, &action, nullptr);
    }

    // Faults of the snippet go on at its exit; any other is a defect of the test program.
    static void on_signal(int number, siginfo_t*, void* raw) {
        auto& registers = static_cast<ucontext_t*>(raw)->uc_mcontext.gregs;
        NativeProcessor& self = instance();
        const auto start = reinterpret_cast<std::uintptr_t>(self.code_);
        const auto ip = static_cast<std::uintptr_t>(registers[REG_RIP]);
        if (ip < start || ip >= start + 0x1000) {
            signal(number, SIG_DFL);
            return;
        }
        self.context_->signal = static_cast<std::uint64_t>(number);
        registers[REG_RIP] = static_cast<greg_t>(self.exit_);
        registers[REG_CSGSFS] = (registers[REG_CSGSFS] & ~greg_t{0xffff}) | linux_code64;
    }

    void emit(std::initializer_list<std::uint8_t> bytes) {
        for (const std::uint8_t byte : bytes)
            code_[at_++] = std::byte{byte};
    }
    void emit32(std::uint64_t value) {
        const auto word = static_cast<std::uint32_t>(value);
        std::memcpy(code_ + at_, &word, 4);
        at_ += 4;
    }
    // An instruction whose last four bytes are a RIP-relative displacement to `field`.
    void emit_for(std::initializer_list<std::uint8_t> bytes, const void* field) {
        emit(bytes);
        emit32(reinterpret_cast<std::uintptr_t>(field) -
               (reinterpret_cast<std::uintptr_t>(code_) + at_ + 4));
    }
    void emit_move(std::uint8_t opcode, unsigned reg, const void* field) {
        emit_for({static_cast<std::uint8_t>(0x48 | (reg >> 3) << 2), opcode,
                  static_cast<std::uint8_t>((reg & 7) << 3 | 5)},
                 field);
    }

    void write_code(std::span<const std::uint8_t> bytes, Width width) {
        prepare_host();
        const std::uint64_t instruction = instruction_address();
        at_ = 0;
        emit({0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41,
              0x57});  // push rbx, rbp, r12 to r15
        emit_move(0x89, 4, &context_->host_rsp);
        emit_for({0xff, 0x35}, &context_->in_flags);  // push
        emit({0x9d});                                 // popfq
        for (unsigned i = 0; i < 16; ++i)
            emit_move(0x8b, i, &context_->in[i]);
        if (width == Width::Bits64) {
            emit({0xe9});  // jmp
            emit32(instruction - (reinterpret_cast<std::uintptr_t>(code_) + at_ + 4));
        } else {
            context_->far_offset = static_cast<std::uint32_t>(instruction);
            context_->far_selector = linux_code32;
            emit_for({0xff, 0x2d}, &context_->far_offset);  // jmp far
        }
        at_ = instruction - reinterpret_cast<std::uintptr_t>(code_);
        for (const std::uint8_t byte : bytes)
            emit({byte});
        if (width == Width::Bits32) {
            emit({0xea});  // jmp far
            emit32(reinterpret_cast<std::uintptr_t>(code_) + at_ + 6);
            emit({linux_code64 & 0xff, linux_code64 >> 8});
        }
        exit_ = reinterpret_cast<std::uintptr_t>(code_) + at_;
        for (unsigned i = 0; i < 16; ++i)
            emit_move(0x89, i, &context_->out[i]);
        emit_move(0x8b, 4, &context_->host_rsp);
        emit({0x9c});                                  // pushfq
        emit_for({0x8f, 0x05}, &context_->out_flags);  // pop
        emit({0x6a, 0x02, 0x9d});                      // push 2; popfq
        emit({0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3});
    }

    std::byte* code_ = nullptr;
    std::byte* data_ = nullptr;
    Context* context_ = nullptr;
    std::size_t at_ = 0;
    std::uintptr_t exit_ = 0;
};

}  // namespace backplane::x86::testing
