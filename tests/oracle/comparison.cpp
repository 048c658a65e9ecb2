#include "comparison.h"

#include "disagreements.h"
#include "undefined.h"
#include "x86/cpu_state.h"
#include "x86/disassembler.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace backplane::oracle {
namespace {

using x86::CodeSize;

constexpr int debug = 1, breakpoint = 3, page_fault = 14;
constexpr std::uint64_t misaligned_mode = std::uint64_t{1} << (32 + 17);
constexpr std::uint64_t half_of_kernel = std::uint64_t{1} << 47;

const char* const gpr_names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                 "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
const char* const segment_names[] = {"es", "cs", "ss", "ds", "fs", "gs"};

std::string hex(std::uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "%lx", value);
    return text;
}

bool is_64bit(std::uint16_t cs) { return (cs | 3) == selector::code64; }

std::uint64_t linear_ip(const MachineState& state) {
    return (state.selectors[x86::CS] | 3) == selector::code16 ? state.rip + code_address
                                                              : state.rip;
}

// Linux' way back to the child turns every null selector into zero (SDM 2, IRET).
std::uint16_t visible_selector(std::uint16_t selector) { return selector < 4 ? 0 : selector; }

class Comparison {
public:
    Comparison(const Case& test, const x86::Instruction* instruction, const Result& native,
               const Result& engine)
        : test_{test}, native_{native}, engine_{engine},
          undefined_{undefined_results(test, instruction)},
          excused_{excused_parts(test, instruction, native)},
          wide_{test.code_size == CodeSize::Bits64 && is_64bit(native.after.selectors[x86::CS])} {}

    std::vector<Difference> run() {
        if (excused_ == part::all) return {};
        // INT1 traps like the single step that ends every case.
        const int engine = engine_.vector == debug ? Result::no_fault : engine_.vector;
        add("vector", static_cast<unsigned>(native_.vector), static_cast<unsigned>(engine));
        if (!found_.empty()) {
            const bool both_fault = !native_.completed() && engine != Result::no_fault;
            if (excused_ & (both_fault ? part::which_fault : part::completion)) found_.clear();
            return std::move(found_);
        }
        compare_fault();
        if (undefined_.destination) return std::move(found_);
        compare_integer_state();
        if (!(excused_ & part::x87)) compare_x87();
        if (!(excused_ & part::vectors)) compare_vectors();
        if (!(excused_ & part::memory) &&
            std::memcmp(native_.memory.data(), engine_.memory.data(), data_bytes) != 0)
            compare_memory();
        return std::move(found_);
    }

private:
    void add(std::string where, std::uint64_t native, std::uint64_t engine) {
        if (native != engine) found_.push_back({std::move(where), native, engine});
    }
    // Spares making names for what is equal, which is nearly all.
    template <class Name>
    void check(std::uint64_t native, std::uint64_t engine, Name name) {
        if (native != engine) found_.push_back({name(), native, engine});
    }

    void compare_fault() {
        // Linux does not tell whether its own addresses are mapped.
        std::uint32_t ignored = 0;
        if (native_.vector == page_fault && native_.fault_address >= half_of_kernel) ignored = 1;
        if (excused_ & part::which_fault) return;
        add("error code", native_.error_code & ~ignored, engine_.error_code & ~ignored);
        if (native_.vector == page_fault && !(excused_ & part::fault_address))
            add("fault address", native_.fault_address, engine_.fault_address);
    }

    void compare_integer_state() {
        const std::uint64_t visible = wide_ ? ~std::uint64_t{0} : 0xffffffff;
        const unsigned registers = excused_ & part::registers ? 0 : wide_ ? 16 : 8;
        for (unsigned i = 0; i < registers; ++i)
            check(native_.after.gpr[i] & visible, engine_.after.gpr[i] & visible,
                  [&] { return std::string{gpr_names[i]}; });
        add("rip", native_.after.rip & visible, engine_.after.rip & visible);
        const std::uint64_t ignored = undefined_.flags | x86::rflags::tf | x86::rflags::rf;
        if (!(excused_ & part::flags))
            add("flags", native_.after.rflags & ~ignored, engine_.after.rflags & ~ignored);
        for (unsigned i = 0; i < 6; ++i)
            check(visible_selector(native_.after.selectors[i]),
                  visible_selector(engine_.after.selectors[i]),
                  [&] { return std::string{segment_names[i]}; });
        if (!wide_) return;
        add("fs base", native_.after.fs_base, engine_.after.fs_base);
        add("gs base", native_.after.gs_base, engine_.after.gs_base);
    }

