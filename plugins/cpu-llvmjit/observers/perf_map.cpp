#include "observers/perf_map.h"

#include "observers/code_symbol.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>

namespace backplane::jit {

class PerfMap::File {
public:
    explicit File(int descriptor) : descriptor_{descriptor} {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { close(descriptor_); }

    // [any] One write is one line. A disk that is full costs names in a report, and nothing else.
    void write(const void* start, std::size_t bytes, const char* name) const {
        std::array<char, 160> line;
        const int length = std::snprintf(
            line.data(), line.size(), "%llx %zx %s\n",
            static_cast<unsigned long long>(reinterpret_cast<std::uintptr_t>(start)), bytes, name);
        (void)!::write(descriptor_, line.data(), static_cast<std::size_t>(length));
    }

private:
    int descriptor_;
};

std::expected<PerfMap, std::string> PerfMap::open() {
    static std::mutex mutex;
    static std::weak_ptr<File> opened;
    const std::scoped_lock lock{mutex};
    if (auto file = opened.lock()) return PerfMap{std::move(file)};
    const std::string path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
    // One from an earlier process of this number; and nothing that somebody else put there is
    // written through.
    unlink(path.c_str());
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC,
                                  0600);
    if (descriptor < 0) return std::unexpected{path + ": " + std::strerror(errno)};
    auto file = std::make_shared<File>(descriptor);
    opened = file;
    return PerfMap{std::move(file)};
}

void PerfMap::began(const CodeMemory& memory) {
    file_->write(memory.start, memory.shared, "backplane_jit_ways");
}

void PerfMap::installed(const InstalledCode& code) {
    const std::string name = code_symbol(code);
    file_->write(code.start, code.bytes, name.c_str());
    if (code.cold_bytes != 0)
        file_->write(code.cold_start, code.cold_bytes, (name + cold_suffix).c_str());
}

}  // namespace backplane::jit
