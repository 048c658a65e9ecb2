#include "runtime/control/display_commands.h"

#include "runtime/control/argument.h"
#include "runtime/control/argument_values.h"
#include "runtime/control/context.h"
#include "runtime/control/hex.h"
#include "runtime/printable_text.h"
#include "runtime/screenshot.h"

#include <fmt/format.h>

#include <chrono>

namespace backplane::runtime::control {

namespace {

constexpr backplane_property arguments[] = {
    text_argument("device", "Whose screen; empty: the machine's only one, or vga0's"),
};

std::expected<Context::Provider, Error> display(const Call& call) {
    return call.context.provider(BACKPLANE_DISPLAY, call.arguments.text("device"), "vga0",
                                 "display");
}

constexpr ResultField picture_fields[] = {
    {"device", ResultKind::Text, "whose screen it is"},
    {"width", ResultKind::Count, "in pixels"},
    {"height", ResultKind::Count, "in pixels"},
    {"png", ResultKind::Base64, "a PNG file"},
};

Answer take_screenshot(const Call& call) {
    const auto shown = display(call);
    if (!shown) return std::unexpected{shown.error()};
    Picture picture;
    const auto done = call.context.at_rest(
        [&] { picture = screenshot(DisplayConnection{shown->link}); });
    if (!done) return std::unexpected{done.error()};
    const auto png = png_bytes(picture);
    if (!png) return refuse(ErrorKind::Failed, "screenshot: " + png.error());
    return ordered_json{{"device", shown->component->name()},
                        {"width", picture.width},
                        {"height", picture.height},
                        {"png", base64_text(*png)}};
}

constexpr ResultField text_fields[] = {
    {"device", ResultKind::Text, "whose screen it is"},
    {"mode", ResultKind::Text, "blank, text or graphics"},
    {"rows", ResultKind::Any, "a list of texts, from the top, without the blanks at their ends",
     Presence::Sometimes},
    {"cursor_column", ResultKind::Any, "a whole number, from 0", Presence::Sometimes},
    {"cursor_row", ResultKind::Any, "likewise; no cursor is shown when they are not there",
     Presence::Sometimes},
};

constexpr backplane_property wait_arguments[] = {
    required(text_argument("text", "What a row of the screen has to contain")),
    duration_argument("timeout", "How long to wait for it", 60'000'000'000, 3'600'000'000'000),
    arguments[0],
};

constexpr ResultField wait_fields[] = {
    {"device", ResultKind::Text, "whose screen it is"},
    {"row", ResultKind::Count, "where the text is, from 0"},
};

struct Wanted {
    Context::Provider shown;
    std::string text;
    std::chrono::steady_clock::time_point until;
};

// The run goes on meanwhile; the screen is looked at as often as people could see it change.
Answer wait_for(Context& context, Wanted wanted) {
    constexpr std::chrono::milliseconds period{40};
    std::vector<std::string> rows;
    const auto done = context.at_rest(
        [&] { rows = screen_text(DisplayConnection{wanted.shown.link}); });
    if (!done) return std::unexpected{done.error()};
    for (std::size_t row = 0; row < rows.size(); ++row)
        if (rows[row].contains(wanted.text))
            return ordered_json{{"device", wanted.shown.component->name()}, {"row", row}};
    if (std::chrono::steady_clock::now() >= wanted.until)
        return refuse(ErrorKind::Failed,
                      fmt::format("wait-for-text: the screen of {} does not show {}",
                                  wanted.shown.component->name(), in_quotes(wanted.text)));
    return {period, [&context, wanted = std::move(wanted)]() mutable {
                return wait_for(context, std::move(wanted));
            }};
}

Answer wait_for_text(const Call& call) {
    const auto shown = display(call);
    if (!shown) return std::unexpected{shown.error()};
    return wait_for(call.context, {.shown = *shown,
                                   .text = call.arguments.text("text"),
                                   .until = std::chrono::steady_clock::now() +
                                            call.arguments.duration("timeout")});
}

const char* name_of(std::uint32_t kind) {
    switch (kind) {
    case BACKPLANE_DISPLAY_TEXT: return "text";
    case BACKPLANE_DISPLAY_GRAPHICS: return "graphics";
    default: return "blank";
    }
}

Answer read_screen(const Call& call) {
    const auto shown = display(call);
    if (!shown) return std::unexpected{shown.error()};
    const DisplayConnection screen{shown->link};
    std::vector<std::string> rows;
    backplane_display_mode mode{};
    mode.struct_size = sizeof mode;
    backplane_display_text text{};
    text.struct_size = sizeof text;
    bool is_text = false;
    const auto done = call.context.at_rest([&] {
        screen.call<&backplane_display::mode>(&mode);
        is_text = screen.call<&backplane_display::read_text>(
                      &text, static_cast<backplane_display_cell*>(nullptr), 0u) != 0;
        if (is_text) rows = screen_text(screen);
    });
    if (!done) return std::unexpected{done.error()};
    ordered_json reply{{"device", shown->component->name()}, {"mode", name_of(mode.kind)}};
    if (!is_text) return reply;
    reply["rows"] = rows;
    if (text.cursor_visible != 0) {
        reply["cursor_column"] = text.cursor_column;
        reply["cursor_row"] = text.cursor_row;
    }
    return reply;
}

}  // namespace

constinit const Command screenshot_command{
    .name = "screenshot",
    .summary = "a picture of the screen",
    .details = "",
    .arguments = arguments,
    .returns = picture_fields,
    .run = take_screenshot,
};

constinit const Command screen_text_command{
    .name = "screen-text",
    .summary = "the text on the screen, while it is in a text mode",
    .details = "",
    .arguments = arguments,
    .returns = text_fields,
    .run = read_screen,
};

constinit const Command wait_for_text_command{
    .name = "wait-for-text",
    .summary = "wait until the screen shows a text",
    .details = "The run goes on meanwhile. For scripts: type when the prompt is there.",
    .arguments = wait_arguments,
    .returns = wait_fields,
    .run = wait_for_text,
};

}  // namespace backplane::runtime::control
