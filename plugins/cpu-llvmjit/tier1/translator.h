// Makes machine code of one block: the guest's instructions with other registers and addresses, and
// around them what an emulated processor has to do.
//
// Code is only made for what usually happens. All else leaves to the interpreter in front of the
// instruction, with everything in CpuState as it is there, and comes back behind it (compiler.h).
#pragma once

#include "interp/block.h"
#include "tier1/assembler.h"
#include "tier1/code_map.h"
#include "tier1/native_block.h"
#include "tier1/registers.h"
#include "tier1/stack_use.h"
#include "tier1/untranslated.h"
#include "tier1/way.h"
#include "tier1/x87_knowledge.h"
#include "x86/cpu_model.h"
#include "x86/instruction.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace backplane::jit {

class Translator {
public:
    Translator(Assembler& code, const Ways& ways, const x86::CpuModel& model,
               bool is_only_processor, Untranslated& untranslated,
               std::pmr::memory_resource& workspace);

    // Notes what is where while translating.
    void make_map(CodeMap& map) { map_ = &map; }

    static bool can_translate(const interp::Block& block);

    // What is executed often goes to where the assembler is, all else to `cold`, up to `cold_end`.
    // The instructions are those up to one that cannot be decoded.
    void translate(interp::Block& block, std::span<const x86::Instruction> instructions, Place cold,
                   Place cold_end, NativeBlock& native);

    // Where the interpreter enters, which has taken the block from the budget.
    std::uint32_t first_entry() const { return first_entry_; }
    // There was a way out where the flags had been taken for unseen: the block has to be made anew,
    // with NativeBlock::keeps_all_flags.
    bool lacks_flags() const { return lacks_flags_; }
    // Instructions that were left to the interpreter.
    unsigned untranslated() const { return untranslated_count_; }
    // Ops in front of which the interpreter comes back, and where to.
    const std::pmr::vector<std::pair<std::uint16_t, Place>>& resumptions() const {
        return resumptions_;
    }

private:
    using Instruction = x86::Instruction;
    using ZydisOperand = ZydisDecodedOperand;

    // Where the arithmetic flags are: in the host's, in `flags_image`, in both, or nowhere, but
    // `recipe_` makes them; or nobody can see what they are before they are other ones.
    enum class Flags : std::uint8_t { Image, Host, Both, Recipe, Dead };

    // Makes flags that an instruction has made before: by the same instruction, by a test of its
    // result, or by undoing it in another register.
    struct Recipe {
        enum Kind : std::uint8_t { Again, Test, Undo };
        Kind kind;
        Opcode opcode;
        std::uint8_t reg;
        Operand rm;
        std::uint64_t immediate;
        std::uint8_t immediate_bytes;
        std::uint16_t registers;  // of the guest, which have to stay as they are
    };

    // What `scratch` and `scratch2` have for the next access, if anything.
    enum class WindowKind : std::uint8_t { None, Page, Stack };

    // What can change while an instruction is tried, to take it back.
    struct Mark {
        Place place;
        std::size_t exits;
        Flags flags;
        std::uint8_t vectors;
        X87Knowledge x87;
        WindowKind window;
        std::uint8_t checked_stack;
        std::optional<Recipe> recipe;
    };

    // A way back in, behind an instruction that the interpreter has executed.
    struct Resumption {
        std::uint16_t instruction;
        std::uint32_t place;
        Flags flags;
        std::uint8_t vectors;
        X87Knowledge x87;
        WindowKind window;
        std::uint8_t checked_stack;
    };
    // Why code leaves in the middle of the block.
    enum class Why : std::uint8_t { Untranslated, Access, Target, Value, SecondPage };

    // A jump out, to the interpreter in front of an instruction.
    struct Exit {
        Assembler::Jump jump;
        std::uint16_t instruction;
        Why why;
        std::optional<Recipe> recipe;
        std::uint64_t* count = nullptr;  // of that, besides what the way counts
    };

    // ---- The frame around the instructions (translator.cpp) ----
    void go(Way way);
    void leave(unsigned instruction, Why why, std::uint64_t* count = nullptr);
    void leave_if(unsigned condition, Why why = Why::Value);
    void note(CodePart::Kind kind, unsigned instruction = 0) {
        if (map_) map_->add(kind, instruction, code_.place());
    }
    void emit_entries();
    void check_second_page();
    void emit_second_page_check();
    void emit_detours();
    void emit_misses();
    void emit_exits();
    void emit_resumptions();
    std::uint16_t first_op(unsigned instruction) const;
    std::uint32_t op_offset(unsigned op) const;

