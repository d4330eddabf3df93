# The Python reader and writer of runtime/file/program.fbs, generated into the source tree
# (ignored by git) because Python imports from there.
set(INGOT_PROGRAM_PY ${CMAKE_CURRENT_SOURCE_DIR}/python/ingot/file/_fb/program_generated.py)
add_custom_command(
  OUTPUT ${INGOT_PROGRAM_PY}
  COMMAND ${INGOT_FLATC} --python --gen-onefile
          -o ${CMAKE_CURRENT_SOURCE_DIR}/python/ingot/file/_fb ${INGOT_FBS}
  DEPENDS ${INGOT_FBS} VERBATIM)
add_custom_target(program_schema_python ALL DEPENDS ${INGOT_PROGRAM_PY})
install(FILES ${INGOT_PROGRAM_PY} DESTINATION ingot/file/_fb COMPONENT python EXCLUDE_FROM_ALL)
