// What tests of compiled code have besides the processor.
#pragma once

#include "test_processor.h"
#include "tier1/tier1_compiler.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace backplane::jit::testing {

using interp::Counter;
using interp::testing::TestProcessor;

// Compiles what was executed so often.
inline std::unique_ptr<TestProcessor>
make_compiling_processor(std::uint32_t threshold = 1,
                         std::size_t block_memory = std::size_t{64} << 20) {
    auto arena = CodeArena::make(std::size_t{16} << 20);
    interp::testing::TestEngine engine{
        std::make_unique<Tier1Compiler>(interp::testing::test_model(), std::move(*arena)),
        threshold};
    return std::make_unique<TestProcessor>(block_memory, std::move(engine));
}

inline Tier1Compiler& compiler_of(TestProcessor& processor) {
    interp::Interpreter& cpu = processor.cpu;
    return static_cast<Tier1Compiler&>(*cpu.compiler());
}

// The one block that begins at this physical address.
inline interp::Block* block_at(TestProcessor& processor, std::uint64_t physical) {
    for (interp::Block* block : processor.cpu.blocks_at(physical))
        if (block->physical == physical) return block;
    return nullptr;
}

inline const NativeBlock* native_at(TestProcessor& processor, std::uint64_t physical) {
    const interp::Block* block = block_at(processor, physical);
    return block ? static_cast<const NativeBlock*>(block->compiled) : nullptr;
}

}  // namespace backplane::jit::testing
