#include <ingot/op.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "ops/schema.h"

namespace ingot {
namespace {

// Ops register while libraries load: before main, or later by load_library on any thread.
struct Catalogue {
  std::mutex mutex;
  std::vector<const Op*> registered;
  std::unordered_map<std::string_view, const Op*> by_name;  // filled from `registered`
  size_t indexed = 0;

  void index() {
    by_name.reserve(registered.size());
    for (; indexed < registered.size(); ++indexed) {
      const Op* op = registered[indexed];
      if (!by_name.emplace(op->name(), op).second)
        fail(ErrorCode::internal, "op ", op->name(), " is registered twice");
    }
  }
};

Catalogue& catalogue() {
  static auto* instance = new Catalogue;  // outlives every static destructor
  return *instance;
}

thread_local ArrivingOps* arriving = nullptr;

}  // namespace

Op::Op(const char* schema, const OpDefinition& definition)
    : text_(schema), definition_(definition) {
  const std::string_view text(schema);
  name_ = text.substr(0, text.find('('));
  if (arriving) {
    arriving->ops_.push_back(this);
    return;
  }
  Catalogue& all = catalogue();
  const std::lock_guard lock(all.mutex);
  all.registered.push_back(this);
}

Op::~Op() = default;

const Schema& Op::schema() const {
  std::call_once(parsed_,
                 [this] { schema_ = std::make_unique<const Schema>(parse_schema(text_)); });
  return *schema_;
}

void Op::invoke_structured(const Arguments& in, const Results& out) const {
  // Kept from call to call for its memory; a kernel that calls ops finds it empty.
  thread_local std::vector<TensorInfo> scratch;
  std::vector<TensorInfo> infos = std::move(scratch);
  infos.clear();
  definition_.infer(in, infos);
  constexpr size_t kMost = 8;
  Tensor results[kMost];
  INGOT_CHECK(infos.size() <= kMost, name_, " has too many outputs");
  for (size_t k = 0; k < infos.size(); ++k) results[k] = Tensor::empty(infos[k]);
  definition_.compute(in, results);
  for (size_t k = 0; k < infos.size(); ++k) out.set(k, Value(std::move(results[k])));
  scratch = std::move(infos);
}

const Op* find_op(std::string_view name) {
  Catalogue& all = catalogue();
  const std::lock_guard lock(all.mutex);
  all.index();
  const auto at = all.by_name.find(name);
  return at == all.by_name.end() ? nullptr : at->second;
}

ArrivingOps::ArrivingOps() : outer_(arriving) { arriving = this; }

ArrivingOps::~ArrivingOps() { arriving = outer_; }

void ArrivingOps::admit() {
  Catalogue& all = catalogue();
  const std::lock_guard lock(all.mutex);
  all.index();
  std::unordered_map<std::string_view, const Op*> by_name = all.by_name;
  for (const Op* op : ops_)
    INGOT_CHECK(by_name.emplace(op->name(), op).second, "op ", op->name(),
                " is registered already, by this library or before it");
  all.registered.insert(all.registered.end(), ops_.begin(), ops_.end());
  all.by_name.swap(by_name);
  all.indexed = all.registered.size();
}

std::vector<const Op*> all_ops() {
  Catalogue& all = catalogue();
  const std::lock_guard lock(all.mutex);
  all.index();
  std::vector<const Op*> ops = all.registered;
  std::sort(ops.begin(), ops.end(), [](auto* a, auto* b) { return a->name() < b->name(); });
  return ops;
}

Scalar::Scalar(const Value& value) : tag_(value.tag()) {
  switch (tag_) {
    case Tag::boolean: integer_ = value.to_bool(); break;
    case Tag::integer: integer_ = value.to_int(); break;
    case Tag::floating: floating_ = value.to_double(); break;
    case Tag::complex:
      floating_ = value.to_complex().real();
      imag_ = value.to_complex().imag();
      break;
    default: fail(ErrorCode::invalid_argument, "expected a number, got ", value.describe());
  }
}

DType Scalar::dtype() const {
  switch (tag_) {
    case Tag::boolean: return DType::boolean;
    case Tag::integer: return DType::i64;
    case Tag::complex: return DType::c64;
    default: return DType::f32;
  }
}

IntList Unbox<IntList>::get(const Value& v) {
  const std::vector<Value>& elements = v.to_list().elements;
  IntList list(elements.size());
  for (size_t i = 0; i < elements.size(); ++i)
    list[i] = elements[i].is_bool() ? elements[i].to_bool() : elements[i].to_int();
  return list;
}

std::vector<double> Unbox<std::vector<double>>::get(const Value& v) {
  std::vector<double> list;
  for (const Value& element : v.to_list().elements) list.push_back(Unbox<double>::get(element));
  return list;
}

Value box(const Scalar& v) {
  if (v.is_bool()) return Value(v.to_int() != 0);
  if (v.is_int()) return Value(v.to_int());
  if (v.is_complex()) return Value(v.to_complex());
  return Value(v.to_double());
}

Value box(std::vector<Tensor> v) {
  std::vector<Value> values;
  values.reserve(v.size());
  for (Tensor& tensor : v) values.emplace_back(std::move(tensor));
  return Value::list(std::move(values));
}

Value box(std::span<const int64_t> v) {
  return Value::list(std::vector<Value>(v.begin(), v.end()));
}

}  // namespace ingot