    // ---- What is as wide as the code: RIP, the stack pointer and what is pushed ----
    bool is_code64() const { return code_size_ == x86::CodeSize::Bits64; }
    std::int32_t word() const { return is_code64() ? 8 : 4; }  // in bytes
    void load_word(Host to, const Operand& from) {
        code_.emit({.byte = 0x8b, .wide = is_code64()}, to, from);
    }
    void store_word(const Operand& to, Host from) {
        code_.emit({.byte = 0x89, .wide = is_code64()}, from, to);
    }
    void mov_word(Host to, Host from) { load_word(to, Operand::of(from)); }
    void lea_word(Host to, const Operand& address) {
        code_.emit({.byte = 0x8d, .wide = is_code64()}, to, address);
    }
    void lea_word(Host to, Host base, std::int32_t displacement) {
        lea_word(to, Operand::at(base, displacement));
    }

    // ---- Flags (flags.cpp) ----
    void keep_flags();     // the image is right from here on
    void restore_flags();  // the host's are
    void lose_flags();     // the host's are about to be overwritten by something else
    void image_flags();    // the same, and the block may end
    void made_flags(bool overflow_is_clear = false);  // the host's have just been replaced
    void remake_flags(const Recipe& recipe);
    void note_recipe(const Opcode& opcode, unsigned reg, const Operand& rm, std::uint64_t immediate,
                     unsigned immediate_bytes);
    void keep_recipe_from(const Instruction& instruction, bool replaces_flags);
    void find_needed_flags(std::span<const x86::Instruction> instructions);
    bool needs_flags_before(unsigned number) const { return needed_flags_ >> number & 1; }
    // The block ends with flags that are seen.
    bool needs_flags_behind(unsigned number) const {
        return number + 1 >= block_->instruction_count || needs_flags_before(number + 1);
    }
    // Where an exit begins.
    void use_recipe(const std::optional<Recipe>& recipe) {
        recipe_ = recipe;
        flags_ = recipe ? Flags::Recipe : Flags::Image;
    }
    std::optional<Recipe> recipe_in_use() {
        lacks_flags_ |= flags_ == Flags::Dead;
        return flags_ == Flags::Recipe ? recipe_ : std::nullopt;
    }

    // ---- Memory (memory.cpp) ----
    // The linear address of an operand, to a register. Flags stay.
    void form_address(Host to, const ZydisOperand& operand);
    void add_segment_base(Host to, unsigned segment, unsigned size);
    void form_effective_address(Host to, const ZydisOperand& operand) {
        form_effective_address(to, operand, to, address_width_ == 64);
    }
    void form_effective_address(Host to, const ZydisOperand& operand, Host by, bool wide);
    // The access at `scratch` goes through the TLB: by way of the recent page in a slot, or not.
    void check_recent(Access access, unsigned size, unsigned slot);
    // Behind a check: the access may be one in two pages.
    void may_cross(Access access, unsigned size);
    void form_fast_index(Host to, Host from);
    void check(Access access, unsigned size);
    unsigned slot_of(const ZydisOperand& operand) const;
    bool is_mostly_recent(const ZydisOperand& operand);
    // Gives the operand of the host, which uses `scratch`, and the other one too unless that is to
    // stay free.
    Operand access(const ZydisOperand& operand, Access access, bool keep_scratch2_free,
                   unsigned alignment = 1);
    // The same of a word at a register.
    Operand stack_access(unsigned guest, std::int32_t displacement, Access access,
                         bool keep_scratch2_free);

    // ---- What a block has of the stack (stack_use.h) ----
    // The operand, if it is part of that: by `scratch`.
    std::optional<Operand> in_stack_use(const ZydisOperand& operand, Access access);
    void check_stack_use(const StackUse::Group& group, unsigned instruction);
    void check_stack_again(const Resumption& resumption);
    WindowKind window_kind() const { return window_ ? window_->kind : WindowKind::None; }

