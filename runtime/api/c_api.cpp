#include <ingot/c.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ingot/ingot.h>

#include <ingot/check.h>

struct ingot_module {
  ingot::Module module;
};

struct ingot_value {
  ingot::Value value;
};

namespace ingot {
namespace {

static_assert(INGOT_ERROR_INTERNAL == static_cast<int>(ErrorCode::internal));
static_assert(INGOT_F32 == static_cast<int>(DType::f32) &&
              INGOT_BF16 == static_cast<int>(DType::bf16));
static_assert(INGOT_PRECISION_F32 == static_cast<int>(Precision::f32) &&
              INGOT_PRECISION_BF16 == static_cast<int>(Precision::bf16));
static_assert(INGOT_KIND_TENSOR == static_cast<int>(Tag::tensor) &&
              INGOT_KIND_TUPLE == static_cast<int>(Tag::tuple) &&
              INGOT_KIND_OBJECT == static_cast<int>(Tag::instance));

struct LastError {
  ingot_status code = INGOT_OK;
  std::optional<Error> error;  // empty also when there was no memory to keep it
};
thread_local LastError last;

ingot_status remember(ErrorCode code, const Error* error, const char* sentence) noexcept {
  last.code = static_cast<ingot_status>(code);
  try {
    last.error = error ? *error : Error(code, sentence);
  } catch (const std::bad_alloc&) {
    last.error.reset();
  }
  return last.code;
}

// The boundary that no exception passes.
template <class Body>
ingot_status protect(Body&& body) noexcept {
  try {
    body();
    return INGOT_OK;
  } catch (const Error& error) {
    return remember(error.code(), &error, "");
  } catch (const std::bad_alloc&) {
    return remember(ErrorCode::out_of_memory, nullptr, "there is not enough memory");
  } catch (const std::exception& error) {
    return remember(ErrorCode::internal, nullptr, error.what());
  }
}

template <class T>
T& need(T* pointer, const char* name) {
  INGOT_CHECK(pointer, "argument '", name, "' is NULL");
  return *pointer;
}

void give(ingot_value** out, Value value) {
  ingot_value*& slot = need(out, "value");
  slot = new ingot_value{std::move(value)};
}

void give(ingot_module** out, Module module) {
  ingot_module*& slot = need(out, "module");
  slot = new ingot_module{std::move(module)};
}

const Value& value_of(const ingot_value* value) { return need(value, "value").value; }

std::vector<Value> values_of(const ingot_value* const* handles, size_t count) {
  std::vector<Value> values;
  values.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    need(handles, "values");
    INGOT_CHECK(handles[i], "value ", i, " is NULL");
    values.push_back(handles[i]->value);
  }
  return values;
}

std::span<const int64_t> dims_of(const int64_t* numbers, int32_t rank) {
  INGOT_CHECK(rank >= 0 && rank <= kMaxRank, "a tensor has 0 to ", kMaxRank, " dimensions, not ",
              rank);
  if (rank > 0) need(numbers, "sizes");
  return {numbers, static_cast<size_t>(rank)};
}

DType dtype_of_number(ingot_dtype dtype) {
  INGOT_CHECK(is_dtype(dtype), "there is no dtype ", dtype);
  return static_cast<DType>(dtype);
}

const std::vector<Value>& elements_of(const Value& value) {
  return value.is_tuple() ? value.to_tuple().elements : value.to_list().elements;
}

LoadOptions options_of(const ingot_load_options* options) {
  const ingot_precision precision = need(options, "options").precision;
  INGOT_CHECK(precision == INGOT_PRECISION_F32 || precision == INGOT_PRECISION_BF16,
              "there is no precision ", precision);
  return {.precision = static_cast<Precision>(precision)};
}

template <class T>
Value port_list(const std::vector<Port>& ports, T&& fields) {
  std::vector<Value> list;
  list.reserve(ports.size());
  for (const Port& port : ports) list.push_back(Value::tuple(fields(port)));
  return Value::list(std::move(list));
}

}  // namespace
}  // namespace ingot

