// The device type cpu.llvmjit: one processor whose hot code is compiled.
#pragma once

#include "interp/processor.h"

#include <cstdint>
#include <memory>

namespace backplane::jit {

class CompiledProcessor final : public interp::Processor {
public:
    static void declare(Declaration<CompiledProcessor>& d);

protected:
    std::unique_ptr<interp::Compiler> make_compiler(const x86::CpuModel& model) override;
    std::uint32_t compile_threshold() const override { return tier1_threshold_; }

private:
    std::uint32_t tier1_threshold_ = 10;
    Bytes code_cache_size_{std::uint64_t{256} << 20};
};

}  // namespace backplane::jit
