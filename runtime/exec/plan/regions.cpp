#include "exec/plan/regions.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include <ingot/check.h>
#include "base/blocks.h"
#include "base/thread_pool.h"
#include "exec/plan/options.h"
#include "file/mapped_file.h"
#include "ops/schema.h"

namespace ingot {
namespace {

// Plans of one region together; the least used go first.
constexpr size_t kMostBytes = size_t{64} << 20;

// True for ops that only make values out of values.
bool is_pure(const Op& op) {
  const Schema& schema = op.schema();
  if (schema.mutates || schema.variadic || op.definition().random) return false;
  const std::string_view name = op.name();
  return name != "aten::warn" && name != "prim::Print" && name != "prim::Write";
}

// Tensors, or values that may hold some.
bool takes_tensors(const Schema& schema) {
  return std::any_of(
      schema.arguments.begin(), schema.arguments.end(), [](const SchemaArgument& argument) {
        return argument.declared.find("Tensor") != std::string::npos ||
               argument.declared.find("Any") != std::string::npos ||
               argument.declared.find("Dict") != std::string::npos || argument.declared[0] == 't';
      });
}

enum class Part : uint8_t { outside, scalars, tensors };

// What an instruction is to a plan.
Part part_of(const Instruction& i) {
  switch (i.opcode) {
    case Opcode::mutating_op: return i.aux == 1 && pure_form(*i.op) ? Part::tensors : Part::outside;
    case Opcode::op: {
      if (!is_pure(*i.op)) return Part::outside;
      const OpDefinition& definition = i.op->definition();
      if (definition.infer) return Part::tensors;
      if (definition.symbolic || !takes_tensors(i.op->schema())) return Part::scalars;
      return Part::outside;
    }
    case Opcode::fresh_container:
    case Opcode::list_construct:
    case Opcode::list_unpack:
    case Opcode::tuple_construct:
    case Opcode::tuple_unpack:
    case Opcode::tuple_index:
    case Opcode::cast:
    case Opcode::guard: return Part::scalars;
    case Opcode::move: return i.inputs == 0 ? Part::scalars : Part::outside;
    default: return Part::outside;
  }
}

// Finds the regions of one method.
class RegionFinder {
 public:
  explicit RegionFinder(const Code& code) : code_(code), target_(code.instructions.size() + 1) {
    for (const Instruction& i : code.instructions)
      if (i.opcode == Opcode::jump || i.opcode == Opcode::jump_if_false ||
          i.opcode == Opcode::loop_check || i.opcode == Opcode::loop_next)
        target_[i.target] = true;
    for (const Handler& handler : code.handlers)
      target_[handler.begin] = target_[handler.end] = target_[handler.target] = true;
    find_settled();
  }

  std::vector<Region> find() {
    std::vector<Region> regions;
    const auto count = static_cast<uint32_t>(code_.instructions.size());
    for (uint32_t pc = 0; pc < count;) {
      Region region = region_at(pc);
      if (region.end == pc) {
        ++pc;
        continue;
      }
      pc = region.end;
      if (tensor_ops_ > 0) regions.push_back(std::move(region));
    }
    return regions;
  }

 private:
  // Numbers that the caller chose or that follow from sizes: as a plan does.
  void find_settled() {
    settled_.resize(code_.registers);
    for (size_t i = 0; i < code_.method->inputs.size(); ++i) settled_[i] = true;
    // Several instructions may write one register: all must be of that sort.
    std::vector<bool> foreign(code_.registers);
    for (const Instruction& i : code_.instructions) {
      if (part_of(i) == Part::scalars) continue;
      const int32_t* const outputs = &code_.operands[i.first] + i.inputs;
      for (uint32_t k = 0; k < i.outputs; ++k) foreign[static_cast<size_t>(outputs[k])] = true;
    }
    for (const Instruction& i : code_.instructions) {
      if (part_of(i) != Part::scalars) continue;
      const int32_t* const operands = &code_.operands[i.first];
      const bool known = std::all_of(operands, operands + i.inputs, [&](int32_t operand) {
        return operand < 0 || !is_foreign_number(operand);
      });
      for (uint32_t k = 0; k < i.outputs; ++k) {
        const auto output = static_cast<size_t>(operands[i.inputs + k]);
        settled_[output] = known && !foreign[output];
        foreign[output] = foreign[output] || !known;
      }
    }
  }