using namespace ingot;

ingot_status ingot_error_code() { return last.code; }

const char* ingot_error_message() {
  if (last.error) return last.error->message().c_str();
  return last.code ? "there is not enough memory" : "";
}

const char* ingot_error_location() { return last.error ? last.error->location().c_str() : ""; }

const char* ingot_error_hint() { return last.error ? last.error->hint().c_str() : ""; }

const char* ingot_error_report() { return last.error ? last.error->what() : ingot_error_message(); }

ingot_status ingot_load_with(const char* path, const ingot_load_options* options,
                             ingot_module** module) {
  return protect(
      [&] { give(module, load(std::string(&need(path, "path")), options_of(options))); });
}

ingot_status ingot_load_memory_with(const void* bytes, size_t count,
                                    const ingot_load_options* options, ingot_module** module) {
  return protect([&] {
    if (count) need(static_cast<const char*>(bytes), "bytes");
    give(module, load(std::span(static_cast<const std::byte*>(bytes), count), options_of(options)));
  });
}

ingot_status ingot_load(const char* path, ingot_module** module) {
  const ingot_load_options defaults = {};
  return ingot_load_with(path, &defaults, module);
}

ingot_status ingot_load_memory(const void* bytes, size_t count, ingot_module** module) {
  const ingot_load_options defaults = {};
  return ingot_load_memory_with(bytes, count, &defaults, module);
}

ingot_status ingot_fork(const ingot_module* module, ingot_module** copy) {
  return protect([&] { give(copy, need(module, "module").module.fork()); });
}

void ingot_module_free(ingot_module* module) { delete module; }

ingot_status ingot_run(const ingot_module* module, const char* method,
                       const ingot_value* const* inputs, size_t count, ingot_value** output) {
  return protect([&] {
    need(output, "output");
    give(output,
         need(module, "module").module.run(&need(method, "method"), values_of(inputs, count)));
  });
}

ingot_status ingot_methods(const ingot_module* module, ingot_value** names) {
  return protect([&] {
    std::vector<Value> list;
    for (const std::string& name : need(module, "module").module.methods()) list.emplace_back(name);
    give(names, Value::list(std::move(list)));
  });
}

ingot_status ingot_inputs(const ingot_module* module, const char* method, ingot_value** ports) {
  return protect([&] {
    give(ports, port_list(need(module, "module").module.inputs(&need(method, "method")),
                          [](const Port& port) -> std::vector<Value> {
                            return {port.name, port.type, port.has_default};
                          }));
  });
}

ingot_status ingot_outputs(const ingot_module* module, const char* method, ingot_value** ports) {
  return protect([&] {
    give(ports, port_list(need(module, "module").module.outputs(&need(method, "method")),
                          [](const Port& port) -> std::vector<Value> {
                            return {port.name, port.type};
                          }));
  });
}

ingot_status ingot_state(const ingot_module* module, ingot_value** tensors) {
  return protect([&] {
    std::vector<std::pair<Value, Value>> items;
    for (auto& [name, tensor] : need(module, "module").module.state())
      items.emplace_back(name, tensor);
    give(tensors, Value::dict(std::move(items)));
  });
}

ingot_status ingot_extra_files(const ingot_module* module, ingot_value** files) {
  return protect([&] {
    std::vector<std::pair<Value, Value>> items;
    for (auto& [name, bytes] : need(module, "module").module.extra_files())
      items.emplace_back(name, bytes);
    give(files, Value::dict(std::move(items)));
  });
}

ingot_status ingot_make_none(ingot_value** value) {
  return protect([&] { give(value, Value()); });
}

ingot_status ingot_make_bool(int boolean, ingot_value** value) {
  return protect([&] { give(value, Value(boolean != 0)); });
}

ingot_status ingot_make_int(int64_t number, ingot_value** value) {
  return protect([&] { give(value, Value(number)); });
}

