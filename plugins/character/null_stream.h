// Nobody: output goes nowhere and there is no input.
#pragma once

#include <backplane/declaration.h>

namespace backplane::character {

class NullStream final : public Device {
public:
    static void declare(Declaration<NullStream>& d) {
        d.type("character.null", "Discards output and gives no input");
        static constexpr backplane_character functions{
            sizeof(backplane_character), 0, [](void*, const backplane_character_receiver*) {},
            [](void*, const std::uint8_t*, std::uint32_t length) { return length; }, [](void*) {}};
        d.provides("stream", functions, "Bytes to nowhere");
    }
};

}  // namespace backplane::character
