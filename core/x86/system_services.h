// The rare services of an engine that system instructions need: what `m.system()` gives.
//
// An abstract class, not a template: nothing here is on a hot path, and descriptor, CPUID and MSR
// code is compiled once for every tier. An engine owns one object of it per processor. Rules shared
// with the engine:
//
//   - HLT sets CpuState::halted and returns Outcome::Leave; the engine waits, or stops when nothing
//   can wake it.
//   - STI, MOV SS and POP SS set CpuState::interrupt_shadow and return Leave; the engine executes
//   one instruction with
//     interrupts held (for SS also debug traps), then clears it.
//   - A semantic that changes what code means (CS, CPL, CR0, CR3, CR4, EFER, DR7, TF) calls
//   mode_changed() before it
//     returns Jump (it has set the next RIP) or Leave (the next RIP is m.next_ip()).
#pragma once

#include <cstdint>
#include <optional>

namespace backplane::x86 {

struct CpuModel;
class MsrBank;

// What the processor core asks of its local interrupt controller.
class LocalApicPort {
public:
    // CR8 and TPR bits 7-4 are the same register (SDM 3A 11.8.6).
    virtual std::uint8_t task_priority() const = 0;
    virtual void set_task_priority(std::uint8_t cr8) = 0;

    // IA32_APIC_BASE (SDM 3A 11.4.4). False: the value is not allowed, WRMSR raises #GP.
    virtual std::uint64_t base() const = 0;
    virtual bool set_base(std::uint64_t value) = 0;

    // x2APIC registers, MSRs 800h to 8FFh. Empty or false: #GP, as when x2APIC mode is off.
    virtual std::optional<std::uint64_t> read_msr(std::uint32_t index) = 0;
    virtual bool write_msr(std::uint32_t index, std::uint64_t value) = 0;

    // IA32_TSC_DEADLINE (SDM 3A 11.5.4.1), in ticks of machine time: CpuState::tsc_offset is not in
    // it. 0 stands for none.
    virtual std::uint64_t tsc_deadline() const = 0;
    virtual void set_tsc_deadline(std::uint64_t ticks) = 0;

protected:
    ~LocalApicPort() = default;
};

// Things a guest asked for that this processor lacks; each (kind, number) is worth one log line.
enum class Unknown : std::uint8_t { MsrRead, MsrWrite, Instruction, ControlBit };

class SystemServices {
public:
    // Address translation. `flush_tlb` drops global pages too.
    virtual void flush_tlb() = 0;
    virtual void flush_tlb_non_global() = 0;
    virtual void flush_tlb_page(std::uint64_t linear) = 0;
    // CR3 now names this process-context identifier (SDM 3A 4.10.1). Unless `keeps_entries`, what
    // is remembered of it is dropped, but for global pages.
    virtual void select_pcid(std::uint16_t pcid, bool keeps_entries) = 0;

    // 32-bit PAE paging reads the four page-directory-pointer entries when CR3 is loaded (SDM
    // 3A 4.4.1). False: one has reserved bits set, MOV CR raises #GP.
    virtual bool load_page_directory_pointers(std::uint64_t cr3) = 0;

    // What the engine derived from the state and keeps (decoding mode, privilege, paging mode) may
    // be stale.
    virtual void mode_changed() = 0;
    // A segment register other than CS was loaded, outside 64-bit code. True: what code means has
    // changed with that, and the semantic goes on as behind mode_changed().
    virtual bool segments_changed() = 0;

    // IF was just set. False: no interrupt waits for that, and another instruction certainly comes
    // before the next one is looked for; so neither need the engine be left nor anything be held.
    virtual bool interrupt_window_matters() = 0;

    virtual const CpuModel& model() const = 0;
    virtual MsrBank& msrs() = 0;
    virtual std::uint32_t apic_id() const = 0;
    virtual std::uint32_t processor_count() const = 0;

    // Null when the machine has no local APIC.
    virtual LocalApicPort* local_apic() = 0;

    // Machine time in time-stamp-counter ticks, exact to the instruction; CpuState::tsc_offset is
    // not yet added.
    virtual std::uint64_t tsc_ticks() = 0;

    // One log line for each (kind, number), however often it happens.
    virtual void report_once(Unknown kind, std::uint64_t number) = 0;

protected:
    ~SystemServices() = default;
};

}  // namespace backplane::x86