  // Other numbers may change from call to call and would need a plan each time.
  bool is_foreign_number(int32_t register_) const {
    const auto at = static_cast<size_t>(register_);
    if (settled_[at]) return false;
    const TypeKind kind = code_.register_kinds[at];
    return kind == TypeKind::integer || kind == TypeKind::floating || kind == TypeKind::boolean ||
           kind == TypeKind::complex || kind == TypeKind::string;
  }

  Region region_at(uint32_t begin) {
    Region region{.begin = begin, .end = begin};
    // Registers that the region writes, and those that it only reads.
    std::vector<bool> written(code_.registers);
    std::vector<bool> input(code_.registers);
    tensor_ops_ = 0;
    for (uint32_t pc = begin; pc < code_.instructions.size(); ++pc) {
      const Instruction& i = code_.instructions[pc];
      const Part part = part_of(i);
      if (part == Part::outside || (pc > begin && target_[pc])) break;
      const int32_t* const operands = &code_.operands[i.first];
      // Instances are told apart by identity, which no plan can hold.
      if (std::any_of(operands, operands + i.inputs + i.outputs, [&](int32_t operand) {
            return operand >= 0 && code_.holds_instances[static_cast<size_t>(operand)];
          }))
        break;
      const auto outside = [&](int32_t operand) {
        return operand >= 0 && !written[static_cast<size_t>(operand)];
      };
      // What is written in place must be a value of the region itself.
      if (i.opcode == Opcode::mutating_op && outside(operands[0])) break;
      if (std::any_of(operands, operands + i.inputs, [&](int32_t operand) {
            return outside(operand) && is_foreign_number(operand);
          }))
        break;
      for (uint32_t k = 0; k < i.inputs; ++k) {
        if (!outside(operands[k]) || input[static_cast<size_t>(operands[k])]) continue;
        input[static_cast<size_t>(operands[k])] = true;
        region.inputs.push_back(operands[k]);
      }
      for (uint32_t k = 0; k < i.outputs; ++k)
        written[static_cast<size_t>(operands[i.inputs + k])] = true;
      for (uint32_t k = 0; k < i.clears; ++k) {
        const int32_t dead = operands[i.inputs + i.outputs + k];
        if (outside(dead)) region.dying.emplace_back(pc, dead);
      }
      tensor_ops_ += part == Part::tensors;
      region.end = pc + 1;
    }
    region.all_inputs = begin == 0 && region.inputs.size() == code_.method->inputs.size();
    for (const int32_t register_ : region.inputs)
      region.all_inputs =
          region.all_inputs && static_cast<size_t>(register_) < code_.method->inputs.size();
    return region;
  }