ingot_status ingot_make_float(double number, ingot_value** value) {
  return protect([&] { give(value, Value(number)); });
}

ingot_status ingot_make_complex(double real, double imaginary, ingot_value** value) {
  return protect([&] { give(value, Value(std::complex<double>(real, imaginary))); });
}

ingot_status ingot_make_string(const char* text, size_t bytes, ingot_value** value) {
  return protect([&] {
    if (bytes) need(text, "text");
    give(value, Value(std::string_view(text, bytes)));
  });
}

ingot_status ingot_make_tensor(ingot_dtype dtype, const int64_t* sizes, int32_t rank,
                               const void* data, size_t bytes, ingot_value** value) {
  return protect([&] {
    const Tensor tensor = Tensor::empty(dtype_of_number(dtype), dims_of(sizes, rank));
    INGOT_CHECK(bytes == tensor.nbytes(), "a tensor ", tensor, " takes ", tensor.nbytes(),
                " bytes, got ", bytes);
    if (bytes) std::memcpy(tensor.data(), &need(static_cast<const char*>(data), "data"), bytes);
    give(value, Value(tensor));
  });
}

ingot_status ingot_wrap_tensor(ingot_dtype dtype, const int64_t* sizes, const int64_t* strides,
                               int32_t rank, void* data, void (*release)(void*), void* context,
                               ingot_value** value) {
  return protect([&] {
    const DType type = dtype_of_number(dtype);
    const std::span<const int64_t> size_numbers = dims_of(sizes, rank);
    if (numel_of(size_numbers)) need(static_cast<char*>(data), "data");
    need(value, "value");
    auto handle = std::make_unique<ingot_value>();
    handle->value = Value(Tensor::from_blob(
        data, type, size_numbers,
        strides ? std::span(strides, size_numbers.size()) : std::span<const int64_t>(), release,
        context));
    *value = handle.release();
  });
}

ingot_status ingot_make_list(const ingot_value* const* elements, size_t count,
                             ingot_value** value) {
  return protect([&] { give(value, Value::list(values_of(elements, count))); });
}

ingot_status ingot_make_tuple(const ingot_value* const* elements, size_t count,
                              ingot_value** value) {
  return protect([&] { give(value, Value::tuple(values_of(elements, count))); });
}

ingot_status ingot_make_dict(const ingot_value* const* keys, const ingot_value* const* values,
                             size_t count, ingot_value** value) {
  return protect([&] {
    const std::vector<Value> key_list = values_of(keys, count);
    const std::vector<Value> value_list = values_of(values, count);
    std::vector<std::pair<Value, Value>> items;
    for (size_t i = 0; i < count; ++i) {
      const Tag tag = key_list[i].tag();
      INGOT_CHECK(
          tag == Tag::boolean || tag == Tag::integer || tag == Tag::floating || tag == Tag::string,
          "a dict's key is a bool, int, float or string, not ", name_of(tag));
      items.emplace_back(key_list[i], value_list[i]);
    }
    give(value, Value::dict(std::move(items)));
  });
}

void ingot_value_free(ingot_value* value) { delete value; }

ingot_kind ingot_value_kind(const ingot_value* value) {
  return value ? static_cast<ingot_kind>(value->value.tag()) : INGOT_KIND_NONE;
}

ingot_status ingot_get_bool(const ingot_value* value, int* boolean) {
  return protect([&] { need(boolean, "boolean") = value_of(value).to_bool(); });
}

ingot_status ingot_get_int(const ingot_value* value, int64_t* number) {
  return protect([&] { need(number, "number") = value_of(value).to_int(); });
}

ingot_status ingot_get_float(const ingot_value* value, double* number) {
  return protect([&] { need(number, "number") = value_of(value).to_double(); });
}

ingot_status ingot_get_complex(const ingot_value* value, double* real, double* imaginary) {
  return protect([&] {
    const std::complex<double> number = value_of(value).to_complex();
    need(imaginary, "imaginary");
    need(real, "real") = number.real();
    *imaginary = number.imag();
  });
}

