// An engine that has registers and nothing else, for tests of what is in them at a kernel's entry.
#pragma once

#include <backplane/testing/device_bench.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace backplane::linux_boot::testing {

class RegisterFile {
public:
    explicit RegisterFile(std::vector<std::string> missing = {}) {
        for (const char* name :
             {"rax",  "rbx",       "rcx",        "rdx",       "rsi",       "rdi", "rsp",
              "rbp",  "r8",        "r9",         "r10",       "r11",       "r12", "r13",
              "r14",  "r15",       "rip",        "rflags",    "cr0",       "cr3", "cr4",
              "efer", "gdtr.base", "gdtr.limit", "idtr.base", "idtr.limit"}) {
            names_.emplace_back(name);
        }
        for (const char* name : {"cs", "ds", "es", "fs", "gs", "ss"}) {
            for (const char* part : {"", ".base", ".limit", ".attributes"})
                names_.push_back(std::string{name} + part);
        }
        std::erase_if(names_, [&](const std::string& name) {
            return std::ranges::find(missing, name) != missing.end();
        });
        for (const std::string& name : names_)
            info_.push_back({name.c_str(), 8, 0});
    }

    backplane_link link() {
        static const backplane_cpu functions = [] {
            backplane_cpu cpu{};
            cpu.struct_size = sizeof cpu;
            cpu.register_count = [](void* object) {
                return static_cast<std::uint32_t>(self(object).info_.size());
            };
            cpu.register_info = [](void* object, std::uint32_t index) {
                return &std::as_const(self(object).info_[index]);
            };
            cpu.set_register = [](void* object, std::uint32_t index,
                                  const void* value) -> std::int32_t {
                auto& file = self(object);
                if (file.names_[index] == file.refuses) return 0;
                std::memcpy(&file.values[file.names_[index]], value, 8);
                return 1;
            };
            return cpu;
        }();
        return {&functions, this};
    }

    std::map<std::string, std::uint64_t> values;
    std::string refuses;

private:
    static RegisterFile& self(void* object) { return *static_cast<RegisterFile*>(object); }

    std::vector<std::string> names_;
    std::vector<backplane_cpu_register> info_;
};

}  // namespace backplane::linux_boot::testing