    void compare_x87() {
        const VectorState &native = native_.after.vector, &engine = engine_.after.vector;
        add("x87 control", native.control, engine.control);
        add("x87 status", native.status & ~undefined_.x87_status,
            engine.status & ~undefined_.x87_status);
        add("x87 tags", native.valid, engine.valid);
        for (unsigned i = 0; i < 8; ++i) {
            const auto name = [&] { return "st" + std::to_string(i); };
            check(native.st[i].significand, engine.st[i].significand, name);
            check(native.st[i].sign_exponent, engine.st[i].sign_exponent, name);
        }
        // AMD keeps these only while an exception is pending (APM 2 11.4.4.3).
        if (!(native.status & 0x80) || (excused_ & part::x87_pointers)) return;
        add("x87 opcode", native.last_opcode, engine.last_opcode);
        add("x87 instruction", native.last_instruction, engine.last_instruction);
        add("x87 data", native.last_data, engine.last_data);
    }

    void compare_vectors() {
        const VectorState &native = native_.after.vector, &engine = engine_.after.vector;
        add("mxcsr", native.mxcsr, engine.mxcsr);
        const unsigned registers = test_.code_size == CodeSize::Bits64 ? 16 : 8;
        for (unsigned i = 0; i < registers; ++i)
            for (unsigned lane = 0; lane < 4; ++lane) {
                const auto& from = lane < 2 ? native.xmm : native.ymm_high;
                const auto& to = lane < 2 ? engine.xmm : engine.ymm_high;
                check(from[i][lane & 1], to[i][lane & 1], [&] {
                    return (lane < 2 ? "xmm" : "ymm") + std::to_string(i) + " lane " +
                           std::to_string(lane);
                });
            }
    }

    void compare_memory() {
        for (std::size_t i = 0; i < data_bytes && found_.size() < 8; i += 8) {
            std::uint64_t native, engine;
            std::memcpy(&native, &native_.memory[i], 8);
            std::memcpy(&engine, &engine_.memory[i], 8);
            if (undefined_.mxcsr_mask && (i & 15) == 8 && (native & ~engine) == misaligned_mode)
                continue;
            check(native, engine, [&] { return "memory " + hex(data_address + i); });
        }
    }

    const Case& test_;
    const Result &native_, &engine_;
    const Undefined undefined_;
    const unsigned excused_;
    bool wide_;  // both before and behind, so that all of the registers are visible
    std::vector<Difference> found_;
};

}  // namespace

void normalize_native(const Case& test, Result& result) {
    const std::uint64_t behind = test.before.rip + test.length;
    if (result.vector == debug) {
        result.vector = Result::no_fault;
    } else if (result.vector == breakpoint) {
        // IRET ends the single step with the flags it loads, so that the filler at the landing is
        // what stops.
        const bool own = result.after.rip == behind && test.single_step;
        const std::uint64_t linear = linear_ip(result.after) - 1;
        if (!own && linear - code_address < code_bytes) {
            result.vector = Result::no_fault;
            --result.after.rip;
        }
    }
    if (result.vector == Result::no_fault) result.error_code = 0;
    if (result.vector != page_fault) result.fault_address = 0;
}

std::vector<Difference> compare(const Case& test, const x86::Instruction* instruction,
                                const Result& native, const Result& engine) {
    return Comparison{test, instruction, native, engine}.run();
}

std::string describe(const Case& test, const x86::Instruction* instruction, const Result& native,
                     const Result& engine, const std::vector<Difference>& differences) {
    std::string text = test.code_size == CodeSize::Bits64   ? "64-bit "
                       : test.code_size == CodeSize::Bits32 ? "32-bit "
                                                            : "16-bit ";
    for (unsigned i = 0; i < test.length; ++i) {
        char byte[4];
        std::snprintf(byte, sizeof byte, "%02x ", test.bytes[i]);
        text += byte;
    }
    text += instruction ? x86::disassemble(*instruction) : "(no instruction)";
    text += "\n  native " +
            (native.completed()
                 ? "completes"
                 : "vector " + std::to_string(native.vector) + " error " + hex(native.error_code)) +
            ", engine " +
            (engine.completed()
                 ? "completes"
                 : "vector " + std::to_string(engine.vector) + " error " + hex(engine.error_code));
    for (const Difference& difference : differences)
        text += "\n  " + difference.where + ": native " + hex(difference.native) + " engine " +
                hex(difference.engine);
    text += "\n  engine behind: cs=" + hex(engine.after.selectors[x86::CS]) +
            " rip=" + hex(engine.after.rip) + " rsp=" + hex(engine.after.gpr[4]);
    text += "\n  before:";
    for (unsigned i = 0; i < 16; ++i)
        text += std::string{" "} + gpr_names[i] + "=" + hex(test.before.gpr[i]);
    text += " rip=" + hex(test.before.rip) + " flags=" + hex(test.before.rflags) +
            " mxcsr=" + hex(test.before.vector.mxcsr) + " fcw=" + hex(test.before.vector.control) +
            " fsw=" + hex(test.before.vector.status) + " ftw=" + hex(test.before.vector.valid);
    return text + "\n";
}

}  // namespace backplane::oracle
