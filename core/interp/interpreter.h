// One virtual processor executed by the interpreter: the run loop and all that is not a handler.
#pragma once

#include "interp/activity.h"
#include "interp/block_builder.h"
#include "interp/block_cache.h"
#include "interp/compiler.h"
#include "interp/core.h"
#include "interp/counters.h"
#include "interp/foreign_code.h"
#include "interp/physical_bus.h"
#include "x86/breakpoints.h"
#include "x86/debugger_breakpoints.h"
#include "x86/paging.h"
#include "x86/system_services.h"
#include "x86/tlb.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace backplane::interp {

class InterpreterMachine;
class ProfileProbe;

enum class RunResult : std::uint8_t {
    Budget,
    Attention,
    Halted,
    HaltedForGood,
    Shutdown,
    Breakpoint,
};

// How a debugger has one instruction executed.
enum class Step : std::uint8_t { None, WithInterrupts, WithoutInterrupts };

struct ProcessorParts {
    PhysicalBus& bus;
    const x86::CpuModel& model;
    std::size_t block_arena_bytes = std::size_t{128} << 20;
    std::size_t block_instructions = block_max_instructions;
    Compiler* compiler = nullptr;         // of a tier above; it outlives the interpreter
    std::uint32_t compile_threshold = 0;  // executions after which a block goes there
};

// In front of Core, as compiled code has the stack pointer there; signals may be handled on it.
struct CompiledStack {
    alignas(Core) std::array<std::byte, 64 * 1024> compiled_stack;
};

class Interpreter : public CompiledStack, public Core, public x86::SystemServices {
public:
    explicit Interpreter(const ProcessorParts& parts);
    Interpreter(const Interpreter&) = delete;
    Interpreter& operator=(const Interpreter&) = delete;
    // In large pages of the host: its tables are looked into all the time, anywhere.
    static void* operator new(std::size_t bytes, std::align_val_t alignment);
    static void operator delete(void* place, std::align_val_t alignment);

    // [vcpu] Executes until exactly `budget` instructions have retired, or something else comes
    // first.
    RunResult run(std::int64_t budget);

    // [vcpu] Executes one instruction, or delivers one exception or interrupt.
    RunResult step(Step how);

    // [any] Makes run return soon with Attention, also when it is not running yet.
    void request_attention();
    // [any] The INTR pin.
    void set_interrupt_request(bool level);
    // [any] An edge at the NMI pin.
    void raise_nmi();
    // [any] The A20M# pin: without the gate address bit 20 is always 0.
    void set_a20(bool open);
    // [any] INIT; and a STARTUP that waits on the bus.
    void raise_init();
    void notice_startup();

    // [vcpu] Retired since power-on, exact also inside a device access; the instruction that makes
    // it is not included.
    std::uint64_t instructions() const;
    // [any] As of the last slice.
    const SharedCounters& counters() const { return shared_counters_; }

    static constexpr std::uint64_t everything = ~std::uint64_t{0};
    // [vcpu, safe point] The memory map changed there: no host pointer of before may be used.
    void physical_map_changed(std::uint64_t start = 0, std::uint64_t length = everything);
    // [vcpu] Somebody else wrote into memory.
    void invalidate_physical(std::uint64_t start, std::uint64_t length);
    // [any] The same two; carried out before the next block is entered from the run loop, which
    // comes soon.
    void post_map_change(std::uint64_t start = 0, std::uint64_t length = everything);
    void post_code_written(std::uint64_t start, std::uint64_t length);
    // [any] Some processor, perhaps this one, keeps code of a page or no longer does.
    void post_code_watched(std::uint64_t page, bool watch);
    // [vcpu, outside run] What a snapshot keeps besides `state`, which is complete outside run.
    struct Kept {
        std::uint64_t retired = 0;
        std::array<std::uint64_t, 4> page_directory_pointers{};
        // Through atomic_ref: other threads set them.
        bool nmi = false, init = false, interrupt_request = false;
        bool a20 = true;
    };
    Kept& kept() { return kept_; }
    // [vcpu, outside run] Pending NMI and INIT are forgotten; INTR is a level and stays.
    void reset();
    // [vcpu, outside run] The registers were changed from outside.
    void state_replaced();
    // [vcpu, outside run] For debuggers.
    std::optional<std::uint64_t> physical_address(std::uint64_t linear);
    x86::CodeSize code_size();
    bool insert_breakpoint(const x86::DebuggerBreakpoint& wanted);
    bool remove_breakpoint(const x86::DebuggerBreakpoint& wanted);
    // What the last run ended with, if it was one.
    const std::optional<x86::DebuggerBreakpoint>& hit_breakpoint() const { return hit_; }

    // ---- For a profiler ----

