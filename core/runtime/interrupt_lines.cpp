#include "runtime/interrupt_lines.h"

#include <algorithm>

namespace backplane::runtime {

backplane_link InterruptLines::connect(backplane_link input, std::function<void()> after_change,
                                       Names names) {
    static constexpr backplane_line functions{sizeof(backplane_line), 0, &InterruptLines::set};
    auto& node = inputs_
                     .try_emplace({input.functions, input.object},
                                  Input{lock_, input, std::move(after_change)})
                     .first->second;
    return {&functions, &outputs_.emplace_back(Output{&node, events_, std::move(names)})};
}

void InterruptLines::set(void* object, std::int32_t level) {
    auto& output = *static_cast<Output*>(object);
    const MachineGuard guard{output.input->lock};
    const bool high = level != 0;
    if (output.level == high) return;
    output.level = high;
    if (output.events != nullptr && output.events->lines.wanted()) tell(output);
    Input& input = *output.input;
    const bool was_high = input.high != 0;
    high ? ++input.high : --input.high;
    if (was_high == (input.high != 0)) return;
    static_cast<const backplane_line*>(input.link.functions)->set(input.link.object, high);
    if (input.after_change) input.after_change();
}

void InterruptLines::tell(const Output& output) {
    InterruptLine line{};
    line.origin = output.events->origin(output.names.output);
    put_event_name(line.target, output.names.input);
    line.level = output.level ? 1 : 0;
    output.events->lines.publish(line);
}

std::vector<bool> InterruptLines::levels() const {
    std::vector<bool> levels;
    std::ranges::transform(outputs_, std::back_inserter(levels), &Output::level);
    return levels;
}

void InterruptLines::restore(const std::vector<bool>& levels) {
    for (auto& [key, input] : inputs_)
        input.high = 0;
    for (std::size_t index = 0; index < outputs_.size() && index < levels.size(); ++index) {
        outputs_[index].level = levels[index];
        outputs_[index].input->high += levels[index];
    }
}

}  // namespace backplane::runtime
