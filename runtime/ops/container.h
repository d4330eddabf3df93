// Access to the containers behind values; they are shared by reference, as in Python.
#pragma once

#include <vector>

#include <ingot/value.h>

namespace ingot {

// The elements of a list, to read or change. Raises if the value is no list.
inline std::vector<Value>& elements_of(const Value& list) {
  list.to_list();
  return static_cast<List*>(list.object())->elements;
}

// The dict behind a value. Raises if it is none.
inline Dict& dict_of(const Value& dict) {
  dict.to_dict();
  return *static_cast<Dict*>(dict.object());
}

// Raises MemoryError if a container of `count` elements, `times` over, is unreasonable.
void check_length(size_t count, size_t times);

// Containers of their own with the same elements; tensors and strings stay shared.
Value copy_containers(const Value& value);

// Python's `a < b` on numbers, strings, and lists or tuples of them.
bool less(const Value& a, const Value& b);

}  // namespace ingot
