// LLVM as tier 2 uses it, for one thread: from a region to an object file in memory.
#pragma once

#include "tier2/pass_pipeline.h"
#include "tier2/region.h"
#include "tier2/semantics_module.h"

#include <llvm/ADT/SmallVector.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <optional>
#include <string>

namespace backplane::jit::tier2 {

struct RegionObject {
    llvm::SmallVector<char, 0> bytes;  // ELF, with the function `region_symbol`
    PassTimes times;
};

class CodeGenerator {
public:
    CodeGenerator();
    ~CodeGenerator();

    // Empty: the region's first instruction is not covered. With `text`, its representation goes
    // there.
    std::optional<RegionObject> generate(const Region& region, std::string* text = nullptr);

private:
    std::unique_ptr<llvm::TargetMachine> target_;
    std::unique_ptr<SemanticsModule> semantics_;
    unsigned generated_ = 0;
};

}  // namespace backplane::jit::tier2