    // Accesses near each other by the same registers are mostly in one page. Where the last one was
    // is in `scratch` and `scratch2`, as `check` leaves it, until something else needs these.
    struct Address {
        ZydisRegister base, index;
        std::uint8_t scale;
        std::int64_t displacement;  // RIP as a base is the page's first byte
    };
    struct Window {
        WindowKind kind;
        Address address;  // of a page: of what `scratch` is the offset of
        Access access;
        // What the last check was for, from there: this is in the page that `scratch2` has. Its way
        // around may have led to another one, so that no more is known.
        std::int32_t checked;
    };
    std::optional<Address> address_of(const ZydisOperand& operand) const;
    std::optional<std::int32_t> distance_from_window(const Address& address, Access access) const;
    void wrote(unsigned guest);
    void moved(unsigned guest, std::int64_t distance);

    // The name that operands of addresses have.
    ZydisRegister address_register(unsigned guest) const {
        return static_cast<ZydisRegister>((is_code64() ? ZYDIS_REGISTER_RAX : ZYDIS_REGISTER_EAX) +
                                          guest);
    }

    // ---- Registers ----
    static Operand slot(unsigned guest);
    // The value, in a register of its own or loaded into this one.
    Host value_of(unsigned guest, Host otherwise);
    Operand place_of(unsigned guest) const;
    void set(unsigned guest, Host from);
    void load_operand(Host to, unsigned guest, bool high);
    void store_operand(unsigned guest, bool high, Host from);
    void rotate(Host to, Host from, unsigned count);

    // ---- Instructions ----
    bool translate_instruction();
    bool translate_integer();
    bool is_plain() const;
    bool has_flat_operands() const;
    bool translate_vector();
    bool translate_generic(bool vector);
    bool may_keep_flags(const Instruction& instruction) const;
    bool replaces_flags(const Instruction& instruction) const;
    void note_result(unsigned guest, unsigned size);
    void move_stack(std::int32_t distance);
    bool push_register(unsigned guest);
    bool push_immediate();
    bool push_memory();
    bool pop();
    bool leave_frame();
    bool is_supervisor() const;
    bool clear_interrupt_flag();
    bool set_interrupt_flag();
    bool push_flags();
    bool set_direction(bool down);
    bool swap_gs();
    bool read_control_register();
    bool read_segment_register();
    bool call();
    bool ret();
    bool jmp();
    bool jcc();
    bool convert_accumulator();
    bool multiply();
    bool divide();
    bool compare_exchange();
    bool compare_exchange_pair();
    bool exchange_alone();
    bool bit_string();
    bool load_immediate();
    bool move_absolute();
    bool load_effective_address();
    void zero_upper_halves();
    void find_target();
    void go_to_target();
    Edge& check_far(unsigned op, std::uint32_t target);
    void go_far(Edge& edge);
    void emit_far_checks();
    void emit_lost_targets();
    void end_with(unsigned op, std::uint32_t target);
    Edge& add_edge(unsigned op, std::uint32_t target);
    void emit_side_exits();
    bool is_last() const { return number_ + 1u == block_->instruction_count; }
    void need_vectors(unsigned size);

    // ---- Strings (strings.cpp) ----
    bool string_operation();
    void check_string(Host at, Access access, unsigned size);
    void string_step(bool reads, bool writes, unsigned size);
    Assembler::Jump skip_if_no_repetition();
    void repeat_stos(unsigned size);
    void repeat_movs(unsigned size);
    static unsigned string_scale(unsigned size);
    void take_iterations(unsigned size);
    void go_on_repeating(Place again);

    // ---- The x87 unit (x87.cpp) ----
    bool translate_x87();
    bool load_x87_control(const ZydisOperand& operand);
    bool store_x87_status();
    void need_x87();
    void emit_x87(const Operand& memory);
    void note_x87();
    void note_x87_operand();  // if the instruction changes a register of its address
    void emit_x87_notes(const X87Knowledge& x87);
    void emit_x87_operand(const X87Knowledge::LastOperand& last);
    void return_to_x87(const Resumption& resumption);

    bool is_direct(std::uint32_t target) const { return target < 4096; }

    unsigned visible_operands() const { return instruction_->decoded.operand_count_visible; }
    const ZydisOperand& operand(unsigned i) const { return instruction_->operands[i]; }

