#include "case_generator.h"

#include "encoding.h"
#include "exemptions.h"
#include "form.h"

#include <algorithm>

namespace backplane::oracle {
namespace {

using x86::CodeSize;
using x86::DecodeStatus;
using x86::Instruction;

constexpr std::uint8_t segment_prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};

}  // namespace

bool CaseGenerator::make(const Form& form, Case& test) {
    if (form.code_size == CodeSize::Bits16 && !has_local_table_) return false;
    return finish(form.code_size, fill_in(form), test);
}

bool CaseGenerator::make_random(CodeSize size, Case& test) {
    if (size == CodeSize::Bits16 && !has_local_table_) return false;
    ByteString bytes;
    static constexpr std::uint8_t prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e,
                                                0x64, 0x48, 0x41, 0x4f, 0x36};
    while (random_.percent(35))
        bytes.add(random_.one_of(prefixes));
    if (random_.percent(60)) bytes.add(0x0f);
    if (random_.percent(20)) bytes.add(random_.percent(50) ? 0x38 : 0x3a);
    while (bytes.size() < 15)
        bytes.add(random_.byte());
    return finish(size, bytes, test);
}

ByteString CaseGenerator::fill_in(const Form& form) {
    Skeleton skeleton = form.skeletons[random_.below(form.skeletons.size())];
    OpenParts open;
    open.rex = random_.percent(50) ? random_.byte() & 7 : 0;
    open.vvvv = random_.byte() & 15;
    open.two_byte_vex = random_.percent(50);
    open.force_rex = random_.percent(10);
    open.sib = random_.byte();
    for (std::uint8_t& byte : open.tail)
        byte = random_.percent(30) ? random_.one_of<std::uint8_t>({0, 1, 0x7f, 0x80, 0xff})
                                   : random_.byte();
    add_prefixes(open, skeleton);
    vary_modrm(skeleton, form, open);
    return encode(skeleton, open, form.code_size == CodeSize::Bits64);
}

void CaseGenerator::add_prefixes(OpenParts& open, const Skeleton& skeleton) {
    std::size_t at = 0;
    if (random_.percent(12)) open.extra_prefixes[at++] = random_.one_of(segment_prefixes);
    if (random_.percent(12)) open.extra_prefixes[at++] = 0x67;
    // What makes no sense must be ignored, or refused, as the processor does.
    if (random_.percent(3))
        open.extra_prefixes[at++] = random_.one_of<std::uint8_t>({0x66, 0xf2, 0xf3});
    else if (random_.percent(2) && !skeleton.lock)
        open.extra_prefixes[at++] = 0xf0;
}

// Fields that are part of the opcode show by changing the form.
void CaseGenerator::vary_modrm(Skeleton& skeleton, const Form& form, OpenParts& open) {
    if (!skeleton.has_modrm) return;
    const bool is_64bit = form.code_size == CodeSize::Bits64;
    const auto keeps_form = [&](const Skeleton& changed, const OpenParts& parts) {
        const ByteString bytes = encode(changed, parts, is_64bit);
        Instruction instruction;
        return decoder_.decode(std::as_bytes(bytes.span()), form.code_size, 0, instruction) ==
                   DecodeStatus::Complete &&
               form_key(instruction) == form.key;
    };
    const auto try_field = [&](unsigned mask, unsigned value) {
        Skeleton changed = skeleton;
        changed.modrm = static_cast<std::uint8_t>((skeleton.modrm & ~mask) | (value & mask));
        if (keeps_form(changed, open)) skeleton = changed;
    };
    if (skeleton.is_vex && !keeps_form(skeleton, open)) {
        open.vvvv = 0;
        if (!keeps_form(skeleton, open)) open.vvvv = 4;
    }
    try_field(0x38, random_.byte());
    // A register stays one; memory is reached in any way.
    if (skeleton.modrm >= 0xc0)
        try_field(0x07, random_.byte());
    else
        try_field(0xc7, static_cast<unsigned>(random_.below(3) << 6 | random_.below(8)));
}

bool CaseGenerator::finish(CodeSize size, ByteString bytes, Case& test) {
    const std::size_t usable = std::min<std::size_t>(bytes.size(), test.bytes.size());
    Instruction instruction;
    const std::uint64_t ip = states_.choose_ip(size);
    const DecodeStatus status = decoder_.decode(std::as_bytes(bytes.span()), size, ip, instruction);
    test.code_size = size;
    test.bytes = {};
    std::copy_n(bytes.span().begin(), usable, test.bytes.begin());
    test.before.rip = ip;
    test.single_step = true;
    if (status != DecodeStatus::Complete) {
        if (!may_try_invalid(bytes.span(), size)) return false;
        test.length = static_cast<std::uint8_t>(usable);
        states_.prepare(nullptr, test);
        return true;
    }
    if (!may_execute(instruction)) return false;
    test.length = instruction.decoded.length;
    states_.prepare(&instruction, test);
    return true;
}

}  // namespace backplane::oracle
