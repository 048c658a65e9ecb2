#include "runtime/plugin_library.h"

#include "runtime/declaration_copy.h"

#include <boost/core/demangle.hpp>
#include <boost/dll/shared_library.hpp>
#include <dlfcn.h>
#include <elf.h>
#include <fmt/format.h>
#include <link.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <system_error>

namespace backplane::runtime {

namespace fs = std::filesystem;

namespace {

std::string check_file(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) {
        return fs::is_symlink(fs::symlink_status(path, error))
                   ? fmt::format("a link to {}, which does not exist",
                                 fs::read_symlink(path, error).string())
                   : "no such file";
    }
    if (error) return fmt::format("cannot be read: {}", error.message());
    if (fs::is_directory(status)) return "a folder; a shared library was expected";
    if (!fs::is_regular_file(status)) return "not a regular file; a shared library was expected";
    if (::access(path.c_str(), R_OK) != 0)
        return fmt::format("cannot be read: {}", std::strerror(errno));

    char magic[SELFMAG]{};
    std::ifstream{path, std::ios::binary}.read(magic, sizeof magic);
    if (std::memcmp(magic, ELFMAG, SELFMAG) != 0)
        return "not a shared library: it does not begin with the ELF signature";
    return {};
}

// Never destroyed, so nothing is ever unloaded; reachable, so that leak checkers see it is on
// purpose.
std::deque<boost::dll::shared_library>& loaded_libraries() {
    static auto& libraries = *new std::deque<boost::dll::shared_library>;
    return libraries;
}

struct Symbol {
    const void* address;
    std::size_t size;  // 0 if unknown
};

// dlsym also searches what the library depends on; only the library's own symbol counts.
Symbol own_symbol(const boost::dll::shared_library& library, const char* name) {
    const void* address = library.has(name) ? &library.get<const char>(name) : nullptr;
    Dl_info where{};
    const ElfW(Sym)* symbol = nullptr;
    if (!address ||
        !dladdr1(address, &where, reinterpret_cast<void**>(const_cast<ElfW(Sym)**>(&symbol)),
                 RTLD_DL_SYMENT))
        return {address, 0};
    link_map* map = nullptr;
    if (dlinfo(library.native(), RTLD_DI_LINKMAP, &map) == 0 && map &&
        reinterpret_cast<const void*>(map->l_addr) != where.dli_fbase)
        return {nullptr, 0};
    return {address, symbol ? symbol->st_size : 0};
}

// Reads the leading members one by one: until they agree nothing further may be assumed to exist.
std::string check_descriptor(const backplane_plugin_descriptor* found, std::size_t symbol_size) {
    constexpr std::size_t head = BACKPLANE_SIZE_WITH(backplane_plugin_descriptor, reserved);
    if (symbol_size != 0 && symbol_size < head)
        return fmt::format("its symbol '{}' has {} bytes; a plugin descriptor begins with {}",
                           BACKPLANE_PLUGIN_SYMBOL, symbol_size, head);
    if (found->magic != BACKPLANE_MAGIC)
        return fmt::format("wrong magic in '{}': found {:#010x}, expected {:#010x} (\"BKPL\")",
                           BACKPLANE_PLUGIN_SYMBOL, found->magic, BACKPLANE_MAGIC);
    if (found->abi_major != BACKPLANE_ABI_MAJOR)
        return fmt::format(
            "wrong ABI: built for {}.{}, but this Backplane speaks {}.{}; rebuild the plugin "
            "with an SDK of ABI {}",
            found->abi_major, found->abi_minor, BACKPLANE_ABI_MAJOR, BACKPLANE_ABI_MINOR,
            BACKPLANE_ABI_MAJOR);
    constexpr std::size_t minimum = BACKPLANE_SIZE_WITH(backplane_plugin_descriptor, get_factory);
    if (found->struct_size < minimum)
        return fmt::format(
            "its descriptor is too small: struct_size is {}, ABI {}.0 needs {} or more",
            found->struct_size, BACKPLANE_ABI_MAJOR, minimum);
    if (symbol_size != 0 && symbol_size < found->struct_size)
        return fmt::format("its descriptor claims struct_size {}, but '{}' has {} bytes",
                           found->struct_size, BACKPLANE_PLUGIN_SYMBOL, symbol_size);
    return {};
}

std::string check_texts(const backplane_plugin_descriptor& descriptor) {
    struct Text {
        const char* member;
        const char* value;
    };
    for (const Text& text : {Text{"id", descriptor.id}, Text{"name", descriptor.name},
                             Text{"version", descriptor.version}})
        if (!text.value || !*text.value)
            return fmt::format("its descriptor has no {}; a non-empty text was expected",
                               text.member);
    if (!descriptor.get_factory)
        return "its descriptor has no get_factory; a function was expected";
    return {};
}

}  // namespace

std::expected<PluginLibrary, std::string> PluginLibrary::open(const fs::path& path) {
    if (std::string problem = check_file(path); !problem.empty()) return std::unexpected(problem);

    boost::dll::shared_library library;
    std::error_code error;
    dlerror();  // forgets what an earlier failure elsewhere left
    library.load(path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local, error);
    if (error) {
        const char* text = dlerror();
        return std::unexpected(explain_load_error(path, text ? text : error.message()));
    }
    loaded_libraries().push_back(library);

    const Symbol symbol = own_symbol(library, BACKPLANE_PLUGIN_SYMBOL);
    if (!symbol.address)
        return std::unexpected(fmt::format("not a Backplane plugin: it exports no symbol '{}'",
                                           BACKPLANE_PLUGIN_SYMBOL));
    const auto* found = static_cast<const backplane_plugin_descriptor*>(symbol.address);
    if (std::string problem = check_descriptor(found, symbol.size); !problem.empty())
        return std::unexpected(problem);
    backplane_plugin_descriptor descriptor = copy_struct(found);
    if (std::string problem = check_texts(descriptor); !problem.empty())
        return std::unexpected(problem);
    if (!descriptor.vendor) descriptor.vendor = "";
    if (!descriptor.license) descriptor.license = "";
    return PluginLibrary{path, descriptor};
}

std::string explain_load_error(const fs::path& path, const std::string& dlerror_text) {
    // glibc: "/a/libx.so: undefined symbol: _Z1fv" or "libneeded.so.1: cannot open shared object
    // ...".
    std::string text = dlerror_text;
    const std::string own = path.string() + ": ";
    const bool about_itself = text.starts_with(own);
    if (about_itself) text.erase(0, own.size());

    constexpr std::string_view undefined = "undefined symbol: ";
    if (about_itself && text.starts_with(undefined)) {
        const std::string rest = text.substr(undefined.size());
        const std::string symbol = rest.substr(0, rest.find_first_of(", \t"));
        const std::string readable = boost::core::demangle(symbol.c_str());
        const std::string version = rest.substr(symbol.size());
        return readable == symbol
                   ? fmt::format("cannot be loaded: undefined symbol '{}'{}", symbol, version)
                   : fmt::format("cannot be loaded: undefined symbol '{}' ({}){}", readable, symbol,
                                 version);
    }
    constexpr std::string_view missing =
        ": cannot open shared object file: No such file or directory";
    if (!about_itself && text.ends_with(missing))
        return fmt::format("cannot be loaded: it needs the library {}, which was not found",
                           text.substr(0, text.size() - missing.size()));
    return fmt::format("cannot be loaded: {}", text);
}

}  // namespace backplane::runtime
