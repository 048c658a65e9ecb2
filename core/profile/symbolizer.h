// Says what function an address is in, of the kernel or of a program.
#pragma once

#include "profile/recording.h"
#include "profile/symbol_table.h"

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace backplane::profile {

enum class Space : std::uint8_t { Kernel, User };
constexpr Space space_of(unsigned privilege) {
    return privilege == 3 ? Space::User : Space::Kernel;
}

struct Place {
    const SymbolTable* table = nullptr;  // null: no file has it
    const Symbol* symbol = nullptr;
    std::uint64_t start = 0;  // of the function, where it is executed
};

class Symbolizer {
public:
    // Each where its file says, moved by `offset`.
    void add(Space space, SymbolTable table, std::uint64_t offset = 0);
    // FILE or FILE@OFFSET, the latter hexadecimal. Messages name the file.
    [[nodiscard]] std::expected<void, std::string> add_file(Space space,
                                                            const std::string& argument);

    // A kernel may move itself when it starts (KASLR). How far is found by where its calls go; 0
    // where they tell nothing.
    void find_kernel_offset(const Recording& recording);
    std::uint64_t kernel_offset() const { return kernel_offset_; }

    Place find(Space space, std::uint64_t address) const;
    bool is_empty() const { return kernel_.empty() && user_.empty(); }

private:
    struct Module {
        SymbolTable table;
        std::uint64_t offset;
    };
    std::vector<Module> kernel_, user_;
    std::uint64_t kernel_offset_ = 0;
};

}  // namespace backplane::profile
