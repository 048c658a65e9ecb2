#include "runtime/declaration_copy.h"

namespace backplane::runtime {

namespace {

// Replaces a list of the plugin's by our copy of it; the first failure is kept in `error`.
template <class T>
void adopt(const T*& list, std::uint32_t count, std::size_t minimum_size, const char* what,
           std::vector<T>& copies, std::string& error) {
    auto result = copy_array(list, count, minimum_size, what);
    if (!result) {
        if (error.empty()) error = result.error();
        return;
    }
    copies = std::move(*result);
    list = copies.data();
}

}  // namespace

std::expected<std::unique_ptr<DeviceTypeCopy>, std::string>
DeviceTypeCopy::make(const backplane_device_type* source) {
    constexpr std::size_t minimum = BACKPLANE_SIZE_WITH(backplane_device_type, restored);
    if (source->struct_size < minimum)
        return std::unexpected(fmt::format("has struct_size {}; ABI {}.0 needs {} or more",
                                           source->struct_size, BACKPLANE_ABI_MAJOR, minimum));
    std::unique_ptr<DeviceTypeCopy> copy{new DeviceTypeCopy};
    backplane_device_type& type = copy->type_;
    type = copy_struct(source);

    std::string error;
    adopt(type.properties, type.property_count, BACKPLANE_SIZE_WITH(backplane_property, choices),
          "property", copy->properties_, error);
    adopt(type.ports, type.port_count, BACKPLANE_SIZE_WITH(backplane_port, size), "port",
          copy->ports_, error);
    adopt(type.registers, type.register_count, BACKPLANE_SIZE_WITH(backplane_register, fields),
          "register", copy->registers_, error);
    copy->fields_.resize(copy->registers_.size());
    for (std::size_t i = 0; i < copy->registers_.size(); ++i) {
        backplane_register& reg = copy->registers_[i];
        adopt(reg.fields, reg.field_count, BACKPLANE_SIZE_WITH(backplane_register_field, doc),
              "register field", copy->fields_[i], error);
    }
    adopt(type.statistics, type.statistic_count, BACKPLANE_SIZE_WITH(backplane_statistic, doc),
          "statistic", copy->statistics_, error);
    adopt(type.state, type.state_count, BACKPLANE_SIZE_WITH(backplane_state_field, name),
          "state field", copy->state_, error);
    if (!error.empty()) return std::unexpected(error);

    // Zero-initialised declarations in C leave a text's default NULL; readers are promised "".
    for (backplane_property& property : copy->properties_)
        if ((property.kind == BACKPLANE_TEXT || property.kind == BACKPLANE_PATH) &&
            !property.initial.text)
            property.initial.text = "";
    return copy;
}

}  // namespace backplane::runtime
