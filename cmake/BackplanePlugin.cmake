# backplane_add_plugin(NAME SOURCE... [LINK LIBRARY...])
#
# Builds lib<NAME>.so, a plugin that exports the one symbol the loader looks for and has no undefined ones, and installs
# it into lib/backplane/plugins. Backplane's own plugins are made with the same function.

set(BACKPLANE_PLUGIN_EXPORTS ${CMAKE_CURRENT_LIST_DIR}/backplane_plugin.map)

function(backplane_add_plugin name)
    cmake_parse_arguments(PARSE_ARGV 1 plugin "" "" LINK)
    add_library(${name} MODULE ${plugin_UNPARSED_ARGUMENTS})
    target_link_libraries(${name} PRIVATE backplane::sdk ${plugin_LINK})
    set_target_properties(
        ${name}
        PROPERTIES C_VISIBILITY_PRESET hidden
                   CXX_VISIBILITY_PRESET hidden
                   VISIBILITY_INLINES_HIDDEN ON
                   LINK_DEPENDS ${BACKPLANE_PLUGIN_EXPORTS})

    # Not an interface feature of backplane::sdk, which plugins in plain C link too.
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    if(CXX IN_LIST languages)
        target_compile_features(${name} PRIVATE cxx_std_23)
    endif()

    # Hidden visibility alone still exports the weak std:: symbols a C++ plugin instantiates.
    target_link_options(${name} PRIVATE "LINKER:--version-script=${BACKPLANE_PLUGIN_EXPORTS}")
    # A sanitizer's runtime is in the program, so its symbols stay undefined in a plugin.
    if(NOT "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize=")
        target_link_options(${name} PRIVATE "LINKER:--no-undefined")
    endif()

    install(TARGETS ${name} LIBRARY DESTINATION lib/backplane/plugins)
endfunction()
