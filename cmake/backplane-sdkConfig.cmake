include(${CMAKE_CURRENT_LIST_DIR}/backplane-sdkTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/BackplanePlugin.cmake)
