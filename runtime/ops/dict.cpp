// Methods and operators of dicts, which keep insertion order.
#include <ingot/op.h>
#include "ops/container.h"
#include "ops/python_error.h"
#include "ops/step.h"
#include "ops/text.h"

namespace ingot {
namespace {

int64_t find_or_raise(const Dict& dict, const Value& key) {
  const int64_t at = dict.find(key);
  if (at < 0) raise_python("KeyError", repr(key));
  return at;
}

Value getitem(const Value& self, const Value& key) {
  const Dict& dict = self.to_dict();
  return dict.items()[find_or_raise(dict, key)].second;
}
Value get_default(const Value& self, const Value& key, const Value& fallback) {
  const Dict& dict = self.to_dict();
  const int64_t at = dict.find(key);
  return at < 0 ? fallback : dict.items()[at].second;
}
Value get(const Value& self, const Value& key) { return get_default(self, key, Value()); }
void set_item(const Value& self, const Value& key, const Value& v) { dict_of(self).set(key, v); }
void delete_item(const Value& self, const Value& key) {
  if (!dict_of(self).erase(key)) raise_python("KeyError", repr(key));
}
bool contains(const Value& dict, const Value& key) { return dict.to_dict().find(key) >= 0; }
int64_t length(const Value& self) { return static_cast<int64_t>(self.to_dict().items().size()); }

Value keys(const Value& self) {
  std::vector<Value> all;
  for (const auto& [key, value] : self.to_dict().items()) all.push_back(key);
  return Value::list(std::move(all));
}
Value values(const Value& self) {
  std::vector<Value> all;
  for (const auto& [key, value] : self.to_dict().items()) all.push_back(value);
  return Value::list(std::move(all));
}
Value items(const Value& self) {
  std::vector<Value> all;
  for (const auto& [key, value] : self.to_dict().items()) all.push_back(Value::tuple({key, value}));
  return Value::list(std::move(all));
}

Value pop(const Value& self, const Value& key) {
  Value popped = getitem(self, key);
  dict_of(self).erase(key);
  return popped;
}
Value pop_default(const Value& self, const Value& key, const Value& fallback) {
  return contains(self, key) ? pop(self, key) : fallback;
}
Value popitem(const Value& self) {
  Dict& dict = dict_of(self);
  if (dict.items().empty()) raise_python("KeyError", "'popitem(): dictionary is empty'");
  const auto [key, value] = dict.items().back();
  dict.erase(key);
  return Value::tuple({key, value});
}
Value setdefault(const Value& self, const Value& key, const Value& fallback) {
  Dict& dict = dict_of(self);
  if (dict.find(key) < 0) dict.set(key, fallback);
  return getitem(self, key);
}
void update(const Value& self, const Value& to_add) {
  if (self.object() == to_add.object()) return;
  for (const auto& [key, value] : to_add.to_dict().items()) dict_of(self).set(key, value);
}
void clear(const Value& self) { dict_of(self).clear(); }
Value copy(const Value& self) { return Value::dict(self.to_dict().items()); }

Value from_pairs(const Value& inputs) {
  std::vector<std::pair<Value, Value>> pairs;
  for (const Value& pair : inputs.to_list().elements) {
    const std::vector<Value>& elements = pair.to_tuple().elements;
    if (elements.size() != 2)
      raise_python("ValueError", "a dict is made of pairs, not of ", elements.size(), " values");
    pairs.emplace_back(elements[0], elements[1]);
  }
  return Value::dict(std::move(pairs));
}

#define INGOT_DICT_OPS(K)                                                                          \
  INGOT_OP("aten::__getitem__.Dict_" K "(Dict(" K ", t) self, " K " key) -> t(*)",                 \
           Stepped<getitem>);                                                                      \
  INGOT_OP("aten::get." K "(Dict(" K ", t) self, " K " key) -> t(*)?", Stepped<get>);              \
  INGOT_OP("aten::get.default_" K "(Dict(" K ", t) self, " K " key, t default_value) -> t(*)",     \
           Stepped<get_default>);                                                                  \
  INGOT_OP("aten::_set_item." K "(Dict(" K ", t)(a!) l, " K "(b -> *) idx, t(c -> *) v) -> ()",    \
           Stepped<set_item>);                                                                     \
  INGOT_OP("aten::Delete.Dict_" K "(Dict(" K ", t)(a!) self, " K " key) -> ()",                    \
           Function<delete_item>);                                                                 \
  INGOT_OP("aten::__contains__." K "(Dict(" K ", t) dict, " K " key) -> bool", Stepped<contains>); \
  INGOT_OP("aten::len.Dict_" K "(Dict(" K ", t) self) -> int", Stepped<length>);                   \
  INGOT_OP("aten::keys." K "(Dict(" K ", t) self) -> " K "[](*)", Function<keys>);                 \
  INGOT_OP("aten::values." K "(Dict(" K ", t) self) -> t[](*)", Function<values>);                 \
  INGOT_OP("aten::items." K "(Dict(" K ", t) self) -> ((" K ", t)[])", Function<items>);           \
  INGOT_OP("aten::pop.Dict_" K "(Dict(" K ", t)(a!) self, " K " key) -> t(*)", Function<pop>);     \
  INGOT_OP("aten::pop.Dict_default_" K "(Dict(" K ", t)(a!) self, " K                              \
           " key, t default_value) -> t(*)",                                                       \
           Function<pop_default>);                                                                 \
  INGOT_OP("aten::popitem." K "(Dict(" K ", t)(a!) self) -> ((" K ", t))", Function<popitem>);     \
  INGOT_OP("aten::setdefault." K "(Dict(" K ", t)(a!) self, " K                                    \
           "(b -> *) key, t(c -> *) default_value) -> t(*)",                                       \
           Function<setdefault>);                                                                  \
  INGOT_OP("aten::update." K "(Dict(" K ", t)(a!) self, Dict(" K ", t)(a!) to_add) -> ()",         \
           Function<update>);                                                                      \
  INGOT_OP("aten::clear." K "(Dict(" K ", t)(a!) self) -> ()", Function<clear>);                   \
  INGOT_OP("aten::copy.Dict_" K "(Dict(" K ", t)(a) self) -> Dict(" K ", t)", Function<copy>);     \
  INGOT_OP("aten::dict.Dict_" K "(Dict(" K ", t)(a) self) -> Dict(" K ", t)", Function<copy>);     \
  INGOT_OP("aten::dict." K "((" K ", tVal)[] inputs) -> Dict(" K ", tVal)", Function<from_pairs>)
INGOT_DICT_OPS("bool");
INGOT_DICT_OPS("int");
INGOT_DICT_OPS("float");
INGOT_DICT_OPS("str");

}  // namespace
}  // namespace ingot
