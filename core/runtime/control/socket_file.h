// The file of a Unix socket that we listen on: makes way for it, and takes it away at the end.
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>

namespace backplane::runtime::control {

class SocketFile {
public:
    // Removes a socket that nobody listens on any more; refuses anything else that is there.
    static std::expected<void, std::string> make_way(const std::string& path);

    SocketFile() = default;
    // The file at `path`, which was just made.
    explicit SocketFile(std::string path);
    SocketFile(SocketFile&& other) noexcept;
    SocketFile& operator=(SocketFile&& other) noexcept;
    ~SocketFile();

private:
    std::string path_;  // "" for none
    // So that another's file, which has taken the place of ours, stays.
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

}  // namespace backplane::runtime::control
