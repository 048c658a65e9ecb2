#include "runtime/control/medium_commands.h"

#include "runtime/control/argument.h"
#include "runtime/control/argument_values.h"
#include "runtime/control/context.h"

#include <fmt/format.h>

namespace backplane::runtime::control {

namespace {

constexpr backplane_property change_arguments[] = {
    text_argument("device", "Which image; empty: the machine's only one, or cdrom0-image"),
    text_argument("file", "What is put in, a path where the machine runs; empty: nothing is"),
    flag_argument("force", "Even if the guest has locked the medium"),
};

constexpr ResultField change_fields[] = {
    {"device", ResultKind::Text, "which image it was"},
    {"bytes", ResultKind::Count, "how large the medium is now; 0: there is none"},
};

const char* reason(std::int32_t result) {
    if (result != BACKPLANE_BLOCK_REFUSED) return "it failed; the log says why";
    return "it was refused: the guest has locked the medium, the drive cannot change it, or the "
           "file cannot be used, as the log says";
}

Answer change_medium(const Call& call) {
    const auto provider = call.context.provider(BACKPLANE_BLOCK, call.arguments.text("device"),
                                                "cdrom0-image", "image");
    if (!provider) return std::unexpected{provider.error()};
    const Connection<backplane_block> image{provider->link};
    const std::string& name = provider->component->name();
    if (!image.has<&backplane_block::change_medium>())
        return refuse(ErrorKind::NotAvailable,
                      fmt::format("change-medium: the medium of {} cannot be changed", name));
    const std::string file = call.arguments.text("file");
    std::int32_t result = BACKPLANE_BLOCK_OK;
    backplane_block_info info{};
    info.struct_size = sizeof info;
    const auto done = call.context.change("change-medium", [&] {
        result = image.call<&backplane_block::change_medium>(
            file.c_str(), std::int32_t{call.arguments.flag("force")});
        image.call<&backplane_block::describe>(&info);
    });
    if (!done) return std::unexpected{done.error()};
    if (result != BACKPLANE_BLOCK_OK)
        return refuse(ErrorKind::Failed,
                      fmt::format("change-medium: {}: {}", name, reason(result)));
    return ordered_json{{"device", name}, {"bytes", info.size}};
}

}  // namespace

constinit const Command change_medium_command{
    .name = "change-medium",
    .summary = "change the disc or disk in a drive",
    .details =
        "The guest is told by the drive, in the way such drives do. A disk at a SATA port is "
        "unplugged, and the new one plugged in.",
    .effect = Effect::ChangesGuest,
    .arguments = change_arguments,
    .returns = change_fields,
    .run = change_medium,
};

}  // namespace backplane::runtime::control
