#include "form_list.h"

#include "encoding.h"
#include "form.h"
#include "x86/instruction_set.h"

namespace backplane::oracle {
namespace {

using x86::CodeSize;

constexpr std::size_t max_skeletons = 24;
constexpr unsigned modrm_register = 0xc0;

// Opcodes of the primary map that begin something else.
bool is_prefix_or_escape(unsigned opcode, CodeSize size) {
    const bool rex = size == CodeSize::Bits64 && (opcode & 0xf0) == 0x40;
    const bool vex_or_evex = opcode == 0xc4 || opcode == 0xc5 || opcode == 0x62;
    switch (opcode) {
    case 0x0f:
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:
    case 0x66:
    case 0x67:
    case 0xf0:
    case 0xf2:
    case 0xf3: return true;
    default: return rex || (vex_or_evex && size == CodeSize::Bits64);
    }
}

}  // namespace

FormList::FormList(const x86::Decoder& decoder, const x86::CpuModel& model)
    : decoder_{decoder}, model_{model} {
    for (const CodeSize size : {CodeSize::Bits64, CodeSize::Bits32, CodeSize::Bits16}) {
        try_legacy(size);
        try_vex(size);
    }
}

bool FormList::add(CodeSize size, Skeleton skeleton) {
    // Base, index and every vector register differ, as gathers want them.
    OpenParts open;
    open.sib = 0x0b;
    skeleton.has_modrm = true;
    x86::Instruction instruction;
    const auto decode = [&] {
        const ByteString bytes = encode(skeleton, open, size == CodeSize::Bits64);
        return decoder_.decode(std::as_bytes(bytes.span()), size, 0, instruction) ==
               x86::DecodeStatus::Complete;
    };
    bool complete = decode();
    if (!complete && skeleton.is_vex) {
        open.vvvv = 4;
        complete = decode();
    }
    if (!complete) return true;
    if (instruction.decoded.opcode != skeleton.opcode) return true;
    skeleton.has_modrm = (instruction.decoded.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0;
    const std::uint64_t key = form_key(instruction);
    const auto [place, is_new] = by_key_.try_emplace(key, forms_.size());
    if (is_new) {
        Form& form = forms_.emplace_back();
        form.key = key;
        form.text = form_text(instruction);
        form.code_size = size;
        form.mnemonic = instruction.mnemonic();
        form.isa_set = instruction.decoded.meta.isa_set;
        form.exemption = exemption_of(instruction);
        form.advertised = x86::has_instruction(model_, instruction);
    }
    Form& form = forms_[place->second];
    if (form.skeletons.size() < max_skeletons) form.skeletons.push_back(skeleton);
    return skeleton.has_modrm;
}

// All registers, since x87 and others use both fields as opcode; of memory the three that are
// encoded differently.
void FormList::try_legacy(CodeSize size) {
    for (unsigned map = 0; map < 4; ++map)
        for (unsigned opcode = 0; opcode < 256; ++opcode) {
            if (map == 0 && is_prefix_or_escape(opcode, size)) continue;
            if (map == 1 && (opcode == 0x38 || opcode == 0x3a)) continue;
            for (const unsigned prefix : {0x00u, 0x66u, 0xf2u, 0xf3u})
                for (unsigned bits = 0; bits < 4; ++bits) {
                    Skeleton skeleton;
                    skeleton.map = static_cast<OpcodeMap>(map);
                    skeleton.opcode = static_cast<std::uint8_t>(opcode);
                    skeleton.prefix = static_cast<std::uint8_t>(prefix);
                    skeleton.wide = bits & 1;
                    skeleton.lock = bits & 2;
                    if (skeleton.wide && size != CodeSize::Bits64) continue;
                    bool more = true;
                    for (unsigned modrm = 0; modrm < 256 && more; ++modrm) {
                        const unsigned rm = modrm & 7;
                        const bool memory = modrm < 0x40 && (rm == 3 || rm == 4 || rm == 5);
                        const bool registers = modrm >= modrm_register && !skeleton.lock;
                        if (!memory && !registers) continue;
                        skeleton.modrm = static_cast<std::uint8_t>(modrm);
                        more = add(size, skeleton);
                    }
                }
        }
}

void FormList::try_vex(CodeSize size) {
    for (unsigned map = 1; map < 4; ++map)
        for (unsigned opcode = 0; opcode < 256; ++opcode)
            for (const unsigned prefix : {0x00u, 0x66u, 0xf2u, 0xf3u})
                for (unsigned bits = 0; bits < 4; ++bits) {
                    Skeleton skeleton;
                    skeleton.map = static_cast<OpcodeMap>(map);
                    skeleton.is_vex = true;
                    skeleton.opcode = static_cast<std::uint8_t>(opcode);
                    skeleton.prefix = static_cast<std::uint8_t>(prefix);
                    skeleton.wide = bits & 1;
                    skeleton.vex_256 = bits & 2;
                    bool more = true;
                    for (unsigned reg = 0; reg < 8 && more; ++reg)
                        for (const unsigned rest : {0x03u, 0x04u, modrm_register | 3}) {
                            skeleton.modrm = static_cast<std::uint8_t>(rest | reg << 3);
                            more = add(size, skeleton);
                            if (!more) break;
                        }
                }
}

}  // namespace backplane::oracle