ingot_status ingot_get_string(const ingot_value* value, const char** text, size_t* bytes) {
  return protect([&] {
    const std::string_view string = value_of(value).to_string();
    need(bytes, "bytes");
    need(text, "text") = string.data();
    *bytes = string.size();
  });
}

ingot_status ingot_get_tensor(const ingot_value* value, ingot_tensor_view* view) {
  return protect([&] {
    const Tensor& tensor = value_of(value).tensor();
    need(view, "view") = {.dtype = static_cast<ingot_dtype>(tensor.dtype()),
                          .rank = tensor.rank(),
                          .sizes = tensor.sizes().begin(),
                          .strides = tensor.strides().begin(),
                          .data = tensor.data(),
                          .bytes = tensor.nbytes(),
                          .contiguous = tensor.is_contiguous(),
                          .writable = tensor.writable()};
  });
}

ingot_status ingot_copy_tensor(const ingot_value* value, void* data, size_t bytes) {
  return protect([&] {
    const Tensor& tensor = value_of(value).tensor();
    INGOT_CHECK(bytes == tensor.nbytes(), "a tensor ", tensor, " takes ", tensor.nbytes(),
                " bytes, got room for ", bytes);
    if (bytes)
      std::memcpy(&need(static_cast<char*>(data), "data"), tensor.contiguous().data(), bytes);
  });
}

ingot_status ingot_get_count(const ingot_value* value, size_t* count) {
  return protect([&] {
    const Value& container = value_of(value);
    need(count, "count") =
        container.is_dict() ? container.to_dict().items().size() : elements_of(container).size();
  });
}

ingot_status ingot_get_element(const ingot_value* value, size_t index, ingot_value** element) {
  return protect([&] {
    const std::vector<Value>& elements = elements_of(value_of(value));
    INGOT_CHECK(index < elements.size(), "there is no element ", index, ": the value has ",
                elements.size());
    give(element, elements[index]);
  });
}

ingot_status ingot_get_item(const ingot_value* value, size_t index, ingot_value** key,
                            ingot_value** item) {
  return protect([&] {
    const auto& items = value_of(value).to_dict().items();
    INGOT_CHECK(index < items.size(), "there is no item ", index, ": the dict has ", items.size());
    need(key, "key");
    need(item, "item");
    std::unique_ptr<ingot_value> key_handle(new ingot_value{items[index].first});
    give(item, items[index].second);
    *key = key_handle.release();
  });
}

ingot_status ingot_get_named(const ingot_value* value, const char* name, ingot_value** element) {
  return protect([&] {
    const Value& container = value_of(value);
    const std::string_view wanted = &need(name, "name");
    if (container.is_instance()) {
      const auto& fields = container.to_instance().names->fields;
      if (std::find(fields.begin(), fields.end(), wanted) != fields.end())
        return give(element, container.to_instance().get(wanted));
    } else if (container.is_tuple()) {
      const Tuple& tuple = container.to_tuple();
      for (size_t i = 0; tuple.names && i < tuple.names->fields.size(); ++i)
        if (tuple.names->fields[i] == wanted) return give(element, tuple.elements[i]);
    } else {
      const Dict& dict = container.to_dict();
      const int64_t found = dict.find(Value(wanted));
      if (found >= 0) return give(element, dict.items()[static_cast<size_t>(found)].second);
    }
    fail(ErrorCode::not_found, "the ", name_of(container.tag()), " has no element '", wanted, "'");
  });
}

ingot_status ingot_describe(const ingot_value* value, ingot_value** text) {
  return protect([&] { give(text, Value(value_of(value).describe())); });
}

ingot_status ingot_set_num_threads(int32_t threads) {
  return protect([&] { set_num_threads(threads); });
}

int32_t ingot_num_threads() { return num_threads(); }

void ingot_manual_seed(uint64_t seed) { manual_seed(seed); }

const char* ingot_version() { return version().data(); }
