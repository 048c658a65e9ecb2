// Segment loads, far returns and selector questions against the processor under the tests,
// selector by selector.
//
// The host's visible descriptors are read back with LAR and LSL and copied into the model's tables;
// a local table with every kind of user segment is installed in both. Vectors and error codes come
// from the signal's context.
#include "support/system_machine.h"

#include <asm/ldt.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <csetjmp>
#include <csignal>
#include <cstring>

namespace backplane::x86 {
namespace {

using testing::SystemMachine;
namespace selector = testing::selector;

struct Trap {
    int vector = -1;
    std::uint32_t error_code = 0;
    bool operator==(const Trap&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Trap& trap) {
    if (trap.vector < 0) return out << "no fault";
    return out << "vector " << trap.vector << " error code " << std::hex << trap.error_code
               << std::dec;
}

sigjmp_buf recovery;
volatile int trap_vector;
volatile std::uint32_t trap_error;

void on_signal(int, siginfo_t*, void* context) {
    const auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    trap_vector = static_cast<int>(registers[REG_TRAPNO]);
    trap_error = static_cast<std::uint32_t>(registers[REG_ERR]);
    siglongjmp(recovery, 1);
}

class HostSegments : public ::testing::Test {
protected:
    void SetUp() override {
        // Linux tells each processor's number by the limit of a segment, so the test stays on one.
        sched_getaffinity(0, sizeof affinity, &affinity);
        cpu_set_t here;
        CPU_ZERO(&here);
        CPU_SET(static_cast<std::size_t>(sched_getcpu()), &here);
        sched_setaffinity(0, sizeof here, &here);
        struct sigaction action{};
        action.sa_sigaction = on_signal;
        // Compatibility mode may leave a stack pointer of 32 bits.
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        const stack_t stack{
            .ss_sp = signal_stack.data(), .ss_flags = 0, .ss_size = signal_stack.size()};
        sigaltstack(&stack, nullptr);
        for (const int signal : {SIGSEGV, SIGBUS})
            sigaction(signal, &action, nullptr);
        copy_global_table();
        install_local_table();
    }

    void TearDown() override {
        const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
        sigaltstack(&none, nullptr);
        sched_setaffinity(0, sizeof affinity, &affinity);
        for (const int signal : {SIGSEGV, SIGBUS})
            std::signal(signal, SIG_DFL);
    }

    template <class F>
    Trap on_host(F f) {
        if (sigsetjmp(recovery, 1)) return {trap_vector, trap_error};
        f();
        return {};
    }

    Trap on_model(std::uint16_t rax, std::initializer_list<unsigned char> bytes) {
        model.state().gpr[RAX] = rax;
        model.run(bytes);
        if (!model.raised) return {};
        return {model.vector(), model.error_code()};
    }

    // What only the kernel may see stays zero, and is refused like it.
    void copy_global_table() {
        model.state().gdtr.limit = 0x7f;  // Linux has sixteen entries
        for (unsigned slot = 0; slot < 16; ++slot) {
            const std::uint32_t asked = slot * 8 | 3;
            std::uint32_t rights = 0, limit = 0;
            bool visible;
            asm("lar %2, %0" : "+r"(rights), "=@ccz"(visible) : "r"(asked));
            if (!visible)
                rights = 0;
            else
                asm("lsl %1, %0" : "+r"(limit) : "r"(asked) : "cc");
            const std::uint32_t raw = (rights & 0x800000) ? limit >> 12 : limit;
            model.put(
                SystemMachine::gdt + 8 * slot,
                testing::segment_word(static_cast<std::uint16_t>((rights >> 8) & 0xf0ff), raw));
        }
    }

    void install_local_table() {
        model.state().ldtr = {.base = 0x5000,
                              .limit = 16 * 8 - 1,
                              .selector = 0,
                              .attributes = 2 | attribute::present};
        for (unsigned kind = 0; kind < 16; ++kind) {
            user_desc description{};
            description.entry_number = kind;
            description.limit = 0xfffff;
            description.seg_32bit = 1;
            description.contents = kind & 3;
            description.read_exec_only = kind >> 2 & 1;
            description.limit_in_pages = 1;
            description.seg_not_present = kind >> 3 & 1;
            has_local_table = syscall(SYS_modify_ldt, 0x11, &description, sizeof description) == 0;
            if (!has_local_table) return;
            // As Linux builds it, with the accessed bit set.
            using namespace attribute;
            const unsigned type = accessed | (description.read_exec_only ? 0 : writable) |
                                  description.contents << 2;
            const unsigned bits = type | code_or_data | 3u << dpl_shift |
                                  (description.seg_not_present ? 0 : present) | big | granular;
            model.put(0x5000 + 8 * kind, testing::segment_word(static_cast<std::uint16_t>(bits)));
        }
    }