    // [vcpu, outside run] It looks from now on. Null: nobody does.
    void set_probe(ProfileProbe* probe) { probe_ = probe; }
    // [vcpu, between slices] Blocks are counted from now on, or no longer. The same counts until
    // then.
    void count_blocks(BlockCounts* counts);
    // [vcpu, also in a signal] Whether it is executing, and not between two slices.
    bool is_in_slice() const { return slice_ != 0; }
    Activity activity() const { return activity_.load(std::memory_order_relaxed); }
    Doing doing(Activity activity) { return Doing{activity_, activity}; }
    // [vcpu, in a signal] The slice ends soon, and nothing else happens for it.
    void end_slice() { nudge(); }
    // [vcpu, between slices] Bytes of memory from here on that are at hand, within the page.
    std::span<const std::byte> memory_at(std::uint64_t linear);

    // SystemServices
    void flush_tlb() override;
    void flush_tlb_non_global() override;
    void flush_tlb_page(std::uint64_t linear) override;
    bool load_page_directory_pointers(std::uint64_t cr3) override;
    void select_pcid(std::uint16_t pcid, bool keeps_entries) override;
    bool interrupt_window_matters() override;
    void mode_changed() override;
    bool segments_changed() override;
    const x86::CpuModel& model() const override { return model_; }

    // [vcpu] Called before an exception is delivered, with the registers as the handler's frame
    // will show them.
    virtual void observe_exception(const x86::Fault&) {}
    // [vcpu] Likewise of an interrupt, by its vector; 2 is an NMI.
    virtual void observe_interrupt(std::uint8_t) {}
    // [vcpu] The processor has nothing to execute from now on, or something again.
    virtual void observe_halt(bool) {}
    // [vcpu] IRET went where it goes; RSP and CPL are those of there.
    virtual void observe_interrupt_return() {}
    // [vcpu] The FERR# pin.
    virtual void drive_ferr(bool) {}

    // ---- For slow_access.cpp and dispatch.cpp ----

    // A page of the guest as an access finds it.
    struct Page {
        std::uint64_t physical;  // of the byte asked for
        std::uint8_t* host;      // of that byte; null: a device
        bool has_code;
    };
    std::optional<Page> resolve(std::uint64_t linear, x86::AccessKind kind, View through);
    // Data breakpoints (DR0 to DR3, and a debugger's): their pages never get into the first-level
    // TLBs.
    bool watches_data(std::uint64_t linear) const {
        return breakpoints_.on_data_page(linear) || debugger_.on_data_page(linear);
    }
    void note_access(const Op* op, const x86::DebuggerBreakpoints::Access& access) {
        if (breakpoints_.has_data()) [[unlikely]]
            debug_trap(op, breakpoints_.on_access(access.linear, access.size, access.writes));
        if (debugger_.has_data()) [[unlikely]]
            debugger_trap(op, debugger_.on_access(access));
    }
    std::uint64_t device_read(const Op* op, std::uint64_t physical, unsigned size);
    void device_write(const Op* op, std::uint64_t physical, unsigned size, std::uint64_t value);
    std::uint32_t port_read(const Op* op, std::uint16_t port, unsigned size);
    void port_write(const Op* op, std::uint16_t port, unsigned size, std::uint32_t value);
    std::uint32_t port_read_many(const Op* op, std::uint16_t port, unsigned size,
                                 std::span<std::byte> data);
    std::uint32_t port_write_many(const Op* op, std::uint16_t port, unsigned size,
                                  std::span<const std::byte> data);
    void code_written(std::uint64_t physical, std::uint64_t length);
    // Whether another processor keeps code of this page: then it must be resolved for writing anew.
    bool is_foreign_code(std::uint64_t physical) const {
        return foreign_code_.contains(physical & ~x86::page_offset_mask);
    }
    // Around an access that is to be atomic against other processors and devices.
    void begin_exclusive();
    void end_exclusive();
    // Before a bulk write whose length is not known yet: drops the code from here to the end of the
    // page. False: the code being executed is in this page, write piece by piece.
    bool drop_code_behind(std::uint64_t physical);
    void set_fault(const x86::Fault& value);

