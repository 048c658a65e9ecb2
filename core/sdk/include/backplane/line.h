// An output wire of a device. The machine file says which inputs it drives.
#pragma once

#include <backplane/connection.h>

#include <cstdint>
#include <vector>

namespace backplane {

// A member of a device, bound through Declaration::line_output. Unconnected, driving it does
// nothing.
class Line {
public:
    // Levels are remembered by the host too, so driving an unchanged level costs a comparison.
    void drive(bool level) {
        if (level == level_) return;
        level_ = level;
        for (const auto& input : inputs_)
            input.call<&backplane_line::set>(static_cast<std::int32_t>(level));
    }

    void pulse() {
        drive(true);
        drive(false);
    }

    bool level() const { return level_; }
    // Whether anybody would notice: a device may save the timers that only move this line.
    bool is_connected() const { return !inputs_.empty(); }

    void connect(backplane_link link) { inputs_.emplace_back(link); }
    bool& saved_level() { return level_; }

private:
    std::vector<Connection<backplane_line>> inputs_;
    bool level_ = false;
};

}  // namespace backplane
