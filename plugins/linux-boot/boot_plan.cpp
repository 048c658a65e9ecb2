#include "boot_plan.h"

#include <filesystem>
#include <system_error>

namespace backplane::linux_boot {

namespace {
constexpr std::uint64_t four_gibibytes = std::uint64_t{1} << 32;
}

std::optional<std::uint64_t> FreeMemory::reserve(std::uint64_t size, std::uint64_t alignment) {
    const auto place = lowest_place(request_.ram, size, alignment, next_);
    if (!place || *place + size > four_gibibytes) return std::nullopt;
    next_ = *place + size;
    return place;
}

std::optional<std::uint64_t> FreeMemory::add(std::vector<std::byte> content,
                                             std::uint64_t alignment) {
    const std::uint64_t size = content.size();
    const auto place = reserve(size, alignment);
    if (place) plan_.pieces.push_back({*place, size, std::move(content)});
    return place;
}

std::vector<ModuleName> parse_module_list(const std::string& list) {
    std::error_code error;
    if (std::filesystem::is_regular_file(list, error)) return {{list, list}};
    std::vector<std::string> entries;
    std::string entry;
    for (std::size_t at = 0; at < list.size(); ++at) {
        if (list[at] != ',') {
            entry += list[at];
        } else if (at + 1 < list.size() && list[at + 1] == ',') {
            entry += list[at++];
        } else {
            entries.push_back(std::move(entry));
            entry.clear();
        }
    }
    if (!list.empty()) entries.push_back(std::move(entry));

    std::vector<ModuleName> modules;
    for (const std::string& text : entries) {
        // The name ends at a space, unless it has spaces itself.
        std::size_t end = text.find(' ');
        for (std::size_t at = end; at != std::string::npos; at = text.find(' ', at + 1)) {
            if (!std::filesystem::is_regular_file(text.substr(0, at), error)) continue;
            end = at;
            break;
        }
        if (std::filesystem::is_regular_file(text, error)) end = std::string::npos;
        modules.push_back({text.substr(0, end), text});
    }
    return modules;
}

}  // namespace backplane::linux_boot