  const Code& code_;
  std::vector<bool> target_;
  std::vector<bool> settled_;  // by register
  size_t tensor_ops_ = 0;
};

}  // namespace

Arena::~Arena() { free_block(data, bytes); }

void Arena::reserve(size_t wanted) {
  if (bytes >= wanted) return;
  free_block(data, bytes);
  bytes = 0;
  data = static_cast<std::byte*>(allocate_block(wanted));
  if (!data) fail(ErrorCode::out_of_memory, "out of memory: a run needs ", wanted, " bytes");
  bytes = wanted;
}

Planner::Planner(std::vector<Code>& codes, Precision precision)
    : precision_(precision),
      // Weights that were rearranged are not read again where they came from: their pages may go.
      weights_([](const Tensor& tensor) {
        const Storage& storage = *tensor.storage();
        drop_pages({storage.data, storage.bytes});
      }) {
  for (Code& code : codes)
    for (Region& region : RegionFinder(code).find()) {
      auto cache = std::make_unique<Cache>();
      cache->region = std::move(region);
      caches_.push_back(std::move(cache));
      code.instructions[caches_.back()->region.begin].region =
          static_cast<uint32_t>(caches_.size());
    }
}

std::shared_ptr<const Plan> Planner::find(Cache& cache, const Code& code, const Value* registers) {
  const Region& region = cache.region;
  Signature signature(registers, region.inputs);
  if (!signature.is_complete()) return nullptr;
  const int threads = pool_threads();
  const uint64_t hash = signature.hash();
  const auto known = [&]() -> std::list<Entry>::iterator {
    const auto [first, last] = cache.by_hash.equal_range(hash);
    for (auto at = first; at != last; ++at)
      if (at->second->threads == threads && at->second->signature == signature) return at->second;
    return cache.entries.end();
  };
  {
    const std::lock_guard lock(cache.mutex);
    if (const auto at = known(); at != cache.entries.end()) {
      cache.entries.splice(cache.entries.begin(), cache.entries, at);
      return at->plan;
    }
  }
  // Other threads may go on meanwhile; two that meet the same new signature both plan it.
  std::shared_ptr<const Plan> plan;
  try {
    plan = build_plan(code, region, registers, weights_, precision_);
  } catch (const Error&) {
    // The interpreter meets the same fault and tells where.
  }
  const std::lock_guard lock(cache.mutex);
  if (const auto at = known(); at != cache.entries.end()) return at->plan;
  cache.bytes += signature.bytes() + (plan ? plan->bytes : 0);
  cache.entries.push_front({std::move(signature), hash, threads, plan});
  cache.by_hash.emplace(hash, cache.entries.begin());
  while (cache.bytes > kMostBytes && cache.entries.size() > 1) {
    const auto oldest = std::prev(cache.entries.end());
    cache.bytes -= oldest->signature.bytes() + (oldest->plan ? oldest->plan->bytes : 0);
    const auto [first, last] = cache.by_hash.equal_range(oldest->hash);
    for (auto at = first; at != last; ++at)
      if (at->second == oldest) {
        cache.by_hash.erase(at);
        break;
      }
    cache.entries.erase(oldest);
  }
  return plan;
}

bool Session::Latest::fits(const Value* registers, const Region& region, int threads) const {
  return plan && plan->threads == threads && plan->signature.matches(registers, region.inputs);
}

Session* Planner::take_session() {
  if (Session* const session = idle_.exchange(nullptr, std::memory_order_acquire)) return session;
  {
    const std::lock_guard lock(mutex_);
    if (!others_.empty()) {
      Session* const session = others_.back().release();
      others_.pop_back();
      return session;
    }
  }
  auto* session = new Session;
  session->latest.resize(caches_.size());
  return session;
}

void Planner::give_back(Session* session) {
  session->outputs.clear();
  session = idle_.exchange(session, std::memory_order_acq_rel);
  if (!session) return;
  const std::lock_guard lock(mutex_);
  others_.emplace_back(session);
}

Planner::~Planner() { delete idle_.load(); }

// A session for the time of one run.
class Planner::Borrowed {
 public:
  explicit Borrowed(Planner& planner) : planner_(planner), session_(planner.take_session()) {}
  ~Borrowed() { planner_.give_back(session_); }
  Borrowed(const Borrowed&) = delete;
  Session* operator->() const { return session_; }
  Session& operator*() const { return *session_; }

 private:
  Planner& planner_;
  Session* session_;
};

namespace {

void run_observed(const Plan& plan, const plan::Memory& memory, const StepObserver& observer) {
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const StepInfo& info = plan.infos[i];
    const auto begin = Profile::Clock::now();
    plan.steps[i]->run(memory);
    observer.profile.add({.text = info.text,
                          .location = observer.location(info.origin),
                          .planned = true,
                          .flops = info.cost.flops,
                          .bytes = info.cost.bytes},
                         begin);
  }
}

// Runs the steps on `registers`; the outputs are then in the session. False if one failed.
bool run_steps(Session& session, Session::Latest& latest, const Region& region,
               const Value* registers, const StepObserver* observer) {
  const Plan& plan = *latest.plan;
  session.bases.assign(plan::Memory::kFirstInput, nullptr);
  session.inputs.clear();
  session.outputs.clear();
  for (const int32_t input : region.inputs)
    plan::for_each_tensor(registers[input], [&](const Tensor& tensor) {
      session.bases.push_back(tensor.data<std::byte>());
      session.inputs.push_back(&tensor);
    });
  for (const TensorInfo& info : plan.outputs) {
    session.outputs.push_back(Tensor::empty(info));
    session.bases.push_back(session.outputs.back().data<std::byte>());
  }
  session.arena.reserve(plan.arena_bytes);
  session.bases[plan::Memory::kArena] = session.arena.data;
  if (plan.calls > 0 && !latest.calls) latest.calls = plan.take_calls();
  const plan::Memory memory{session.bases.data(), latest.calls.get()};
  try {
    if (observer)
      run_observed(plan, memory, *observer);
    else
      for (const auto& step : plan.steps) step->run(memory);
  } catch (const Error&) {
    // The interpreter meets the same fault and tells where.
    return false;
  }
  return true;
}

// The results of a run whose steps are done.
class Finisher {
 public:
  Finisher(const Plan& plan, const Session& session) : plan_(plan), session_(session) {}