    // The block at state.rip. Null: a fault is raised, or the run loop has to do something first.
    Block* locate();
    // Whether a link from the block being executed may lead to this RIP: it has to stay within the
    // page.
    bool may_link(std::uint64_t target_ip) const {
        return (((code_base_ + state.block_ip) ^ (code_base_ + target_ip)) >> x86::page_shift) == 0;
    }
    void link(Block*& place, Block* target, std::uint64_t target_ip);
    // Whether the block being executed may lead there without looking at the page tables again, if
    // all of that is in this page; otherwise where the second page is has to be looked up.
    bool is_linkable(const Block& target, std::uint64_t target_ip) const;
    // Whether code in this physical page is what comes behind the page with RIPs from `page_ip` on.
    // It stays so as long as link_key does.
    bool is_behind(std::uint64_t page_ip, std::uint64_t second_page);
    void refund(std::int64_t instructions);
    // Whether an instruction is being executed for a block that is compiled.
    bool is_in_compiled() const { return slice_ != 0 && block->is_compiled(); }
    void restore_patch();
    // Behind an instruction that may have changed anything: whether the run loop would do nothing
    // but go on with the block at state.rip.
    bool may_go_on();
    // The mode has changed since the last look.
    bool is_mode_stale() const { return mode_stale_; }
    // The next instruction is executed by itself.
    void step_once() { step_once_ = true; }
    // The next block is not executed as compiled code.
    void interpret_once() { interpret_once_ = true; }
    // A tier above asks for an access that missed the first-level TLB: true if it is there now.
    // Only what the second level knows is; nothing is raised, and no code is dropped.
    bool refill(std::uint64_t linear, std::uint32_t size, x86::AccessKind kind);
    // Reads what lies in two pages to `transfer`, if both are RAM that is known.
    bool gather(std::uint64_t linear, std::uint32_t size);
    // The same for a block at this RIP that is not in the jump cache.
    bool recollect(std::uint64_t ip);
    // A tier above asks: itself, and where the bytes from this address on to the end of the page
    // are; null if they are in a device.
    Compiler* compiler() const { return compiler_; }
    bool is_only_processor() const { return bus_.is_only_processor(); }
    const std::byte* code_bytes(std::uint64_t physical);
    // The block being entered was executed often enough. False: it is to be offered again.
    bool offer(Block& hot);
    // [vcpu, outside run] For who looks into it: all blocks with a byte at this address, and where
    // code comes to lie that is at `ip` in the code segment as it is now.
    std::vector<Block*> blocks_at(std::uint64_t physical) const {
        return blocks_.blocks_at(physical);
    }
    std::uint64_t linear_of(std::uint64_t ip) const {
        const std::uint64_t linear = code_base_ + ip;
        return state.code64() ? linear : linear & 0xffff'ffff;
    }

    // Entries of page tables (PageWalker).
    std::optional<std::uint64_t> read_entry(std::uint64_t physical, unsigned bytes);
    bool update_entry(std::uint64_t physical, unsigned bytes, std::uint64_t expected,
                      std::uint64_t value);

private:
    std::optional<RunResult> attend();
    void tell_halt();
    bool deliver_interrupt(std::uint8_t vector, bool is_nmi);  // false: shutdown
    void initialize();
    bool start_up();
    std::optional<RunResult> deliver_exception(x86::Fault fault);
    std::int64_t execute(Block* block, std::int64_t budget);
    std::optional<RunResult> finish(bool stepped);
    Block* step_block();
    Block* look_up_interpreted();
    bool traps_after_step() const;
    std::optional<RunResult> deliver_pending_debug();
    std::uint32_t code_breakpoint() const;
    bool steps_through(std::uint64_t ip) const;
    void debug_trap(const Op* op, std::uint32_t hits);
    void debugger_trap(const Op* op, const x86::DebuggerBreakpoint* found);
    bool meets_breakpoint();
    void breakpoints_changed(x86::DebuggerBreakpointKind kind);
    bool signals_numeric_error();
    int acknowledge_interrupt();
    std::uint64_t read_bus(std::uint64_t physical, unsigned size);
    void refresh_mode();
    bool is_full() const { return blocks_.is_full() || compiler_full_; }
    void make_room();
    void release_blocks();
    void recycle_blocks();

    void begin_generation(x86::Privilege privilege) {
        const auto which = static_cast<std::size_t>(privilege);
        generation_[which] = ++last_generation_[which];
    }
    // In all contexts.
    void begin_generations();

    bool wants_step() const;
    View current_view() const;
    bool look_at_segments();
    std::uint64_t gated(std::uint64_t physical) const {
        return physical & (a20_open_ ? ~std::uint64_t{0} : ~(std::uint64_t{1} << 20));
    }
    void publish_counters();

    void compile_hot_blocks();
    bool compile(const HotBlock& hot);
    Block* lengthen(const HotBlock& hot);
    Block* look_up(std::uint8_t mode);
    Block* build(std::uint64_t physical, std::uint8_t mode, std::uint16_t segment_end);
    std::uint64_t executions(const Block* block) const;
    void insert_in_jump_cache(std::uint64_t ip, std::uint64_t linear, Block* block,
                              const x86::PageTranslation& page);
    void mark_code_page(std::uint64_t linear, const x86::PageTranslation& page);
    bool may_have_code(std::uint64_t linear) const;
    void renew_jump_key(x86::Privilege privilege);
    void code_page_watched(std::uint64_t page, bool watch);
    void claim_code_page(std::uint64_t page);
    void lose_foreign_code_pages();