    Assembler& code_;
    const Ways& ways_;
    const x86::CpuModel& model_;
    const bool is_only_processor_;  // LOCK is not needed
    Untranslated& untranslated_;
    unsigned untranslated_count_ = 0;
    CodeMap* map_ = nullptr;

    interp::Block* block_ = nullptr;
    NativeBlock* native_ = nullptr;
    std::uint32_t page_offset_ = 0;  // of the block
    std::size_t tlb_ = 0;            // from Core, of the view
    std::size_t recent_ = 0;         // the same, if the view has that
    bool has_recent_ = false;
    x86::CodeSize code_size_ = x86::CodeSize::Bits64;

    // The instruction being translated.
    const Instruction* instruction_ = nullptr;
    std::uint8_t address_width_ = 64;  // of its addresses; those on the stack may be others
    unsigned number_ = 0;
    std::uint32_t next_offset_ = 0;  // of the one behind it, in the page
    Flags flags_ = Flags::Image;
    std::optional<Recipe> recipe_;
    bool overflow_is_clear_ = false;  // of what the host's flags are
    std::uint64_t needed_flags_ = 0;  // in front of which instructions they are seen, a bit each
    bool lacks_flags_ = false;
    std::uint8_t vectors_ = 0;  // how much of the vector registers is known to be in the host's
    X87Knowledge x87_;
    std::pmr::vector<X87Knowledge> x87_before_;  // each instruction
    bool ended_ = false;                         // control does not go on behind it
    std::optional<Window> window_;
    StackUse stack_use_;
    std::uint8_t checked_stack_ = 0;  // the group whose check is behind us
    bool keeps_window_ = false;       // the instruction has not used the registers of the window

    // Registers that are not in the host's yet.
    struct RegisterLoad {
        Assembler::Jump jump;
        std::uint32_t back;
        std::uint16_t instruction;
        Way way;
        std::optional<Recipe> recipe;
    };
    // An access that misses the recent page, or else the first-level TLB, which the next level may
    // mend.
    struct Miss {
        Assembler::Jump jump;
        std::uint32_t retry;
        std::size_t tag;
        std::uint16_t instruction;
        std::uint8_t size, slot;
        Access access;
        std::optional<Recipe> recipe;
        bool is_stack_use = false;  // more than the instruction accesses
        // Where it goes on with what was read of two pages; 0: it may not.
        std::uint32_t behind = 0;
    };
    // An access that is not where the one before was.
    struct Detour {
        Assembler::Jump jump;
        std::uint32_t back;
        ZydisOperand operand;
        std::uint32_t next_offset;
        std::uint16_t instruction;
        std::uint8_t size;
        Access access;
        std::int32_t distance;  // from what `scratch` is the offset of
        std::optional<Recipe> recipe;
        bool may_cross;  // into the next page, if it reads
    };
    // A jump to another page whose link is not for what is mapped now.
    struct FarCheck {
        Assembler::Jump jump;
        std::uint32_t back;
        const Edge* edge;
        std::uint16_t instruction;
    };
    // A target that the jump cache does not have.
    struct LostTarget {
        Assembler::Jump jump;
        std::uint32_t retry;
        std::uint16_t instruction;
    };
    struct OpenEdge {
        Edge* edge;  // null: the budget is exceeded
        Assembler::Jump jump;
    };
    // A branch within the block, where it is taken.
    struct SideExit {
        Assembler::Jump jump;
        std::uint16_t instruction;
        std::uint32_t target;
        Flags flags;
        bool overflow_is_clear;
    };
    // Of the page that the block's last bytes are in.
    struct SecondPageCheck {
        Assembler::Jump jump;
        std::uint32_t back;
    };
    std::optional<SecondPageCheck> second_page_check_;
    std::pmr::vector<Exit> exits_;
    std::pmr::vector<Resumption> resumable_;
    std::pmr::vector<RegisterLoad> register_loads_;
    std::pmr::vector<Miss> misses_;
    std::pmr::vector<Detour> detours_;
    std::pmr::vector<FarCheck> far_checks_;
    std::pmr::vector<LostTarget> lost_targets_;
    std::pmr::vector<OpenEdge> open_edges_;
    std::pmr::vector<SideExit> side_exits_;
    std::pmr::vector<std::pair<std::uint16_t, std::uint32_t>> resumptions_;
    std::uint32_t first_entry_ = 0;
};

}  // namespace backplane::jit