  Value value(const Plan::Result& result) const {
    if (result.leaving >= 0)
      return Value(tensor(plan_.leaving[static_cast<size_t>(result.leaving)]));
    return result.composite ? composite(result.value) : result.value;
  }

 private:
  Tensor tensor(const Plan::Leaving& leaving) const {
    const auto at = static_cast<size_t>(leaving.base - plan::Memory::kFirstInput);
    const Tensor& base = at < session_.inputs.size()
                             ? *session_.inputs[at]
                             : session_.outputs[at - session_.inputs.size()];
    return leaving.whole ? base : base.as_strided(leaving.sizes, leaving.strides, leaving.offset);
  }

  Value composite(const Value& value) const {
    if (value.is_tensor()) {
      if (plan::is_constant(value.tensor())) return value;
      for (const Plan::Leaving& leaving : plan_.leaving)
        if (leaving.tensor == value.tensor().impl()) return Value(tensor(leaving));
      fail(ErrorCode::internal, "a result of the plan has no memory");
    }
    if (value.is_list() || value.is_tuple()) {
      std::vector<Value> elements;
      for (const Value& element :
           value.is_list() ? value.to_list().elements : value.to_tuple().elements)
        elements.push_back(composite(element));
      if (value.is_list()) return Value::list(std::move(elements));
      auto* tuple = new Tuple(std::move(elements));
      tuple->names = value.to_tuple().names;
      return Value(static_cast<Object*>(tuple));
    }
    if (value.is_dict()) {
      std::vector<std::pair<Value, Value>> items;
      for (const auto& [key, item] : value.to_dict().items())
        items.emplace_back(key, composite(item));
      return Value::dict(std::move(items));
    }
    return value;
  }

  const Plan& plan_;
  const Session& session_;
};

}  // namespace

bool Planner::run(uint32_t number, const Code& code, Value* registers, uint32_t& next, bool checked,
                  const StepObserver* observer) {
  if (!plan_stage_enabled(PlanStage::plan)) return false;
  Cache& cache = *caches_[number];
  const KeepThreads threads;
  const Borrowed session(*this);
  Session::Latest& latest = session->latest[number];
  if (!latest.fits(registers, cache.region, threads.count())) {
    std::shared_ptr<const Plan> plan = find(cache, code, registers);
    if (!plan) return false;
    if (latest.plan) latest.plan->give_back(std::move(latest.calls));
    latest = Session::Latest();
    latest.plan = std::move(plan);
  }
  latest.checked = checked;
  if (!run_steps(*session, latest, cache.region, registers, observer)) return false;

  const Finisher finisher(*latest.plan, *session);
  // A result may take the register of an input that it is a view of.
  std::vector<Value> values;
  for (const Plan::Result& result : latest.plan->results) values.push_back(finisher.value(result));
  for (size_t k = 0; k < values.size(); ++k)
    registers[latest.plan->results[k].register_] = std::move(values[k]);
  for (const auto& [pc, dead] : cache.region.dying)
    if (pc < latest.plan->end) registers[dead] = Value();
  next = latest.plan->end;
  return true;
}

bool Planner::call(uint32_t number, std::span<const Value> inputs, Value& result) {
  const Region& region = caches_[number]->region;
  if (!region.all_inputs || region.inputs.size() != inputs.size()) return false;
  const KeepThreads threads;
  const Borrowed session(*this);
  Session::Latest& latest = session->latest[number];
  if (!latest.checked || !latest.fits(inputs.data(), region, threads.count()) ||
      latest.plan->returned < 0 || !plan_stage_enabled(PlanStage::plan))
    return false;
  if (!run_steps(*session, latest, region, inputs.data(), nullptr)) return false;
  result = Finisher(*latest.plan, *session)
               .value(latest.plan->results[static_cast<size_t>(latest.plan->returned)]);
  return true;
}

}  // namespace ingot
