// The map from a decoded instruction to its semantic and operand kinds, shared by every execution
// tier.
//
// A tier is described by an `Engine` policy:
//
//   struct Engine {
//       using Handler = ...;                                // comparable with and constructible
//       from nullptr template <auto semantic, class... Operands> static Handler handler(); //
//       executes semantic(machine, Operands{}...)
//   };
//
// To execute an instruction an engine asks bind_address (forms/operands.h) whether an address
// micro-op has to run in front, then FormTable::bind for the instruction itself; both fill an Op.
// Each family header in forms/ has one function template `register_<family>(FormTable<Engine>&)`
// that fills its part of the table.
#pragma once

#include "x86/instruction.h"
#include "x86/op.h"

#include <array>
#include <cstdlib>

namespace backplane::x86 {

template <class Engine>
class FormTable {
public:
    using Handler = typename Engine::Handler;
    using Binder = Handler (*)(const Instruction&, Op&);

    // The binders of one mnemonic. Families share some: MOV, PUSH and CALL are integer and system
    // instructions, MOVSD and CMPSD string and SSE2 ones. So an assignment adds a binder, and a
    // binder answers null to forms that are not its own.
    class Slot {
    public:
        Slot& operator=(Binder binder) {
            for (Binder& place : binders_)
                if (!place) {
                    place = binder;
                    return *this;
                }
            std::abort();
        }

        Handler bind(const Instruction& instruction, Op& op) const {
            const Op empty = op;
            for (const Binder binder : binders_) {
                if (!binder) break;
                if (Handler handler = binder(instruction, op)) return handler;
                op = empty;
            }
            return nullptr;
        }

    private:
        std::array<Binder, 4> binders_{};
    };

    Slot& operator[](ZydisMnemonic mnemonic) { return slots_[mnemonic]; }

    // Fills the operand fields, length and offset of `op`; null means that this form is not
    // implemented (#UD).
    Handler bind(const Instruction& instruction, Op& op) const {
        op.length = instruction.decoded.length;
        op.offset = static_cast<std::uint16_t>(instruction.ip - instruction.block_ip);
        return slots_[instruction.mnemonic()].bind(instruction, op);
    }

private:
    std::array<Slot, ZYDIS_MNEMONIC_MAX_VALUE + 1> slots_{};
};

}  // namespace backplane::x86
