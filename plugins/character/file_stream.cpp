#include "file_stream.h"

#include "host_error.h"

#include <fcntl.h>

#include <cerrno>

namespace backplane::character {

void FileStream::declare(Declaration<FileStream>& d) {
    d.type("character.file", "Writes output to a file");
    d.property("path", &FileStream::path_, "Where output goes").required();
    d.property("append", &FileStream::append_, "Keep what is in the file already");
    d.property("input", &FileStream::input_path_,
               "File that the guest's input is read from; none when empty");
    declare_stream(d);
}

Outcome FileStream::start() {
    // O_NONBLOCK: opening a named pipe without a reader fails instead of waiting for one.
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
                      (append_ ? O_APPEND : O_TRUNC);
    Descriptor file{open(path_.c_str(), flags, 0666)};
    if (!file)
        return std::unexpected(
            host_error("cannot open \"" + path_.string() + "\" for writing", errno));
    Descriptor source;
    if (!input_path_.empty()) {
        source.reset(open(input_path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        if (!source)
            return std::unexpected(
                host_error("cannot open \"" + input_path_.string() + "\" for reading", errno));
    }
    start_polling();
    incoming().set_connected(true);
    open_output(HostFile::owned(std::move(file)));
    if (source) open_input(HostFile::owned(std::move(source)));
    return {};
}

void FileStream::input_ended(int error) {
    if (error != 0)
        log(LogLevel::Error, host_error("cannot read \"" + input_path_.string() + "\"", error));
    close_input();
}

void FileStream::output_failed(int error) {
    log(LogLevel::Error, host_error("cannot write to \"" + path_.string() + "\"", error),
        "; output is lost from here on");
    close_output();
}

}  // namespace backplane::character