    void nudge();
    void carry_out_memory_requests();
    void leave_after_access(const Op* op);
    bool leave_behind(Block& part, std::int64_t instructions);
    void patch(Op* op);
    void drop_non_global();
    void fill(std::uint64_t linear, View through, const x86::PageTranslation& page,
              const PhysicalRange& range, std::uint64_t physical, bool has_code);
    const PhysicalRange& range_of(std::uint64_t physical);
    std::expected<x86::PageTranslation, x86::Fault> translate(std::uint64_t linear,
                                                              x86::PageAccess access);
    std::expected<x86::PageTranslation, x86::Fault> translate_ungated(std::uint64_t linear,
                                                                      x86::PageAccess access);

    PhysicalBus& bus_;
    const x86::CpuModel& model_;
    SharedCounters shared_counters_;

    // Requests from outside.
    struct Range {
        std::uint64_t start, length;
    };
    std::atomic<bool> nudged_{false}, attention_{false};
    Kept kept_;
    std::atomic<bool> memory_requests_{false};
    std::mutex memory_mutex_;
    std::vector<Range> written_, remapped_;
    bool a20_open_ = true;  // as the translations made are

    // What other processors have; and who is in a call that tells them what this one has.
    ForeignCode foreign_code_;
    std::atomic<std::thread::id> telling_{};

    // Address translation.
    struct PagingRegisters {
        std::uint64_t cr0, cr3, cr4, efer;
        bool operator==(const PagingRegisters&) const = default;
    };
    x86::PagingMode paging_;
    std::optional<PagingRegisters> paging_registers_;  // that paging_ was made of
    x86::SecondLevelTlb second_level_;
    std::array<PhysicalRange, 4> ranges_{};
    std::size_t next_range_ = 0;
    PhysicalRange
        device_range_;  // the last one without memory: kept apart, so that devices push no RAM out

    // Code.
    BlockCache blocks_;
    BlockBuilder builder_;
    Compiler* compiler_;
    std::uint32_t compile_threshold_;
    bool compiler_full_ = false;
    std::vector<HotBlock> hot_blocks_;  // that wait to be compiled
    std::uint8_t mode_ = 0;
    bool mode_stale_ = true;
    std::uint64_t code_base_ = 0;                   // of CS; zero in 64-bit code
    std::uint64_t code_limit_ = ~std::uint64_t{0};  // of CS; the largest number in 64-bit code
    x86::Breakpoints breakpoints_;
    x86::DebuggerBreakpoints debugger_;
    std::optional<x86::DebuggerBreakpoint> hit_;
    // Where, and after how many instructions, an instruction was not executed for a breakpoint.
    std::optional<std::pair<std::uint64_t, std::uint64_t>> met_;
    Step stepping_ = Step::None;
    bool delivered_ = false;  // an exception or interrupt, while stepping
    // Of the jump cache, by privilege: the one that counts now, and the last that was begun.
    std::array<std::uint64_t, 2> generation_{1, 1}, last_generation_{1, 1};
    // What the jump cache has of contexts that were left and may come back (SDM 3A 4.10.1), by
    // their lowest bits. Generation 0: nothing.
    struct LeftContext {
        std::uint64_t generation = 0;
        std::uint16_t pcid = 0;
    };
    std::array<LeftContext, 8> left_contexts_{};
    std::uint16_t pcid_ = 0;
    std::uint64_t epoch_ = 0;  // generations began anew so often
    bool supervisor_code_not_global_ = false;
    // Pages the jump cache leads into, by hash: of 4 KiB, and the 2 MiB parts of larger ones.
    // Guests flush page by page, so that one taken for another costs all links.
    std::array<std::uint64_t, 1024> code_page_filter_{};
    std::array<std::uint64_t, 64> large_code_page_filter_{};
    // The page behind the one that look_up found, and what it is when an instruction crosses.
    std::uint64_t second_linear_ = 0;
    x86::PageTranslation second_page_;
    Op* patched_op_ = nullptr;
    const void* patched_handler_ = nullptr;

    // Accounting of the slice being executed.
    std::int64_t slice_ = 0;
    std::uint64_t published_ = 0;  // instructions when counters were copied last
    bool trap_after_step_ = false, step_once_ = false, interpret_once_ = false;

    bool told_halted_ = false;  // what observe_halt was told last

    // Of a profiler.
    ProfileProbe* probe_ = nullptr;
    std::atomic<Activity> activity_{Activity::Interpreter};
    std::uint8_t counted_mode_ = 0;  // what blocks have besides mode_ while they are counted
};

}  // namespace backplane::interp
