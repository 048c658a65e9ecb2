#include "interp/profile_probe.h"

#include "x86/guest_floating_point.h"

#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <mutex>

namespace backplane::interp {
namespace {

constexpr int sample_signal = SIGPROF;

// Of this thread, if it is in run and somebody profiles it. What a library that was loaded later
// may use in a signal handler: no memory is allocated for it then.
[[gnu::tls_model("initial-exec")]] thread_local ProfileProbe* current = nullptr;

struct sigaction before{};

std::uint64_t nanoseconds(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
}

// The handler stays for good: a signal may be on its way whenever the last probe goes.
void install(void (*handler)(int, siginfo_t*, void*)) {
    static std::once_flag once;
    std::call_once(once, [handler] {
        struct sigaction action{};
        action.sa_sigaction = handler;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        sigemptyset(&action.sa_mask);
        sigaction(sample_signal, &action, &before);
    });
}

// ucontext's numbers of the registers, as instructions number them.
constexpr int general_registers[16]{REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                    REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                    REG_R12, REG_R13, REG_R14, REG_R15};

}  // namespace

ProfileProbe::ProfileProbe(Interpreter& cpu, const backplane_host& host,
                           const backplane_cpu_profiler& profiler)
    : cpu_{cpu}, host_{host}, profiler_{profiler} {
    install(&on_signal);
    cpu_.set_probe(this);
}

ProfileProbe::~ProfileProbe() {
    count_blocks(false);
    cpu_.set_probe(nullptr);
}

bool ProfileProbe::request() {
    if (!is_inside_) return false;
    ++requests_;
    // The thread may be gone by now, which this call does not mind.
    if (!is_pending_.exchange(true))
        syscall(SYS_tgkill, getpid(), thread_id_.load(), sample_signal);
    return true;
}

void ProfileProbe::sample_every(std::uint64_t instructions, std::uint64_t retired) {
    interval_ = instructions;
    next_ = interval_ == 0 ? never : (retired / interval_ + 1) * interval_;
}

void ProfileProbe::count_blocks(bool on) { cpu_.count_blocks(on ? &counts_ : nullptr); }

void ProfileProbe::entered() {
    if (thread_id_ == 0 || pthread_equal(thread_, pthread_self()) == 0) {
        thread_ = pthread_self();
        thread_id_ = static_cast<pid_t>(syscall(SYS_gettid));
    }
    // A signal that came outside of run is lost.
    is_pending_ = false;
    requests_ = 0;
    current = this;
    is_inside_ = true;
}

void ProfileProbe::left(std::uint64_t retired) {
    current = nullptr;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    look(retired);
    is_inside_ = false;
}

// ---- In the signal ----

void ProfileProbe::on_signal(int signal, siginfo_t* info, void* context) {
    ProfileProbe* probe = current;
    if (probe && probe->is_pending_ && !probe->is_noted_) return probe->note(context);
    if ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction)
        before.sa_sigaction(signal, info, context);
    else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
        before.sa_handler(signal);
}

void ProfileProbe::note(void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    note_.host.pc = static_cast<std::uint64_t>(registers[REG_RIP]);
    for (std::size_t i = 0; i < note_.host.general.size(); ++i)
        note_.host.general[i] = static_cast<std::uint64_t>(registers[general_registers[i]]);
    const x86::CpuState& state = cpu_.state;
    note_.activity = cpu_.activity();
    note_.is_in_slice = cpu_.is_in_slice();
    note_.block = cpu_.block;
    note_.access_op = cpu_.access_op;
    note_.rip = state.rip;
    note_.block_ip = state.block_ip;
    note_.page_ip = cpu_.compiled.page_ip;
    note_.stack_pointer = state.gpr[x86::RSP];
    note_.frame_pointer = state.gpr[x86::RBP];
    note_.cr3 = state.cr3;
    note_.cs = state.segments[x86::CS];
    note_.ss = state.segments[x86::SS];
    note_.is_code64 = state.code64();
    note_.cpl = state.cpl;
    note_.host_time = nanoseconds(CLOCK_MONOTONIC);
    is_noted_ = true;
    // The boundary is to come at once.
    if (Compiler* compiler = cpu_.compiler()) {
        compiler->return_budget(note_.host);
        for (std::size_t i = 0; i < note_.host.general.size(); ++i)
            registers[general_registers[i]] = static_cast<greg_t>(note_.host.general[i]);
    }
    cpu_.end_slice();
}

// ---- At the boundary ----

std::uint64_t ProfileProbe::Segments::code(std::uint64_t ip) const {
    return is_code64 ? ip : (cs.base + ip) & 0xffff'ffff;
}

std::uint64_t ProfileProbe::Segments::stack(std::uint64_t pointer) const {
    constexpr unsigned big = 14;
    if (is_code64) return pointer;
    const std::uint64_t mask = (ss.attributes >> big & 1) ? 0xffff'ffff : 0xffff;
    return (ss.base + (pointer & mask)) & 0xffff'ffff;
}

