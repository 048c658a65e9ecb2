// The passes that a region goes through, and how long each took.
#pragma once

#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <cstdint>
#include <map>
#include <string>

namespace backplane::jit::tier2 {

// Nanoseconds by name.
using PassTimes = std::map<std::string, std::uint64_t, std::less<>>;

void optimize(llvm::Module& module, llvm::TargetMachine& target, PassTimes& times);

}  // namespace backplane::jit::tier2
