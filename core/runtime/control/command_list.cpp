// Every command of the control socket.
#include "runtime/control/activity_command.h"
#include "runtime/control/command.h"
#include "runtime/control/device_commands.h"
#include "runtime/control/display_commands.h"
#include "runtime/control/event_commands.h"
#include "runtime/control/input_commands.h"
#include "runtime/control/medium_commands.h"
#include "runtime/control/memory_commands.h"
#include "runtime/control/register_commands.h"
#include "runtime/control/report_commands.h"
#include "runtime/control/run_commands.h"
#include "runtime/control/schema_command.h"

#include <algorithm>
#include <array>

namespace backplane::runtime::control {

namespace {

constexpr std::array all{
    &status_command,         &stop_command,         &cont_command,
    &reset_command,          &power_button_command, &quit_command,
    &screenshot_command,     &screen_text_command,  &wait_for_text_command,
    &send_key_command,       &type_command,         &move_pointer_command,
    &place_pointer_command,  &press_button_command, &change_medium_command,
    &read_memory_command,    &write_memory_command, &read_registers_command,
    &write_register_command, &read_bus_command,     &write_bus_command,
    &list_windows_command,   &list_devices_command, &inspect_device_command,
    &statistics_command,     &activity_command,     &list_reports_command,
    &report_command,         &list_topics_command,  &subscribe_command,
    &unsubscribe_command,    &query_schema_command,
};

}  // namespace

std::span<const Command* const> commands() { return all; }

const Command* find_command(std::string_view name) {
    const auto found = std::ranges::find(all, name, &Command::name);
    return found == all.end() ? nullptr : *found;
}

std::vector<std::string> command_names() {
    std::vector<std::string> names;
    for (const Command* command : all)
        names.emplace_back(command->name);
    return names;
}

}  // namespace backplane::runtime::control
