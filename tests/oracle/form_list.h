// Every form the decoder knows, found by trying all opcodes with all prefixes and operand bytes.
#pragma once

#include "exemptions.h"
#include "x86/cpu_model.h"
#include "x86/decoder.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace backplane::oracle {

enum class OpcodeMap : std::uint8_t { Primary, Secondary, F38, F3A };

// One way to encode a form; what the form leaves open is filled in by the generator.
struct Skeleton {
    OpcodeMap map = OpcodeMap::Primary;
    std::uint8_t prefix = 0;  // 66, F2, F3 or none
    bool is_vex = false, wide = false, vex_256 = false, lock = false;
    std::uint8_t opcode = 0;
    bool has_modrm = false;
    std::uint8_t modrm = 0;

    bool has_memory() const { return has_modrm && modrm < 0xc0; }
};

struct Form {
    std::uint64_t key = 0;
    std::string text;
    x86::CodeSize code_size = x86::CodeSize::Bits64;
    ZydisMnemonic mnemonic = ZYDIS_MNEMONIC_INVALID;
    ZydisISASet isa_set = ZYDIS_ISA_SET_INVALID;
    bool advertised = false;
    const Exemption* exemption = nullptr;
    std::vector<Skeleton> skeletons;
};

class FormList {
public:
    FormList(const x86::Decoder& decoder, const x86::CpuModel& model);

    const std::vector<Form>& forms() const { return forms_; }
    // -1: no such form.
    int find(std::uint64_t key) const {
        const auto found = by_key_.find(key);
        return found == by_key_.end() ? -1 : static_cast<int>(found->second);
    }

private:
    void try_legacy(x86::CodeSize size);
    void try_vex(x86::CodeSize size);
    // False: the skeleton has no ModRM byte, so that others of the same opcode are the same.
    bool add(x86::CodeSize size, Skeleton skeleton);

    const x86::Decoder& decoder_;
    const x86::CpuModel& model_;
    std::vector<Form> forms_;
    std::unordered_map<std::uint64_t, std::size_t> by_key_;
};

}  // namespace backplane::oracle