std::uint8_t ProfileProbe::Segments::code_size() const {
    constexpr unsigned big = 14;
    if (is_code64) return 64;
    return (cs.attributes >> big & 1) ? 32 : 16;
}

backplane_cpu_sample ProfileProbe::sample_of_now(std::uint64_t retired) const {
    const x86::CpuState& state = cpu_.state;
    const Segments segments{state.segments[x86::CS], state.segments[x86::SS], state.code64()};
    return {.struct_size = sizeof(backplane_cpu_sample),
            .flags = 0,
            .pc = segments.code(state.rip),
            .stack_pointer = segments.stack(state.gpr[x86::RSP]),
            .frame_pointer = segments.stack(state.gpr[x86::RBP]),
            .address_space = state.cr3,
            .instructions = retired,
            .guest_time = host_.peek_now(host_.context),
            .host_time = nanoseconds(CLOCK_MONOTONIC),
            .thread_time = nanoseconds(CLOCK_THREAD_CPUTIME_ID),
            .requests = 0,
            .activity = BACKPLANE_CPU_INTERPRETER,
            .tier = 0,
            .privilege = state.cpl,
            .code_size = segments.code_size()};
}

void ProfileProbe::tell(std::uint64_t retired) {
    const x86::HostFloatingPoint host;
    const backplane_cpu_sample now = sample_of_now(retired);
    if (is_noted_) tell_requested(now);
    if (retired < next_) return;
    backplane_cpu_sample sample = now;
    sample.flags = BACKPLANE_SAMPLE_EXACT | BACKPLANE_SAMPLE_COUNTED;
    next_ = (retired / interval_ + 1) * interval_;
    profiler_.sample(profiler_.user, &sample);
}

void ProfileProbe::tell_requested(backplane_cpu_sample sample) {
    sample.activity = static_cast<std::uint8_t>(note_.activity);
    sample.host_time = note_.host_time;
    look_up(sample);
    sample.requests = requests_.exchange(0);
    is_noted_ = false;
    is_pending_ = false;
    if (sample.requests != 0) profiler_.sample(profiler_.user, &sample);
}

// Where the thread was, if that can be told; otherwise the sample stays one of the boundary.
void ProfileProbe::look_up(backplane_cpu_sample& sample) const {
    // Between slices, and whenever a block is looked for or compiled, RIP is in its place.
    if (!note_.is_in_slice || note_.activity == Activity::Compiler)
        return put_place(sample, note_.rip, note_.stack_pointer, note_.frame_pointer);
    Compiler* compiler = cpu_.compiler();
    if (const auto place = compiler ? compiler->place_of(note_.host) : std::nullopt) {
        sample.activity = BACKPLANE_CPU_COMPILED_CODE;
        sample.tier = static_cast<std::uint8_t>(place->tier);
        if (!place->block) return;
        const std::uint64_t offset = place->block->physical & x86::page_offset_mask;
        const Segments segments{note_.cs, note_.ss, note_.is_code64};
        const std::uint64_t first = segments.code(note_.page_ip + offset);
        // What is noted of the page may be of the one before.
        if (cpu_.physical_address(first) != place->block->physical) return;
        put_place(sample, note_.page_ip + offset + place->offset,
                  place->stack_pointer.value_or(note_.stack_pointer),
                  place->frame_pointer.value_or(note_.frame_pointer));
        return;
    }
    if (const Op* op = interpreted_op())
        put_place(sample, note_.block_ip + op->offset, note_.stack_pointer, note_.frame_pointer);
}

void ProfileProbe::put_place(backplane_cpu_sample& sample, std::uint64_t pc,
                             std::uint64_t stack_pointer, std::uint64_t frame_pointer) const {
    const Segments segments{note_.cs, note_.ss, note_.is_code64};
    sample.flags = BACKPLANE_SAMPLE_EXACT;
    sample.pc = segments.code(pc);
    sample.stack_pointer = segments.stack(stack_pointer);
    sample.frame_pointer = segments.stack(frame_pointer);
    sample.address_space = note_.cr3;
    sample.privilege = note_.cpl;
    sample.code_size = segments.code_size();
}

// A handler has the Core in R12 and its op in R13 (HandlerFunction), and so has what it calls as
// long as that does not use these registers. Further down the op is noted, as far as it asked for
// a service or a device.
const Op* ProfileProbe::interpreted_op() const {
    if (!note_.block) return nullptr;
    const Op* first = note_.block->ops();
    const auto in_block = [&](std::uint64_t address) -> const Op* {
        const std::uint64_t distance = address - reinterpret_cast<std::uint64_t>(first);
        const bool is_inside = distance < note_.block->op_count * sizeof(Op) &&
                               distance % sizeof(Op) == 0;
        return is_inside ? first + distance / sizeof(Op) : nullptr;
    };
    constexpr std::size_t core = 12, op = 13;
    const Core* self = &cpu_;
    const auto& registers = note_.host.general;
    if (registers[core] == reinterpret_cast<std::uint64_t>(self) &&
        note_.activity != Activity::Device)
        return in_block(registers[op]);
    return in_block(reinterpret_cast<std::uint64_t>(note_.access_op));
}

}  // namespace backplane::interp
