// A pseudo-terminal: any terminal program (screen, minicom, picocom) can be the other end.
#pragma once

#include "stream.h"

#include <filesystem>
#include <string>

namespace backplane::character {

class PtyStream final : public Stream {
public:
    PtyStream() : Stream{WhenFull::DropOldest} {}

    static void declare(Declaration<PtyStream>& d);

    Outcome start();
    void stop();

private:
    Outcome make_link();
    void input_ended(int error) override;
    void output_failed(int error) override;

    std::filesystem::path link_;
    std::string slave_path_;
    Descriptor slave_;  // kept open, or the master reports a hang-up whenever nobody else has it
    bool linked_ = false;
};

}  // namespace backplane::character
