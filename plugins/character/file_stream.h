// Output into a file; input, if any, out of another.
#pragma once

#include "stream.h"

#include <filesystem>

namespace backplane::character {

class FileStream final : public Stream {
public:
    FileStream() : Stream{WhenFull::Refuse} {}

    static void declare(Declaration<FileStream>& d);

    Outcome start();
    void stop() { finish(); }

private:
    void input_ended(int error) override;
    void output_failed(int error) override;

    std::filesystem::path path_, input_path_;
    bool append_ = false;
};

}  // namespace backplane::character
