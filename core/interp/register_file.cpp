#include "interp/register_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::interp::register_file {
namespace {

using x86::CpuState;

enum Group : std::uint32_t { General, Segments, Control, Debug, X87, Vector, ModelSpecific };

// Where a register is; the two that are not simply stored are told apart by their name.
struct Place {
    backplane_cpu_register info;
    std::size_t offset;
};

class Table {
public:
    Table() {
        constexpr std::array names{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                   "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
        for (std::size_t i = 0; i < names.size(); ++i)
            add(names[i], 8, General, offsetof(CpuState, gpr) + i * 8);
        add("rip", 8, General, offsetof(CpuState, rip));
        rflags = places.size();
        add("rflags", 8, General, offsetof(CpuState, rflags));

        constexpr std::array segments{"es", "cs", "ss", "ds", "fs", "gs"};
        for (std::size_t i = 0; i < segments.size(); ++i)
            add_segment(segments[i],
                        offsetof(CpuState, segments) + i * sizeof(x86::SegmentRegister));
        add_segment("ldtr", offsetof(CpuState, ldtr));
        add_segment("tr", offsetof(CpuState, tr));
        add_table("gdtr", offsetof(CpuState, gdtr));
        add_table("idtr", offsetof(CpuState, idtr));
        add("cpl", 1, Segments, offsetof(CpuState, cpl));

        add("cr0", 8, Control, offsetof(CpuState, cr0));
        add("cr2", 8, Control, offsetof(CpuState, cr2));
        add("cr3", 8, Control, offsetof(CpuState, cr3));
        add("cr4", 8, Control, offsetof(CpuState, cr4));
        add("efer", 8, Control, offsetof(CpuState, efer));
        add("xcr0", 8, Control, offsetof(CpuState, xcr0));
        for (std::size_t i = 0; i < 8; ++i)
            if (i != 4 && i != 5)
                add("dr" + std::to_string(i), 8, Debug, offsetof(CpuState, dr) + i * 8);

        for (std::size_t i = 0; i < 8; ++i)
            add("r" + std::to_string(i) + ".x87", 10, X87,
                offsetof(CpuState, x87.registers) + i * sizeof(x86::Float80));
        add("fcw", 2, X87, offsetof(CpuState, x87.control));
        add("fsw", 2, X87, offsetof(CpuState, x87.status));
        add("ftw", 1, X87, offsetof(CpuState, x87.valid));
        add("fop", 2, X87, offsetof(CpuState, x87.last_opcode));
        add("fip", 8, X87, offsetof(CpuState, x87.last_instruction));
        add("fdp", 8, X87, offsetof(CpuState, x87.last_data));
        add("fcs", 2, X87, offsetof(CpuState, x87.last_instruction_selector));
        add("fds", 2, X87, offsetof(CpuState, x87.last_data_selector));
        for (std::size_t i = 0; i < 16; ++i)
            add("xmm" + std::to_string(i), 16, Vector,
                offsetof(CpuState, vectors) + i * sizeof(x86::VectorRegister));
        for (std::size_t i = 0; i < 16; ++i)
            add("ymm" + std::to_string(i), 32, Vector,
                offsetof(CpuState, vectors) + i * sizeof(x86::VectorRegister));
        add("mxcsr", 4, Vector, offsetof(CpuState, mxcsr));

        add("star", 8, ModelSpecific, offsetof(CpuState, star));
        add("lstar", 8, ModelSpecific, offsetof(CpuState, lstar));
        add("cstar", 8, ModelSpecific, offsetof(CpuState, cstar));
        add("sfmask", 8, ModelSpecific, offsetof(CpuState, sfmask));
        add("kernel_gs_base", 8, ModelSpecific, offsetof(CpuState, kernel_gs_base));
    }

    std::vector<Place> places;
    std::size_t rflags = 0, cs = 0;

private:
    void add(const std::string& name, std::uint32_t bytes, Group group, std::size_t offset) {
        const std::string& kept = names_.emplace_back(name);
        places.push_back({{kept.c_str(), bytes, group}, offset});
    }

    void add_segment(const std::string& name, std::size_t offset) {
        if (name == "cs") cs = places.size();
        add(name, 2, Segments, offset + offsetof(x86::SegmentRegister, selector));
        add(name + ".base", 8, Segments, offset + offsetof(x86::SegmentRegister, base));
        add(name + ".limit", 4, Segments, offset + offsetof(x86::SegmentRegister, limit));
        add(name + ".attributes", 2, Segments, offset + offsetof(x86::SegmentRegister, attributes));
    }

    void add_table(const std::string& name, std::size_t offset) {
        add(name + ".base", 8, Segments, offset + offsetof(x86::DescriptorTableRegister, base));
        add(name + ".limit", 8, Segments, offset + offsetof(x86::DescriptorTableRegister, limit));
    }

    std::deque<std::string> names_;
};

const Table& table() {
    static const Table registers;
    return registers;
}

// Whether the model has a register, by its name.
bool has_register(const x86::CpuModel& model, std::string_view name) {
    const auto is_numbered = [&](std::string_view prefix) {
        return name.starts_with(prefix) && name.size() > prefix.size() &&
               name[prefix.size()] >= '0' && name[prefix.size()] <= '9';
    };
    using x86::Feature;
    if (is_numbered("xmm") || is_numbered("ymm")) {
        const unsigned number = static_cast<unsigned>(std::stoul(std::string{name.substr(3)}));
        if (number >= 8 && !model.has(Feature::Lm)) return false;
        return model.has(name[0] == 'x' ? Feature::Sse : Feature::Avx);
    }
    if (name == "mxcsr") return model.has(Feature::Sse);
    constexpr std::array of_long_mode{"r8",  "r9",  "r10",   "r11",   "r12",           "r13",
                                      "r14", "r15", "lstar", "cstar", "kernel_gs_base"};
    return model.has(Feature::Lm) || std::ranges::find(of_long_mode, name) == of_long_mode.end();
}

}  // namespace

std::vector<std::uint32_t> indices_for(const x86::CpuModel& model) {
    std::vector<std::uint32_t> indices;
    for (std::uint32_t index = 0; index < table().places.size(); ++index)
        if (has_register(model, table().places[index].info.name)) indices.push_back(index);
    return indices;
}

const backplane_cpu_register* info(std::uint32_t index) { return &table().places[index].info; }

void get(const CpuState& state, std::uint32_t index, void* value) {
    const Place& place = table().places[index];
    if (index == table().rflags) {
        const std::uint64_t flags = state.full_rflags();
        std::memcpy(value, &flags, sizeof flags);
        return;
    }
    std::memcpy(value, reinterpret_cast<const char*>(&state) + place.offset, place.info.bytes);
}

bool set(CpuState& state, std::uint32_t index, const void* value) {
    const Place& place = table().places[index];
    if (index == table().rflags) {
        std::uint64_t flags = 0;
        std::memcpy(&flags, value, sizeof flags);
        state.set_full_rflags(flags);
        return true;
    }
    std::memcpy(reinterpret_cast<char*>(&state) + place.offset, value, place.info.bytes);
    // Whoever sets CS means the privilege that goes with it.
    if (index == table().cs) state.cpl = state.segments[x86::CS].selector & 3;
    return true;
}

}  // namespace backplane::interp::register_file
