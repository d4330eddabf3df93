#include "catalogue.h"

#include <numeric>
#include <string>
#include <vector>

#include <nanobind/stl/string_view.h>

#include "base/check.h"
#include "convert.h"
#include "ops/op.h"

namespace nb = nanobind;

namespace ingot::python {

namespace {

nb::list catalogue() {
  nb::list ops;
  for (const Op* op : all_ops()) {
    const Schema& schema = op->schema();
    nb::list arguments;
    for (const SchemaArgument& a : schema.arguments) {
      arguments.append(nb::make_tuple(
          a.name.c_str(), a.declared.c_str(), a.fallback.has_value(),
          a.fallback ? to_python(*a.fallback, false) : nb::none(), a.keyword_only, a.mutated,
          a.alias.c_str()));
    }
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

// The arguments of one call, defaults filled in, as constants.
struct Call {
  std::vector<Value> values;
  std::vector<int32_t> operands;
  Conversion conversion;

  Arguments arguments() const { return {nullptr, values.data(), operands.data()}; }
};

Call bind(const Schema& schema, const nb::sequence& given) {
  Call call;
  const size_t count = nb::len(given);
  INGOT_CHECK(count <= schema.arguments.size(), "takes ", schema.arguments.size(),
              " arguments, but ", count, " were given");
  for (size_t i = 0; i < schema.arguments.size(); ++i) {
    const SchemaArgument& argument = schema.arguments[i];
    if (i < count) {
      const nb::object item = given[i];
      call.values.push_back(from_python(item.ptr(), argument.type.get(), call.conversion));
    } else {
      INGOT_CHECK(argument.fallback, "needs the argument ", argument.name);
      call.values.push_back(*argument.fallback);
    }
    call.operands.push_back(~static_cast<int32_t>(i));
  }
  return call;
}

template <class Body>
auto with_name(const Op& op, const Body& body) {
  try {
    return body();
  } catch (Error& error) {
    throw error.with_prefix(concat(op.name(), ": "));
  }
}

nb::tuple call_op(std::string_view name, const nb::sequence& args) {
  const Op& op = op_named(name);
  return with_name(op, [&] {
    const Schema& schema = op.schema();
    const Call call = bind(schema, args);
    std::vector<Value> results(schema.returns.size());
    std::vector<int32_t> operands(results.size());
    std::iota(operands.begin(), operands.end(), 0);
    {
      const nb::gil_scoped_release released;
      op.invoke()(call.arguments(), {results.data(), operands.data()});
    }
    nb::list converted;
    for (const Value& result : results)
      converted.append(to_python(result, call.conversion.torch));
    return nb::tuple(converted);
  });
}

nb::list infer(std::string_view name, const nb::sequence& args) {
  const Op& op = op_named(name);
  return with_name(op, [&] {
    if (!op.infer())
      fail(ErrorCode::unsupported, "has no meta function: its results depend on more than shapes");
    const Call call = bind(op.schema(), args);
    std::vector<TensorInfo> infos;
    op.infer()(call.arguments(), infos);
    nb::list converted;
    for (const TensorInfo& info : infos) {
      nb::list sizes;
      for (const int64_t size : info.sizes) sizes.append(size);
      converted.append(nb::make_tuple(static_cast<int>(info.dtype), nb::tuple(sizes)));
    }
    return converted;
  });
}

}  // namespace

void bind_catalogue(nb::module_& module) {
  module.def("catalogue", &catalogue,
             "Every op as (name, arguments, returns). An argument is (name, declared type,\n"
             "has default, default, keyword only, mutated, alias set); a return is (name,\n"
             "declared type, alias set).");
  module.def("call_op", &call_op, nb::arg("name"), nb::arg("args"),
             "Runs one op on arguments in schema order; trailing ones take their defaults.\n"
             "Returns the tuple of its results: torch tensors if any argument is one, else NumPy.");
  module.def("infer", &infer, nb::arg("name"), nb::arg("args"),
             "The (dtype number, sizes) of each result of an op, from its meta function.");
}

}  // namespace ingot::python
