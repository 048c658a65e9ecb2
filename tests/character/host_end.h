// The other end of a stream: a client or a terminal program.
#pragma once

#include "descriptor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace backplane::character::testing {

inline Descriptor connect_unix(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    Descriptor client{socket(AF_UNIX, SOCK_STREAM, 0)};
    if (connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        client.reset();
    return client;
}

inline Descriptor connect_tcp(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    Descriptor client{socket(AF_INET, SOCK_STREAM, 0)};
    if (connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        client.reset();
    return client;
}

// What is there now.
inline std::string read_available(int fd) {
    std::string text;
    char bytes[4096];
    for (pollfd entry{fd, POLLIN, 0}; poll(&entry, 1, 0) > 0;) {
        const ssize_t count = read(fd, bytes, sizeof bytes);
        if (count <= 0) break;
        text.append(bytes, static_cast<std::size_t>(count));
    }
    return text;
}

inline bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = write(fd, text.data(), text.size());
        if (count <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

inline std::string file_content(const std::string& path) {
    std::ifstream stream{path, std::ios::binary};
    return {std::istreambuf_iterator{stream}, {}};
}

// Different at every place, so that lost or doubled bytes show.
inline std::string numbered_text(std::size_t size) {
    std::string text;
    for (int number = 0; text.size() < size; ++number)
        text += std::to_string(number) + '\n';
    text.resize(size);
    return text;
}

}  // namespace backplane::character::testing
