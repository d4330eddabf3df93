#include "file/program.h"

#include <ingot/check.h>

namespace ingot {

int64_t Program::find_method(std::string_view name) const {
  for (size_t i = 0; i < methods.size(); ++i)
    if (methods[i].name == name) return static_cast<int64_t>(i);
  return -1;
}

std::string Program::location(uint32_t source) const {
  std::string text;
  for (; source != 0 && source < sources.size(); source = sources[source].caller) {
    const SourceLine& line = sources[source];
    if (!text.empty()) text += '\n';
    text += concat("  ", line.file, ":", line.line);
    if (!line.function.empty()) text += concat(" in ", line.function);
    if (!line.text.empty()) text += concat(": ", line.text);
  }
  return text;
}

}  // namespace ingot
