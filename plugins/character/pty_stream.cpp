#include "pty_stream.h"

#include "host_error.h"

#include <fcntl.h>
#include <termios.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace backplane::character {

void PtyStream::declare(Declaration<PtyStream>& d) {
    d.type("character.pty", "Makes a pseudo-terminal and logs its path");
    d.property("link", &PtyStream::link_,
               "Symbolic link to make to the pseudo-terminal, for a path that stays the same; none "
               "when empty");
    declare_stream(d);
}

Outcome PtyStream::start() {
    Descriptor master{posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)};
    std::array<char, 128> path{};
    if (!master || grantpt(master.get()) != 0 || unlockpt(master.get()) != 0 ||
        ptsname_r(master.get(), path.data(), path.size()) != 0) {
        return std::unexpected(host_error("cannot make a pseudo-terminal", errno));
    }
    slave_path_ = path.data();
    slave_.reset(open(slave_path_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!slave_) return std::unexpected(host_error("cannot open \"" + slave_path_ + "\"", errno));
    // The guest echoes and edits, not the host.
    termios mode{};
    if (tcgetattr(slave_.get(), &mode) == 0) {
        cfmakeraw(&mode);
        tcsetattr(slave_.get(), TCSANOW, &mode);
    }
    if (auto outcome = make_link(); !outcome) return outcome;
    log(LogLevel::Info, "connected to ", slave_path_, linked_ ? ", also as " + link_.string() : "");
    start_polling();
    incoming().set_connected(true);
    open_both(HostFile::owned(std::move(master)));
    return {};
}

Outcome PtyStream::make_link() {
    if (link_.empty()) return {};
    std::error_code error;
    // A link that an earlier run left behind is replaced, anything else is not ours.
    if (std::filesystem::is_symlink(link_, error)) std::filesystem::remove(link_, error);
    std::filesystem::create_symlink(slave_path_, link_, error);
    if (error)
        return std::unexpected(
            host_error("cannot make the link \"" + link_.string() + "\"", error.value()));
    linked_ = true;
    return {};
}

void PtyStream::stop() {
    finish();
    slave_.reset();
    std::error_code error;
    if (linked_ && std::filesystem::read_symlink(link_, error) == slave_path_)
        std::filesystem::remove(link_, error);
    linked_ = false;
}

void PtyStream::input_ended(int error) {
    log(LogLevel::Error, host_error("lost the pseudo-terminal " + slave_path_, error));
    close_both();
}

void PtyStream::output_failed(int error) { input_ended(error); }

}  // namespace backplane::character
