#include "host_file.h"

#include <fstream>
#include <system_error>

namespace backplane::firmware {

std::expected<std::vector<std::byte>, std::string> read_file(const std::filesystem::path& path,
                                                             std::uint64_t largest) {
    std::error_code error;
    // Pipes and devices would wait, or never end.
    if (!std::filesystem::is_regular_file(path, error)) {
        return std::unexpected("cannot be read: " +
                               (error ? error.message() : "it is not a regular file"));
    }
    const std::uint64_t size = std::filesystem::file_size(path, error);
    if (error) return std::unexpected("cannot be read: " + error.message());
    if (size > largest) {
        return std::unexpected("is too large: " + std::to_string(size) + " bytes; " +
                               std::to_string(largest) + " are possible");
    }
    std::vector<std::byte> content(size);
    std::ifstream file{path, std::ios::binary};
    if (!file.read(reinterpret_cast<char*>(content.data()), static_cast<std::streamsize>(size)))
        return std::unexpected("cannot be read: " +
                               std::error_code{errno, std::generic_category()}.message());
    return content;
}

}  // namespace backplane::firmware