    cpu_set_t affinity{};
    std::vector<char> signal_stack = std::vector<char>(1 << 16);
    SystemMachine model = SystemMachine::in_long_mode(3);
    bool has_local_table = false;
};

// All selectors that can be within Linux' tables, and a sample of those beyond.
template <class F>
void for_every_selector(bool local_too, F f) {
    for (unsigned value = 0; value < 0x10000; value += value < 0x200 ? 1 : 97)
        if (local_too || !(value & 4)) f(static_cast<std::uint16_t>(value));
}

TEST_F(HostSegments, DataSegmentLoadsAgree) {
    unsigned loads = 0;
    for_every_selector(has_local_table, [&](std::uint16_t value) {
        const Trap host = on_host([&] { asm volatile("mov %0, %%es" : : "r"(value)); });
        loads += host == Trap{};
        ASSERT_EQ(on_model(value, {0x8e, 0xc0}), host) << "selector " << std::hex << value;
    });
    asm volatile("mov %0, %%es" : : "r"(0));
    EXPECT_GT(loads, 4u);
}

TEST_F(HostSegments, StackSegmentLoadsAgree) {
    std::uint16_t own;
    asm("mov %%ss, %0" : "=r"(own));
    for_every_selector(has_local_table, [&](std::uint16_t value) {
        const Trap host = on_host([&] {
            asm volatile("mov %0, %%ss; mov %1, %%ss" : : "r"(value), "r"(own));
        });
        ASSERT_EQ(on_model(value, {0x8e, 0xd0}), host) << "selector " << std::hex << value;
    });
}

TEST_F(HostSegments, SelectorQuestionsAgree) {
    for_every_selector(has_local_table, [&](std::uint16_t value) {
        std::uint32_t rights = 0x55, limit = 0x55;
        bool has_rights, has_limit, readable, writable;
        asm("lar %2, %0" : "+r"(rights), "=@ccz"(has_rights) : "r"(std::uint32_t{value}));
        asm("lsl %2, %0" : "+r"(limit), "=@ccz"(has_limit) : "r"(std::uint32_t{value}));
        asm("verr %1" : "=@ccz"(readable) : "r"(value));
        asm("verw %1" : "=@ccz"(writable) : "r"(value));
        CpuState& s = model.state();
        s.gpr[RCX] = value;
        s.gpr[RAX] = 0x55;
        model.run({0x0f, 0x02, 0xc1});
        ASSERT_EQ(s.gpr[RAX], rights) << "LAR " << std::hex << value;
        ASSERT_EQ(s.flags.zf(), has_rights) << "LAR " << std::hex << value;
        s.gpr[RAX] = 0x55;
        model.run({0x0f, 0x03, 0xc1});
        ASSERT_EQ(s.gpr[RAX], limit) << "LSL " << std::hex << value;
        ASSERT_EQ(s.flags.zf(), has_limit) << "LSL " << std::hex << value;
        model.run({0x0f, 0x00, 0xe1});
        ASSERT_EQ(s.flags.zf(), readable) << "VERR " << std::hex << value;
        model.run({0x0f, 0x00, 0xe9});
        ASSERT_EQ(s.flags.zf(), writable) << "VERW " << std::hex << value;
    });
}

// IRETQ to the code it is in, with the selector as its stack segment.
TEST_F(HostSegments, InterruptReturnsToAStackSegmentAgree) {
    std::uint16_t own, own_stack;
    asm("mov %%cs, %0; mov %%ss, %1" : "=r"(own), "=r"(own_stack));
    for_every_selector(has_local_table, [&](std::uint16_t value) {
        const Trap host = on_host([&] {
            asm volatile("mov %%rsp, %%rax\n"
                         "sub $128, %%rsp\n"
                         "push %0\n"
                         "push %%rax\n"
                         "pushfq\n"
                         "push %1\n"
                         "lea 1f(%%rip), %%rcx\n"
                         "push %%rcx\n"
                         "iretq\n"
                         "1: mov %2, %%ss"
                         :
                         : "r"(std::uint64_t{value}), "r"(std::uint64_t{own}), "r"(own_stack)
                         : "rax", "rcx", "memory", "cc");
        });
        CpuState& s = model.state();
        s.rip = SystemMachine::code;
        s.gpr[RSP] = SystemMachine::stack;
        const std::uint64_t frame[] = {0x401000, own, rflags::reserved1, 0x7ff000, value};
        for (unsigned i = 0; i < 5; ++i)
            model.put(SystemMachine::stack + 8 * i, frame[i]);
        ASSERT_EQ(on_model(0, {0x48, 0xcf}), host) << "selector " << std::hex << value;
    });
}

// At privilege 3 and IOPL 0. TF and NT are left out: they would disturb the host.
TEST_F(HostSegments, InterruptReturnsChangeTheSameFlags) {
    std::uint16_t own, own_stack;
    asm("mov %%cs, %0; mov %%ss, %1" : "=r"(own), "=r"(own_stack));
    const auto host_flags = [&](std::uint64_t popped) {
        std::uint64_t result;
        asm volatile("mov %%rsp, %%rdx\n"
                     "sub $128, %%rsp\n"
                     "and $-16, %%rsp\n"
                     "pushfq\n"
                     "pop %%r8\n"
                     "mov %%rsp, %%rax\n"
                     "push %3\n"
                     "push %%rax\n"
                     "push %1\n"
                     "push %2\n"
                     "lea 1f(%%rip), %%rcx\n"
                     "push %%rcx\n"
                     "iretq\n"
                     "1: pushfq\n"
                     "pop %0\n"
                     "push %%r8\n"
                     "popfq\n"
                     "mov %%rdx, %%rsp"
                     : "=&r"(result)
                     : "r"(popped), "r"(std::uint64_t{own}), "r"(std::uint64_t{own_stack})
                     : "rax", "rcx", "rdx", "r8", "memory", "cc");
        return result;
    };
    CpuState& s = model.state();
    for (unsigned bit = 0; bit < 32; ++bit) {
        if (bit == 8 || bit == 14) continue;
        for (const std::uint64_t popped : {1ull << bit, ~(1ull << bit) & 0xffffbeff}) {
            s.rip = SystemMachine::code;
            s.gpr[RSP] = SystemMachine::stack;
            s.rflags = rflags::reserved1 | rflags::if_;
            const std::uint64_t frame[] = {0x401000, own, popped, 0x7ff000, own_stack};
            for (unsigned i = 0; i < 5; ++i)
                model.put(SystemMachine::stack + 8 * i, frame[i]);
            ASSERT_EQ(on_model(0, {0x48, 0xcf}), Trap{});
            EXPECT_EQ(s.full_rflags(), host_flags(popped)) << std::hex << popped;
        }
    }
}

// A far return to the selector; code that is reached jumps straight back to 64-bit code.
TEST_F(HostSegments, FarReturnsAgree) {
    std::uint16_t own;
    asm("mov %%cs, %0" : "=r"(own));
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    ASSERT_NE(page, MAP_FAILED);
    const auto low = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(page));
    auto* code = static_cast<unsigned char*>(page);
    const auto at = [&](std::size_t offset, std::initializer_list<unsigned char> bytes) {
        for (const unsigned char byte : bytes)
            code[offset++] = byte;
    };
    // 40h is INC EAX in 32-bit code and a prefix of the NOP in 64-bit code. DS is null, so the way
    // back is an immediate.
    at(0, {0x31, 0xc0, 0x40, 0x90, 0x85, 0xc0, 0x75, 0x09});  // xor eax, eax; 40 nop; test; jnz 17
    // The stack pointer may have lost its upper half, so it comes from memory.
    at(8, {0x48, 0x8b, 0x24, 0x25, 0, 0, 0, 0, 0xc3});  // mov rsp, [saved]; ret
    at(17, {0xea});                                     // jmp own:8
    const std::uint32_t back = low + 8, saved = low + 64;
    std::memcpy(code + 12, &saved, sizeof saved);
    std::memcpy(code + 18, &back, sizeof back);
    std::memcpy(code + 22, &own, sizeof own);

