#include "interp/interpreter.h"

#include "interp/dispatch.h"
#include "interp/interrupt_return.h"
#include "interp/profile_probe.h"
#include "x86/cpu_model.h"
#include "x86/guest_floating_point.h"
#include "x86/interrupt_delivery.h"
#include "x86/reset_state.h"
#include "x86/segmented_address.h"

#include <algorithm>
#include <utility>

namespace backplane::interp {
namespace {

using x86::Fault;
using x86::Vector;

// Small enough that a lost request for attention and the age of published counters do not matter.
constexpr std::int64_t slice_instructions = 1 << 16;

// Enough that forgetting the jump cache for them takes little of the time they took.
constexpr std::size_t recycled_blocks = 8192;

// What delivery works with outside of any instruction.
const Op no_op{};

}  // namespace

Interpreter::Interpreter(const ProcessorParts& parts)
    : bus_{parts.bus}, model_{parts.model},
      blocks_{parts.block_arena_bytes,
              [](void* user, std::uint64_t page, bool watch) {
                  static_cast<Interpreter*>(user)->code_page_watched(page, watch);
              },
              this, parts.compiler},
      builder_{blocks_, parts.model, *this, parts.block_instructions,
               parts.compiler ? parts.compile_threshold : 0},
      compiler_{parts.compiler}, compile_threshold_{parts.compile_threshold} {
    services = this;
    compiled.interrupt_request = &kept_.interrupt_request;
    if (compiler_) compiler_->attach(*this);
}

void* Interpreter::operator new(std::size_t bytes, std::align_val_t) {
    return allocate_large_pages(bytes);
}

void Interpreter::operator delete(void* place, std::align_val_t) { free_large_pages(place); }

// ---- Requests from outside ----

// Asked again while the first time was lost (Core::budget), it tries again.
void Interpreter::nudge() {
    if (nudged_.exchange(true) && budget.load() < 0) return;
    budget.fetch_sub(attention_weight);
}

void Interpreter::request_attention() {
    attention_ = true;
    nudge();
}

void Interpreter::set_interrupt_request(bool level) {
    std::atomic_ref{kept_.interrupt_request} = level;
    if (level) nudge();
}

void Interpreter::raise_nmi() {
    std::atomic_ref{kept_.nmi} = true;
    nudge();
}

void Interpreter::set_a20(bool open) {
    std::atomic_ref{kept_.a20} = open;
    memory_requests_ = true;
    nudge();
}

void Interpreter::raise_init() {
    std::atomic_ref{kept_.init} = true;
    nudge();
}

void Interpreter::notice_startup() { nudge(); }

void Interpreter::post_map_change(std::uint64_t start, std::uint64_t length) {
    {
        const std::scoped_lock lock{memory_mutex_};
        remapped_.push_back({start, length});
    }
    memory_requests_ = true;
    nudge();
}

void Interpreter::post_code_written(std::uint64_t start, std::uint64_t length) {
    if (telling_ == std::this_thread::get_id()) return;
    {
        const std::scoped_lock lock{memory_mutex_};
        written_.push_back({start, length});
    }
    memory_requests_ = true;
    nudge();
}

void Interpreter::post_code_watched(std::uint64_t page, bool watch) {
    if (telling_ == std::this_thread::get_id()) return;
    foreign_code_.post(page, watch);
    memory_requests_ = true;
}

void Interpreter::carry_out_memory_requests() {
    std::vector<Range> written, remapped;
    memory_requests_ = false;
    {
        const std::scoped_lock lock{memory_mutex_};
        written.swap(written_);
        remapped.swap(remapped_);
    }
    const bool open = std::atomic_ref{kept_.a20};
    if (open != a20_open_) {
        a20_open_ = open;
        flush_tlb();
    }
    for (const Range& range : remapped)
        physical_map_changed(range.start, range.length);
    lose_foreign_code_pages();
    for (const Range& range : written)
        invalidate_physical(range.start, range.length);
}

// ---- The run loop ----

RunResult Interpreter::run(std::int64_t total) {
    x86::enter_guest_fp(state);
    std::optional<RunResult> result;
    hit_.reset();
    delivered_ = false;
    if (probe_) [[unlikely]]
        probe_->entered();
    while (!result) {
        nudged_ = false;
        if (probe_) [[unlikely]]
            probe_->look(kept_.retired);
        if (memory_requests_) carry_out_memory_requests();
        // A watchpoint hit within the instruction before, or within what is delivered now.
        if (!hit_ && ((result = deliver_pending_debug()) || (result = attend()))) break;
        if (hit_) {
            result = RunResult::Breakpoint;
            break;
        }
        if (total <= 0 || (delivered_ && stepping_ != Step::None)) {
            result = RunResult::Budget;
            break;
        }
        if (mode_stale_) refresh_mode();
        if (debugger_.has_code() && meets_breakpoint()) [[unlikely]] {
            result = RunResult::Breakpoint;
            break;
        }
        if (is_full()) make_room();
        if (compiled.wants_remake) [[unlikely]]
            compiler_->remake(blocks_);
        if (blocks_.dropped() >= recycled_blocks) [[unlikely]]
            recycle_blocks();

        if (const std::uint32_t hits = code_breakpoint()) {
            result = deliver_exception({.vector = Vector::Debug, .address = hits});
            continue;
        }
        bool step = wants_step();
        Block* block = step ? nullptr : interpret_once_ ? look_up_interpreted() : locate();
        const std::int64_t limit = probe_ ? probe_->until_counted(kept_.retired, total) : total;
        if (block && block->length > limit && block->is_compiled()) block = look_up_interpreted();
        std::int64_t slice = std::min(limit, slice_instructions);
        if (block && block->length > limit) {
            // The beginning of the block up to where the budget ends, if that can be told.
            slice = block->length;
            step = !leave_behind(*block, limit);
        }
        if (step) {
            block = step_block();
            slice = 1;
        }
        if (!block) {
            result = deliver_exception(fault);
            continue;
        }
        total -= execute(block, slice);
        result = finish(step);
        if (kept_.retired - published_ >= slice_instructions) publish_counters();
    }
    if (probe_) [[unlikely]]
        probe_->left(kept_.retired);
    x86::leave_guest_fp(state);
    publish_counters();
    return *result;
}

// As `run` does between two slices.
bool Interpreter::may_go_on() {
    const bool is_asked = nudged_.load(std::memory_order_relaxed) ||
                          memory_requests_.load(std::memory_order_relaxed) ||
                          std::atomic_ref{kept_.nmi} || budget.load(std::memory_order_relaxed) < 0;
    const bool is_interrupted = std::atomic_ref{kept_.interrupt_request} &&
                                (state.rflags & x86::rflags::if_);
    const bool is_special = state.pending_debug || state.halted || state.waiting_for_sipi ||
                            interpret_once_ || compiled.wants_remake || patched_op_ || hit_ ||
                            stepping_ != Step::None || is_full() ||
                            (block->mode & block_mode::single);
    if (is_asked || is_interrupted || is_special) return false;
    if (mode_stale_) refresh_mode();
    return !debugger_.has_code() && !breakpoints_.has_code() && !wants_step();
}

void Interpreter::publish_counters() {
    published_ = kept_.retired;
    counts[static_cast<std::size_t>(Counter::Instructions)] = kept_.retired;
    counts[static_cast<std::size_t>(Counter::RepIterations)] = rep_iterations;
    shared_counters_.publish(counts);
}

// Interrupts are recognised between instructions (SDM 3A 6.9); what is left decides whether there
// is anything to run.
std::optional<RunResult> Interpreter::attend() {
    if (attention_.load(std::memory_order_relaxed) && attention_.exchange(false))
        return RunResult::Attention;
    if (const std::atomic_ref init{kept_.init}; init) {
        init = false;
        initialize();
    }
    // Other interrupts wait until there is a program (SDM 3A 9.4.2).
    if (state.waiting_for_sipi && !start_up()) return RunResult::HaltedForGood;
    const bool holds_interrupts = stepping_ == Step::WithoutInterrupts && !state.halted;
    if (!state.interrupt_shadow && !holds_interrupts) {
        bool is_delivered = true;
        const std::atomic_ref nmi{kept_.nmi};
        if (nmi && !state.nmi_blocked) {
            nmi = false;
            is_delivered = deliver_interrupt(static_cast<std::uint8_t>(Vector::NonMaskable), true);
        } else if (std::atomic_ref{kept_.interrupt_request} && (state.rflags & x86::rflags::if_)) {
            const int vector = acknowledge_interrupt();
            if (vector >= 0)
                is_delivered = deliver_interrupt(static_cast<std::uint8_t>(vector), false);
        }
        if (!is_delivered) return RunResult::Shutdown;
    }
    if (state.halted != told_halted_) tell_halt();
    if (!state.halted) return std::nullopt;
    return (state.rflags & x86::rflags::if_) ? RunResult::Halted : RunResult::HaltedForGood;
}

bool Interpreter::deliver_interrupt(std::uint8_t vector, bool is_nmi) {
    InterpreterMachine machine{*this, no_op, pages(current_view())};
    state.halted = false;
    if (told_halted_) tell_halt();
    delivered_ = true;
    count(Counter::Interrupts);
    observe_interrupt(vector);
    const x86::Delivery delivery = is_nmi ? x86::deliver_nmi(machine, state.rip)
                                          : x86::deliver_interrupt(machine, vector, state.rip);
    state.rip = machine.target();
    return delivery == x86::Delivery::Delivered;
}

void interrupt_returned(x86::SystemServices& processor) {
    static_cast<Interpreter&>(processor).observe_interrupt_return();
}

void Interpreter::tell_halt() {
    told_halted_ = state.halted;
    observe_halt(told_halted_);
}

void Interpreter::initialize() {
    x86::leave_guest_fp(state);
    state = x86::init_state(state, model_);
    state.waiting_for_sipi = !bus_.is_boot_processor();
    x86::enter_guest_fp(state);
    reset();
    state_replaced();
}

bool Interpreter::start_up() {
    int vector = -1;
    {
        const x86::HostFloatingPoint host;
        vector = bus_.take_startup();
    }
    if (vector < 0) return false;
    x86::start_at_page(state, static_cast<std::uint8_t>(vector));
    state_replaced();
    return true;
}

std::optional<RunResult> Interpreter::deliver_exception(Fault found) {
    state.pending_debug = 0;
    if (found.vector == Vector::FloatingPoint && signals_numeric_error()) return std::nullopt;
    delivered_ = true;
    count(Counter::Exceptions);
    count(exception_counter(static_cast<unsigned>(found.vector)));
    observe_exception(found);
    InterpreterMachine machine{*this, no_op, pages(current_view())};
    if (x86::deliver_fault(machine, found, state.rip) == x86::Delivery::Shutdown)
        return RunResult::Shutdown;
    state.rip = machine.target();
    return std::nullopt;
}

// Gives the number of instructions retired. A sanitizer would look for the function's type in front
// of it, where compiled code has none.
[[clang::no_sanitize("function")]]
std::int64_t Interpreter::execute(Block* first, std::int64_t slice) {
    count(Counter::Slices);
    slice_ = slice;
    access_op = nullptr;
    state.block_ip = state.rip;
    block = first;
    budget.store(slice - first->length);
    // A request made since the last look must not wait for the slice's end.
    if (nudged_) budget.fetch_sub(attention_weight);
    const Op* op = first->ops();
    handler_of (*op)(this, op, pages(view), 0);
    if (patched_op_) restore_patch();
    access_op = nullptr;

    std::int64_t left = budget.load();
    while (left < -(attention_weight / 2))
        left += attention_weight;
    const std::int64_t used = slice - left;
    slice_ = 0;
    budget.store(0, std::memory_order_relaxed);
    kept_.retired += static_cast<std::uint64_t>(used);
    return used;
}

// What the end of a slice asks for.
std::optional<RunResult> Interpreter::finish(bool stepped) {
    if (stepped) count(Counter::SingleSteps);
    switch (exit) {
    case Exit::Budget: count(Counter::ExitsBudget); break;
    case Exit::Lookup:
    case Exit::Leave: count(Counter::ExitsLeave); break;
    case Exit::Again:
        count(Counter::ExitsAgain);
        // SDM 3B 17.3.1.1: what interrupts a repeated instruction pushes RF set, and its breakpoint
        // does not hit again when it goes on.
        state.rflags |= x86::rflags::rf;
        break;
    case Exit::Fault: count(Counter::ExitsFault); return deliver_exception(fault);
    }
    if (stepped && traps_after_step()) state.pending_debug |= x86::dr6::bs;
    return std::nullopt;
}

// Traps of the instruction before come ahead of interrupts (SDM 3A table 6-2).
std::optional<RunResult> Interpreter::deliver_pending_debug() {
    if (!state.pending_debug || state.debug_shadow) return std::nullopt;
    return deliver_exception({.vector = Vector::Debug, .address = state.pending_debug});
}

// The breakpoints on the instruction at state.rip that hit now: a fault, and ahead of those of
// fetching the instruction.
std::uint32_t Interpreter::code_breakpoint() const {
    if (!breakpoints_.has_code() || state.debug_shadow || (state.rflags & x86::rflags::rf))
        return 0;
    return breakpoints_.on_instruction(linear_of(state.rip));
}

// Code in the page of a breakpoint is executed one instruction at a time.
bool Interpreter::steps_through(std::uint64_t ip) const {
    return (breakpoints_.has_code() && breakpoints_.on_code_page(linear_of(ip))) ||
           (debugger_.has_code() && debugger_.on_code_page(linear_of(ip)));
}

// A data or I/O breakpoint: the trap comes behind the instruction.
void Interpreter::debug_trap(const Op* op, std::uint32_t hits) {
    if (!hits) return;
    if (!state.pending_debug && slice_ != 0) budget.fetch_sub(attention_weight);
    state.pending_debug |= hits;
    leave_after_access(op);
}

// SDM 3A 9.2.2 and 2.5: with CR0.NE clear the error goes out at FERR#, on which the machine makes
// an interrupt. The instruction waits for that; where none can come it is executed as if IGNNE#
// were asserted. False: NE is set.
bool Interpreter::signals_numeric_error() {
    constexpr std::uint64_t numeric_error = 1u << 5;
    if (state.cr0 & numeric_error) return false;
    {
        const x86::HostFloatingPoint host;
        drive_ferr(false);
        drive_ferr(true);
    }
    const bool comes = std::atomic_ref{kept_.interrupt_request} &&
                       (state.rflags & x86::rflags::if_) && !state.interrupt_shadow;
    state.ignore_numeric_error = !comes;
    return true;
}

bool Interpreter::wants_step() const {
    return state.interrupt_shadow || step_once_ ||
           (state.rflags & (x86::rflags::tf | x86::rflags::rf)) || steps_through(state.rip);
}

bool Interpreter::interrupt_window_matters() {
    if (std::atomic_ref{kept_.interrupt_request} || budget.load(std::memory_order_relaxed) < 0)
        return true;
    // The next instruction has to be one of this block, where nothing is asked before it: neither
    // the end of the budget nor a device has put a way out there.
    if (patched_op_ || !block || access_op < block->ops() ||
        access_op >= block->ops() + block->op_count)
        return true;
    return block->index_of(access_op) + 1u >= block->op_count;
}

// The block at state.rip as one that stays with the interpreter.
Block* Interpreter::look_up_interpreted() {
    interpret_once_ = false;
    return look_up(mode_ | block_mode::interpreted);
}

// The one instruction at state.rip. The shadow of the instruction before it ends here, and so does
// RF (SDM 3B 17.3.1.1); a fault pushes it set all the same.
Block* Interpreter::step_block() {
    trap_after_step_ = (state.rflags & x86::rflags::tf) != 0;
    Block* step = look_up(mode_ | block_mode::single);
    if (!step) return nullptr;
    state.interrupt_shadow = state.debug_shadow = step_once_ = false;
    state.rflags &= ~x86::rflags::rf;
    return step;
}

// An instruction that began with TF set traps when it is complete (SDM 3B 17.3.1.4), but not one
// that entered a handler and cleared TF on the way, nor MOV SS and POP SS (SDM 3A 6.8.3).
bool Interpreter::traps_after_step() const {
    if (!trap_after_step_ || state.debug_shadow) return false;
    return !block->is_software_interrupt || (state.rflags & x86::rflags::tf);
}

std::uint64_t Interpreter::instructions() const {
    if (slice_ == 0) return kept_.retired;
    std::int64_t left = budget.load(std::memory_order_relaxed);
    while (left < -(attention_weight / 2))
        left += attention_weight;
    const std::uint64_t count = kept_.retired + static_cast<std::uint64_t>(slice_ - left);
    // Between two blocks it may belong to one that was left.
    const bool within_block = access_op >= block->ops() &&
                              access_op < block->ops() + block->op_count;
    if (!within_block) return count;
    return count - (block->instruction_count - block->retired_before[block->index_of(access_op)]);
}

void Interpreter::refund(std::int64_t instructions) {
    budget.store(budget.load(std::memory_order_relaxed) + instructions, std::memory_order_relaxed);
}

void Interpreter::set_fault(const Fault& value) {
    fault = value;
    fault_raised = true;
}

// ---- Modes ----

void Interpreter::mode_changed() {
    mode_stale_ = true;
    // No block is found by this key, so that a jump that goes with the change comes back to the run
    // loop.
    jump_key = std::uint64_t{block_mode::code_size} << 48;
}

// Compiled code reaches FS and GS by their bases alone; all else about segments is its mode.
bool Interpreter::segments_changed() {
    const bool was_flat = (mode_ & block_mode::flat) != 0;
    if (look_at_segments() == was_flat && !mode_stale_) return false;
    mode_changed();
    return true;
}

// Whether this is flat 32-bit code.
bool Interpreter::look_at_segments() {
    compiled.fs_is_unlimited = x86::is_unlimited(state.segments[x86::FS]);
    compiled.gs_is_unlimited = x86::is_unlimited(state.segments[x86::GS]);
    return (mode_ & block_mode::code_size) == static_cast<std::uint8_t>(x86::CodeSize::Bits32) &&
           x86::has_flat_segments(state);
}

void Interpreter::refresh_mode() {
    mode_stale_ = false;
    // Mostly it is privilege alone that has changed.
    const PagingRegisters registers{state.cr0, state.cr3, state.cr4, state.efer};
    if (registers != paging_registers_ || paging_.format == x86::PagingMode::Format::Pae) {
        paging_registers_ = registers;
        paging_ = x86::PagingMode::of(state, kept_.page_directory_pointers,
                                      static_cast<std::uint8_t>(model_.physical_address_bits));
        paging_.gigabyte_pages = model_.has(x86::Feature::Pdpe1gb);
        paging_.pse36 = model_.has(x86::Feature::Pse36);
    }
    const x86::SegmentRegister& cs = state.segments[x86::CS];
    const bool big = (cs.attributes >> 14) & 1;
    const x86::CodeSize size = state.code64() ? x86::CodeSize::Bits64
                               : big          ? x86::CodeSize::Bits32
                                              : x86::CodeSize::Bits16;
    mode_ = static_cast<std::uint8_t>(size);
    if (look_at_segments()) mode_ |= block_mode::flat;
    const std::uint64_t base = state.code64() ? 0 : cs.base;
    const std::uint64_t limit = state.code64() ? ~std::uint64_t{0} : cs.limit;
    const bool has_breakpoints = x86::Breakpoints::are_enabled(state) || breakpoints_.any();
    const bool breakpoints_changed = has_breakpoints && breakpoints_ != x86::Breakpoints{state};
    // The jump cache knows offsets in CS only, and neither limits nor breakpoints.
    if (base != code_base_ || limit != code_limit_ || breakpoints_changed) {
        code_base_ = base;
        code_limit_ = limit;
        begin_generations();
    }
    if (breakpoints_changed) {
        breakpoints_ = x86::Breakpoints{state};
        for (x86::FastTlb& level : tlb)
            level.flush();
        forget_recent();
    }
    // A trap has to be told between any two instructions.
    if (breakpoints_.has_data() || debugger_.has_data()) mode_ |= block_mode::unfused;
    view = current_view();
    mode_ |= static_cast<std::uint8_t>(static_cast<unsigned>(view) << block_mode::view_shift);
    renew_jump_key(privilege());
}

View Interpreter::current_view() const {
    constexpr std::uint64_t alignment_mask = 1u << 18, smap = 1u << 21;
    const bool access_check = (state.rflags & x86::rflags::ac) != 0;
    if (state.cpl == 3)
        return access_check && (state.cr0 & alignment_mask) ? View::UserAligned : View::User;
    return access_check && (state.cr4 & smap) ? View::SupervisorUserData : View::Supervisor;
}

x86::CodeSize Interpreter::code_size() {
    if (mode_stale_) refresh_mode();
    return static_cast<x86::CodeSize>(mode_ & block_mode::code_size);
}

void Interpreter::reset() {
    std::atomic_ref{kept_.nmi} = false;
    std::atomic_ref{kept_.init} = false;
}

void Interpreter::state_replaced() {
    flush_tlb();
    mode_changed();
    refresh_mode();
}

}  // namespace backplane::interp
