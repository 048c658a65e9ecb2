// Puts what the guest prints into the log, line by line.
#pragma once

#include <backplane/declaration.h>

#include <string>

namespace backplane::character {

class LogStream final : public Device {
public:
    static void declare(Declaration<LogStream>& d);

    std::uint32_t send(const std::uint8_t* data, std::uint32_t length);
    void stop();

private:
    void finish_line();

    std::string line_;
};

}  // namespace backplane::character
