#include "catalogue.h"

#include <string>
#include <vector>

#include <nanobind/stl/string_view.h>

#include <ingot/check.h>
#include <ingot/op.h>
#include "convert.h"
#include "exec/interpreter.h"
#include "ops/schema.h"

namespace nb = nanobind;

namespace ingot::python {

namespace {

nb::list catalogue() {
  nb::list ops;
  for (const Op* op : all_ops()) {
    const Schema& schema = op->schema();
    nb::list arguments;
    for (const SchemaArgument& a : schema.arguments) {
      arguments.append(
          nb::make_tuple(a.name.c_str(), a.declared.c_str(), a.fallback.has_value(),
                         a.fallback ? to_python(*a.fallback, Conversion()) : nb::none(),
                         a.keyword_only, a.mutated, a.alias.c_str()));
    }
    if (schema.variadic)
      arguments.append(nb::make_tuple("...", "Any", false, nb::none(), false, false, ""));
    nb::list returns;
    for (const SchemaArgument& r : schema.returns)
      returns.append(nb::make_tuple(r.name.c_str(), r.declared.c_str(), r.alias.c_str()));
    ops.append(nb::make_tuple(schema.name.c_str(), arguments, returns));
  }
  return ops;
}

const Op& op_named(std::string_view name) {
  const Op* op = find_op(name);
  if (!op) fail(ErrorCode::not_found, "there is no op named ", name);
  return *op;
}

// Arguments in schema order; missing ones are left to the callee.
std::vector<Value> convert(const Op& op, const nb::sequence& given, Conversion& conversion) {
  const Schema& schema = op.schema();
  const size_t count = nb::len(given);
  INGOT_CHECK(count <= schema.arguments.size() || schema.variadic, op.name(), ": takes ",
              schema.arguments.size(), " arguments, but ", count, " were given");
  std::vector<Value> values;
  for (size_t i = 0; i < count; ++i) {
    const nb::object item = given[i];
    const Type* const type = i < schema.arguments.size() ? schema.arguments[i].type.get() : nullptr;
    values.push_back(from_python(item.ptr(), type, conversion));
  }
  return values;
}

nb::tuple call(std::string_view name, const nb::sequence& args) {
  const Op& op = op_named(name);
  Conversion conversion;
  const std::vector<Value> values = convert(op, args, conversion);
  std::vector<Value> results;
  {
    const nb::gil_scoped_release released;
    results = call_op(op, values);
  }
  conversion.give_back();
  nb::list converted;
  for (const Value& result : results) converted.append(to_python(result, conversion));
  return nb::tuple(converted);
}

nb::list infer(std::string_view name, const nb::sequence& args) {
  const Op& op = op_named(name);
  if (!op.definition().infer)
    fail(ErrorCode::unsupported, name,
         ": has no meta function: its results depend on more than shapes");
  Conversion conversion;
  std::vector<Value> values = convert(op, args, conversion);
  const Schema& schema = op.schema();
  std::vector<int32_t> operands;
  for (size_t i = 0; i < schema.arguments.size(); ++i) {
    if (i >= values.size()) {
      INGOT_CHECK(schema.arguments[i].fallback, name, ": needs the argument ",
                  schema.arguments[i].name);
      values.push_back(*schema.arguments[i].fallback);
    }
    operands.push_back(static_cast<int32_t>(i));
  }
  std::vector<TensorInfo> infos;
  try {
    op.definition().infer({values.data(), nullptr, operands.data()}, infos);
  } catch (Error& error) {
    throw error.with_prefix(concat(name, ": "));
  }
  nb::list converted;
  for (const TensorInfo& info : infos) {
    nb::list sizes;
    for (const int64_t size : info.sizes) sizes.append(size);
    converted.append(nb::make_tuple(static_cast<int>(info.dtype), nb::tuple(sizes)));
  }
  return converted;
}

}  // namespace

void bind_catalogue(nb::module_& module) {
  module.def("catalogue", &catalogue,
             "Every op as (name, arguments, returns). An argument is (name, declared type,\n"
             "has default, default, keyword only, mutated, alias set), the last one named \"...\"\n"
             "if any number of further ones follows; a return is (name, declared type, alias\n"
             "set).");
  module.def(
      "random_ops",
      [] {
        nb::list names;
        for (const Op* op : all_ops())
          if (op->definition().random) names.append(nb::str(op->name().data(), op->name().size()));
        return names;
      },
      "The names of the ops that draw random numbers.");
  module.def("call_op", &call, nb::arg("name"), nb::arg("args"),
             "Runs one op on arguments in schema order; trailing ones take their defaults.\n"
             "Returns the tuple of its results: torch tensors if any argument is one, else NumPy.");
  module.def("infer", &infer, nb::arg("name"), nb::arg("args"),
             "The (dtype number, sizes) of each result of an op, from its meta function.");
}

}  // namespace ingot::python
