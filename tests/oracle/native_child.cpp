#include "native_child.h"

#include <asm/ldt.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace backplane::oracle {
namespace {

// Where XSAVE's header says which components the area holds (SDM 1 13.4.2).
constexpr std::size_t components_in_use = 512;
constexpr std::uint64_t x87 = 1, sse = 2, avx = 4;

struct Child {
    ChildShared* shared;
    std::uint8_t* code;  // writable alias of the code pages
    int from, to;
    std::uint64_t fs_base;
    std::uint32_t ymm_offset;
    std::size_t dirty_from, dirty_length;  // of the code pages
    bool running;
};
Child child;

[[gnu::noinline]] void store_result(const ucontext_t& context,
                                    const std::array<std::uint16_t, 4>& segments,
                                    std::uint64_t fs_base, std::uint64_t gs_base) {
    static constexpr int order[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                    REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                    REG_R12, REG_R13, REG_R14, REG_R15};
    Result& result = child.shared->results[child.shared->next];
    const auto& registers = context.uc_mcontext.gregs;
    for (unsigned i = 0; i < 16; ++i)
        result.after.gpr[i] = static_cast<std::uint64_t>(registers[order[i]]);
    result.after.rip = static_cast<std::uint64_t>(registers[REG_RIP]);
    result.after.rflags = static_cast<std::uint64_t>(registers[REG_EFL]);
    const auto selectors = static_cast<std::uint64_t>(registers[REG_CSGSFS]);
    result.after.selectors = {segments[0],
                              static_cast<std::uint16_t>(selectors),
                              static_cast<std::uint16_t>(selectors >> 48),
                              segments[1],
                              segments[2],
                              segments[3]};
    result.after.fs_base = fs_base;
    result.after.gs_base = gs_base;
    result.vector = static_cast<int>(registers[REG_TRAPNO]);
    result.error_code = static_cast<std::uint32_t>(registers[REG_ERR]);
    result.fault_address = static_cast<std::uint64_t>(registers[REG_CR2]);

    const auto* area = reinterpret_cast<const std::uint8_t*>(context.uc_mcontext.fpregs);
    std::uint64_t in_use;
    std::memcpy(&in_use, area + components_in_use, sizeof in_use);
    VectorState& vector = result.after.vector;
    vector = {};
    if (in_use & x87) std::memcpy(&vector, area, 24);
    std::memcpy(&vector.mxcsr, area + 24, 4);
    if (in_use & x87) std::memcpy(&vector.st, area + 32, 128);
    if (in_use & sse) std::memcpy(&vector.xmm, area + 160, 256);
    if (in_use & avx) std::memcpy(&vector.ymm_high, area + child.ymm_offset, 256);
    std::memcpy(result.memory.data(), reinterpret_cast<const void*>(data_address), data_bytes);
}

[[gnu::noinline]] void load_case(const Case& test, ucontext_t& context) {
    static constexpr int order[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                    REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                    REG_R12, REG_R13, REG_R14, REG_R15};
    std::memset(child.code + child.dirty_from, filler, child.dirty_length);
    std::uint64_t linear = test.before.rip;
    if (test.code_size == x86::CodeSize::Bits16) linear += code_address;
    child.dirty_from = linear - code_address;
    child.dirty_length = test.length;
    std::memcpy(child.code + child.dirty_from, test.bytes.data(), test.length);
    std::memcpy(reinterpret_cast<void*>(data_address), test.memory.data(), data_bytes);

    auto& registers = context.uc_mcontext.gregs;
    for (unsigned i = 0; i < 16; ++i)
        registers[order[i]] = static_cast<greg_t>(test.before.gpr[i]);
    registers[REG_RIP] = static_cast<greg_t>(test.before.rip);
    constexpr std::uint64_t trap_flag = 0x100;
    registers[REG_EFL] = static_cast<greg_t>(test.before.rflags |
                                             (test.single_step ? trap_flag : 0));
    const auto& selectors = test.before.selectors;
    registers[REG_CSGSFS] = static_cast<greg_t>(selectors[1] | std::uint64_t{selectors[2]} << 48);

    auto* area = reinterpret_cast<std::uint8_t*>(context.uc_mcontext.fpregs);
    const VectorState& vector = test.before.vector;
    std::memcpy(area, &vector, 28);
    std::memcpy(area + 32, &vector.st, 128 + 256);
    std::memcpy(area + child.ymm_offset, &vector.ymm_high, 256);
    std::uint64_t in_use = x87 | sse | avx;
    std::memcpy(area + components_in_use, &in_use, sizeof in_use);
    // Otherwise the kernel would not restore from the frame but from what it remembers.
    context.uc_flags |= 7;
}

// RFLAGS bits that sigreturn does not take from its frame but leaves as they are; and AC, which
// would catch this program's own accesses.
constexpr std::uint64_t nt_and_id = 0x204000;

[[gnu::always_inline]] inline void set_kept_flags(std::uint64_t flags) {
    asm volatile("pushfq\n\tandq $~0x244000, (%%rsp)\n\torq %0, (%%rsp)\n\tpopfq"
                 :
                 : "r"(flags)
                 : "cc", "memory");
}

std::uint64_t read_fs_base() {
    std::uint64_t value;
    asm volatile("rdfsbase %0" : "=r"(value));
    return value;
}
std::uint64_t read_gs_base() {
    std::uint64_t value;
    asm volatile("rdgsbase %0" : "=r"(value));
    return value;
}

void on_signal(int, siginfo_t*, void* raw) {
    // A case may have left AC set, and any FS base.
    std::array<std::uint16_t, 4> segments;
    set_kept_flags(0);
    asm volatile("mov %%es, %0\n\tmov %%ds, %1\n\tmov %%fs, %2\n\tmov %%gs, %3"
                 : "=r"(segments[0]), "=r"(segments[1]), "=r"(segments[2]), "=r"(segments[3]));
    const std::uint64_t fs_base = read_fs_base(), gs_base = read_gs_base();
    asm volatile("mov %0, %%fs\n\tmov %0, %%gs\n\twrfsbase %1" : : "r"(0), "r"(child.fs_base));

    auto& context = *static_cast<ucontext_t*>(raw);
    if (child.running) {
        store_result(context, segments, fs_base, gs_base);
        child.shared->next = child.shared->next + 1;
    }
    while (!child.running || child.shared->next >= child.shared->count) {
        char byte = 1;
        if (child.running && write(child.to, &byte, 1) != 1) _exit(1);
        child.running = true;
        if (read(child.from, &byte, 1) != 1) _exit(0);
    }
    const Case& test = child.shared->cases[child.shared->next];
    load_case(test, context);
    const auto& selectors = test.before.selectors;
    asm volatile("mov %0, %%es\n\tmov %1, %%ds" : : "r"(selectors[0]), "r"(selectors[3]));
    asm volatile("mov %0, %%fs\n\tmov %1, %%gs" : : "r"(selectors[4]), "r"(selectors[5]));
    set_kept_flags(test.before.rflags & nt_and_id);
    if (test.code_size == x86::CodeSize::Bits64)
        asm volatile("wrfsbase %0\n\twrgsbase %1"
                     :
                     : "r"(test.before.fs_base), "r"(test.before.gs_base));
}

bool install_segment(unsigned entry, std::uint64_t base, std::uint32_t limit, bool is_32bit,
                     unsigned contents, bool read_only, bool in_pages, bool absent) {
    user_desc segment{};
    segment.entry_number = entry;
    segment.base_addr = static_cast<unsigned>(base);
    segment.limit = limit;
    segment.seg_32bit = is_32bit;
    segment.contents = contents & 3;
    segment.read_exec_only = read_only;
    segment.limit_in_pages = in_pages;
    segment.seg_not_present = absent;
    segment.useable = 1;
    return syscall(SYS_modify_ldt, 0x11, &segment, sizeof segment) == 0;
}

// Contents: 0 data, 1 data that expands down, 2 code, 3 conforming code.
bool install_local_table() {
    return install_segment(0, code_address, 0xffff, false, 2, false, false, false) &&
           install_segment(1, data16_base, 0xffff, false, 0, false, false, false) &&
           install_segment(2, based_base, based_limit, true, 0, false, false, false) &&
           install_segment(3, downward_base, downward_limit, false, 1, false, false, false) &&
           install_segment(4, 0, 0xfffff, true, 0, true, true, false) &&
           install_segment(5, 0, 0xfffff, true, 0, false, true, true) &&
           install_segment(6, 0, 0xfffff, true, 2, true, true, false);
}

bool map_at(std::uint64_t address, std::size_t bytes, int protection, int flags, int file) {
    void* wanted = reinterpret_cast<void*>(address);
    return mmap(wanted, bytes, protection, flags | MAP_FIXED_NOREPLACE, file, 0) == wanted;
}

bool map_memory(int code_file) {
    const int own = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    if (!map_at(code_address, code_bytes, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_POPULATE,
                code_file) ||
        !map_at(data_address, data_bytes, PROT_READ | PROT_WRITE, own, -1) ||
        !map_at(read_only_address, read_only_bytes, PROT_READ | PROT_WRITE, own, -1))
        return false;
    auto* read_only = reinterpret_cast<std::uint8_t*>(read_only_address);
    for (std::size_t i = 0; i < read_only_bytes; ++i)
        read_only[i] = read_only_byte(i);
    if (mprotect(read_only, read_only_bytes, PROT_READ) != 0) return false;
    void* alias = mmap(nullptr, code_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                       code_file, 0);
    if (alias == MAP_FAILED) return false;
    child.code = static_cast<std::uint8_t*>(alias);
    std::memset(child.code, filler, code_bytes);
    return true;
}

std::uint32_t ymm_offset() {
    std::uint32_t eax = 0xd, ebx, ecx = 2, edx;
    asm("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return ebx;
}

bool install_handler() {
    constexpr std::size_t stack_bytes = 1 << 18;
    void* place = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (place == MAP_FAILED) return false;
    const stack_t stack{.ss_sp = place, .ss_flags = 0, .ss_size = stack_bytes};
    if (sigaltstack(&stack, nullptr) != 0) return false;
    struct sigaction action{};
    action.sa_sigaction = &on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    for (const int number : {SIGFPE, SIGSEGV, SIGILL, SIGBUS, SIGTRAP})
        if (sigaction(number, &action, nullptr) != 0) return false;
    return true;
}

}  // namespace

void run_child(ChildShared& shared, int code_file, int from, int to) {
    child = {.shared = &shared,
             .code = nullptr,
             .from = from,
             .to = to,
             .fs_base = read_fs_base(),
             .ymm_offset = ymm_offset(),
             .dirty_from = 0,
             .dirty_length = 0,
             .running = false};
    // Signals that the parent's tests handle are not the child's.
    for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGALRM})
        std::signal(number, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!map_memory(code_file) || !install_handler()) _exit(1);
    shared.has_local_table = install_local_table();
    shared.ready = true;
    // From here on a case cannot reach the kernel even if it tries.
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    asm volatile("ud2");
    _exit(1);
}

}  // namespace backplane::oracle
