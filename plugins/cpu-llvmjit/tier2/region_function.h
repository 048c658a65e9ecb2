// Makes LLVM's representation of a region: a handler of the interpreter with the semantics of all
// its instructions inlined.
//
// The guest's registers are in a structure of its own, which LLVM takes apart; the ways out write
// back what any instruction of the region may have written. Only guest memory is accessed in the
// order of the program, as other processors see it.
#pragma once

#include "tier2/region.h"
#include "tier2/semantics_module.h"

#include <llvm/IR/Function.h>
#include <llvm/IR/Module.h>

#include <memory>
#include <string>

namespace backplane::jit::tier2 {

// A module with one function, called `region_symbol`. Null: its first instruction is not covered.
std::unique_ptr<llvm::Module> make_region_module(SemanticsModule& semantics, const Region& region);

inline constexpr const char* region_symbol = "region";

}  // namespace backplane::jit::tier2