    unsigned arrived = 0;
    for_every_selector(has_local_table, [&](std::uint16_t value) {
        const Trap host = on_host([&] {
            asm volatile("lea 1f(%%rip), %%rcx\n"
                         "sub $128, %%rsp\n"
                         "push %%rcx\n"
                         "mov %%rsp, 64(%1)\n"
                         "push %0\n"
                         "push %1\n"
                         "lretq\n"
                         "1: add $128, %%rsp"
                         :
                         : "r"(std::uint64_t{value}), "r"(std::uint64_t{low})
                         : "rcx", "rax", "memory", "cc");
        });
        arrived += host == Trap{};
        CpuState& s = model.state();
        model.load_flat(CS, own);
        s.rip = SystemMachine::code;
        s.cpl = 3;
        s.gpr[RSP] = SystemMachine::stack;
        model.put<std::uint64_t>(SystemMachine::stack, low);
        model.put<std::uint64_t>(SystemMachine::stack + 8, value);
        ASSERT_EQ(on_model(0, {0x48, 0xcb}), host) << "selector " << std::hex << value;
    });
    munmap(page, 4096);
    RecordProperty("arrived", static_cast<int>(arrived));
    RecordProperty("with local table", has_local_table);
    EXPECT_GE(arrived, 2u) << "at least the host's 64-bit and 32-bit user code";
}

}  // namespace
}  // namespace backplane::x86
