// Recurrent networks: aten::lstm, gru, rnn_tanh, rnn_relu over padded and packed sequences,
// and their cells.
#include "kernels/rnn.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include <ingot/op.h>
#include "kernels/packed_rnn.h"
#include "kernels/simd.h"
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/plan/kernel_node.h"
#include "ops/plan/recorder.h"

namespace ingot {

namespace {

// One call, its arguments checked.
struct Rnn {
  RnnKind kind;
  bool has_biases;
  int64_t layers;
  int64_t directions;
  int64_t hidden;     // H
  int64_t projected;  // P; H without projection
  int64_t batch;
  bool batch_first;
};

int64_t weights_per_direction(const Rnn& rnn) {
  return (rnn.has_biases ? 4 : 2) + (rnn.projected != rnn.hidden ? 1 : 0);
}

void check_size(const Tensor& tensor, std::initializer_list<int64_t> sizes, const char* name) {
  const std::span<const int64_t> expected(sizes.begin(), sizes.size());
  INGOT_CHECK(std::ranges::equal(tensor.sizes(), expected), "expected ", name, " of size ",
              expected, ", but got ", tensor.sizes());
}

void check_params(const Rnn& rnn, DType dtype, int64_t input_size, const TensorList& params) {
  const int64_t per_direction = weights_per_direction(rnn);
  const int64_t expected = per_direction * rnn.layers * rnn.directions;
  INGOT_CHECK(static_cast<int64_t>(params.size()) == expected, "expected ", expected,
              " parameters for ", rnn.layers, " layers in ", rnn.directions,
              " directions, but got ", params.size());
  const int64_t rows = gates_of(rnn.kind) * rnn.hidden;
  for (int64_t i = 0; i < rnn.layers * rnn.directions; ++i) {
    const auto param = [&](int64_t k) -> const Tensor& {
      return params[static_cast<size_t>(i * per_direction + k)];
    };
    const int64_t width = i < rnn.directions ? input_size : rnn.projected * rnn.directions;
    check_size(param(0), {rows, width}, "weight_ih");
    check_size(param(1), {rows, rnn.projected}, "weight_hh");
    if (rnn.has_biases) {
      check_size(param(2), {rows}, "bias_ih");
      check_size(param(3), {rows}, "bias_hh");
    }
    if (rnn.projected != rnn.hidden)
      check_size(param(per_direction - 1), {rnn.projected, rnn.hidden}, "weight_hr");
    for (int64_t k = 0; k < per_direction; ++k)
      INGOT_CHECK(param(k).dtype() == dtype, "expected parameters of dtype ", dtype,
                  ", as input has, but got ", param(k));
  }
}

void check_state(const Rnn& rnn, DType dtype, const Tensor& state, int64_t width,
                 const char* name) {
  check_size(state, {rnn.layers * rnn.directions, rnn.batch, width}, name);
  INGOT_CHECK(state.dtype() == dtype, "expected ", name, " of dtype ", dtype,
              ", as input has, but got ", state);
}

// `batch` and `input_size` come from the input; hx holds h and, for lstm, c.
Rnn checked_rnn(RnnKind kind, DType dtype, int64_t batch, int64_t input_size,
                std::span<const Tensor* const> hx, const TensorList& params, bool has_biases,
                int64_t num_layers, double dropout, bool train, bool bidirectional,
                bool batch_first) {
  INGOT_CHECK(is_floating(dtype), "expected a floating-point input, but got ", dtype);
  INGOT_CHECK(!(train && dropout > 0 && num_layers > 1),
              "dropout between layers is not supported: call eval() on the module first");
  INGOT_CHECK(num_layers > 0 && num_layers <= static_cast<int64_t>(params.size()), "num_layers is ",
              num_layers, ", but there are ", params.size(), " parameters");
  for (const Tensor* state : hx)
    INGOT_CHECK(state->rank() == 3, "expected hx with 3 dimensions, but got ", *state);
  Rnn rnn = {
      kind,  has_biases, num_layers, bidirectional ? 2 : 1, hx.back()->size(2), hx.front()->size(2),
      batch, batch_first};
  check_state(rnn, dtype, *hx.front(), rnn.projected, "hidden state");
  if (kind == RnnKind::lstm) check_state(rnn, dtype, *hx.back(), rnn.hidden, "cell state");
  check_params(rnn, dtype, input_size, params);
  return rnn;
}

// Computes all layers in `compute`. `input` is step-major rows; h and c hold the first states
// of all layers and receive the last ones.
template <class T>
void run_layers(const Rnn& rnn, const RnnSteps& steps, Tensor input, const TensorList& params,
                DType compute, Tensor& h, Tensor* c, Tensor& output) {
  const int64_t per_direction = weights_per_direction(rnn);
  const int64_t width = rnn.projected * rnn.directions;
  for (int64_t layer = 0; layer < rnn.layers; ++layer) {
    const bool last = layer + 1 == rnn.layers;
    Tensor rows = last ? output : Tensor::empty(compute, {steps.rows(), width});
    for (int64_t direction = 0; direction < rnn.directions; ++direction) {
      const int64_t index = layer * rnn.directions + direction;
      Tensor kept[5];
      for (int64_t k = 0; k < per_direction; ++k)
        kept[k] = as_dense(params[static_cast<size_t>(index * per_direction + k)], compute);
      RnnWeights<T> weights = {kept[0].data<T>(), kept[1].data<T>()};
      if (rnn.has_biases) {
        weights.b_ih = kept[2].data<T>();
        weights.b_hh = kept[3].data<T>();
      }
      if (rnn.projected != rnn.hidden) weights.w_hr = kept[per_direction - 1].data<T>();
      RnnOutput<T> to = {rows.data<T>() + direction * rnn.projected, 0, width};
      if (last && rnn.batch_first) to = {to.out, width, steps.count() * width};
      run_rnn(rnn.kind, steps, direction == 1, input.sizes().back(), rnn.hidden, rnn.projected,
              input.data<T>(), weights, h.data<T>() + index * rnn.batch * rnn.projected,
              c ? c->data<T>() + index * rnn.batch * rnn.hidden : nullptr, to);
    }
    input = rows;
  }
}

// h_n and c_n are outputs; hx and cx the first states.
void run(const Rnn& rnn, const RnnSteps& steps, const Tensor& rows, const TensorList& params,
         const Tensor& hx, const Tensor* cx, Tensor& output, Tensor& h_n, Tensor* c_n) {
  const DType compute = compute_dtype(output.dtype());
  ComputeOutput out(output, compute), h(h_n, compute), c(c_n ? *c_n : h_n, compute);
  copy_into(hx, h.tensor());
  if (c_n) copy_into(*cx, c.tensor());
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    run_layers<T>(rnn, steps, rows, params, compute, h.tensor(), c_n ? &c.tensor() : nullptr,
                  out.tensor());
  });
  out.store();
  h.store();
  if (c_n) c.store();
}

// --- padded sequences -------------------------------------------------------------------------

Rnn padded_rnn(RnnKind kind, const Tensor& input, std::span<const Tensor* const> hx,
               const TensorList& params, bool has_biases, int64_t num_layers, double dropout,
               bool train, bool bidirectional, bool batch_first) {
  INGOT_CHECK(input.rank() == 3, "expected input with 3 dimensions, but got ", input);
  INGOT_CHECK(input.size(batch_first ? 1 : 0) > 0, "the sequences of input ", input, " are empty");
  return checked_rnn(kind, input.dtype(), input.size(batch_first ? 0 : 1), input.size(2), hx,
                     params, has_biases, num_layers, dropout, train, bidirectional, batch_first);
}

TensorInfo padded_output(const Rnn& rnn, const Tensor& input) {
  return {input.dtype(), {input.size(0), input.size(1), rnn.projected * rnn.directions}};
}

RnnSteps padded_steps(const Rnn& rnn, const Tensor& input) {
  RnnSteps steps;
  for (int64_t t = 0; t <= input.size(rnn.batch_first ? 1 : 0); ++t)
    steps.offsets.push_back(t * rnn.batch);
  return steps;
}

// [rows, I], step after step.
Tensor step_major(const Rnn& rnn, const Tensor& input) {
  const DType compute = compute_dtype(input.dtype());
  Tensor rows = input.to(compute);
  if (rnn.batch_first)
    rows = rows.as_strided(Dims{rows.size(1), rows.size(0), rows.size(2)},
                           Dims{rows.stride(1), rows.stride(0), rows.stride(2)}, 0);
  return rows.contiguous();
}

std::array<const Tensor*, 2> lstm_states(const TensorList& hx) {
  INGOT_CHECK(hx.size() == 2, "lstm expects two states, but hx has ", hx.size());
  return {&hx[0], &hx[1]};
}

std::array<TensorInfo, 3> lstm_meta(const Tensor& input, const TensorList& hx,
                                    const TensorList& params, bool has_biases, int64_t num_layers,
                                    double dropout, bool train, bool bidirectional,
                                    bool batch_first) {
  const Rnn rnn = padded_rnn(RnnKind::lstm, input, lstm_states(hx), params, has_biases, num_layers,
                             dropout, train, bidirectional, batch_first);
  return {padded_output(rnn, input), hx[0].info(), hx[1].info()};
}

void lstm(const Tensor& input, const TensorList& hx, const TensorList& params, bool has_biases,
          int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first,
          Tensor& output, Tensor& h_n, Tensor& c_n) {
  const Rnn rnn = padded_rnn(RnnKind::lstm, input, lstm_states(hx), params, has_biases, num_layers,
                             dropout, train, bidirectional, batch_first);
  run(rnn, padded_steps(rnn, input), step_major(rnn, input), params, hx[0], &hx[1], output, h_n,
      &c_n);
}

template <RnnKind kKind>
std::array<TensorInfo, 2> rnn_meta(const Tensor& input, const Tensor& hx, const TensorList& params,
                                   bool has_biases, int64_t num_layers, double dropout, bool train,
                                   bool bidirectional, bool batch_first) {
  const Tensor* const states[] = {&hx};
  const Rnn rnn = padded_rnn(kKind, input, states, params, has_biases, num_layers, dropout, train,
                             bidirectional, batch_first);
  return {padded_output(rnn, input), hx.info()};
}

template <RnnKind kKind>
void rnn_op(const Tensor& input, const Tensor& hx, const TensorList& params, bool has_biases,
            int64_t num_layers, double dropout, bool train, bool bidirectional, bool batch_first,
            Tensor& output, Tensor& h_n) {
  const Tensor* const states[] = {&hx};
  const Rnn rnn = padded_rnn(kKind, input, states, params, has_biases, num_layers, dropout, train,
                             bidirectional, batch_first);
  run(rnn, padded_steps(rnn, input), step_major(rnn, input), params, hx, nullptr, output, h_n,
      nullptr);
}

// The layers of a padded network with constant weights, packed once.
std::vector<std::shared_ptr<const PackedRnn>> pack_layers(plan::Recorder& recorder, const Rnn& rnn,
                                                          int64_t input_size,
                                                          const TensorList& params) {
  const int64_t per_direction = weights_per_direction(rnn);
  std::vector<std::shared_ptr<const PackedRnn>> layers;
  for (int64_t index = 0; index < rnn.layers * rnn.directions; ++index) {
    std::vector<Tensor> own;
    for (int64_t k = 0; k < per_direction; ++k)
      own.push_back(params[static_cast<size_t>(index * per_direction + k)]);
    layers.push_back(recorder.weights().get<PackedRnn>(
        own, {static_cast<int64_t>(rnn.kind), static_cast<int64_t>(simd_level())}, [&] {
          std::vector<Tensor> dense;
          for (const Tensor& tensor : own) dense.push_back(tensor.contiguous());
          RnnWeights<float> weights = {dense[0].data<float>(), dense[1].data<float>()};
          if (rnn.has_biases) {
            weights.b_ih = dense[2].data<float>();
            weights.b_hh = dense[3].data<float>();
          }
          if (rnn.projected != rnn.hidden) weights.w_hr = dense.back().data<float>();
          const int64_t width =
              index < rnn.directions ? input_size : rnn.projected * rnn.directions;
          return PackedRnn::pack(rnn.kind, width, rnn.hidden, rnn.projected, weights);
        }));
  }
  return layers;
}

// Records a padded network; `states` are h and, for lstm, c. out: output, h_n, c_n.
bool record_rnn(plan::Recorder& recorder, RnnKind kind, const Arguments& in,
                std::span<const Tensor* const> states, Tensor* out) {
  const Tensor& input = in[0].tensor();
  const TensorList params = Unbox<TensorList>::get(in[2]);
  if (input.dtype() != DType::f32) return false;
  for (size_t i = 0; i < params.size(); ++i)
    if (!plan::is_constant(params[i])) return false;
  const Rnn rnn =
      padded_rnn(kind, input, states, params, in[3].to_bool(), in[4].to_int(),
                 Unbox<double>::get(in[5]), in[6].to_bool(), in[7].to_bool(), in[8].to_bool());
  const int64_t width = rnn.projected * rnn.directions;
  const RnnSteps steps = padded_steps(rnn, input);
  std::vector<Tensor> inputs = {step_major(rnn, input)};
  std::vector<Tensor> outputs = {recorder.fresh(DType::f32, padded_output(rnn, input).sizes)};
  for (const Tensor* state : states) {
    inputs.push_back(state->contiguous());
    outputs.push_back(recorder.fresh(DType::f32, state->sizes()));
  }
  std::copy(outputs.begin(), outputs.end(), out);
  // What passes from layer to layer.
  const size_t scratch = outputs.size();
  for (int64_t i = 0; i < std::min<int64_t>(rnn.layers - 1, 2); ++i)
    outputs.push_back(recorder.fresh(DType::f32, Dims{steps.rows(), width}));
  // Weights of the input are read once, the recurrent ones in every step.
  plan::Cost cost;
  for (size_t i = 0; i < params.size(); ++i) {
    const double weights = static_cast<double>(params[i].numel());
    const bool of_input = static_cast<int64_t>(i) % weights_per_direction(rnn) == 0;
    const bool recurrent = !of_input && params[i].rank() == 2;
    cost.flops += 2.0 * static_cast<double>(steps.rows()) * weights;
    cost.bytes += sizeof(float) * weights * static_cast<double>(recurrent ? steps.count() : 1);
  }
  recorder.add(std::make_unique<plan::KernelNode>(
      "rnn", std::move(inputs), std::move(outputs),
      [rnn, steps, width, scratch, layers = pack_layers(recorder, rnn, input.size(2), params),
       states = states.size()](const std::byte* const* from, std::byte* const* to) {
        const int64_t state_rows = rnn.layers * rnn.directions * rnn.batch;
        for (size_t k = 1; k <= states; ++k)
          std::memcpy(to[k], from[k],
                      sizeof(float) *
                          static_cast<size_t>(state_rows * (k == 1 ? rnn.projected : rnn.hidden)));
        auto* const h = reinterpret_cast<float*>(to[1]);
        auto* const c = states > 1 ? reinterpret_cast<float*>(to[2]) : nullptr;
        auto* rows = reinterpret_cast<const float*>(from[0]);
        for (int64_t layer = 0; layer < rnn.layers; ++layer) {
          const bool last = layer + 1 == rnn.layers;
          auto* const made =
              reinterpret_cast<float*>(to[last ? 0 : scratch + static_cast<size_t>(layer % 2)]);
          for (int64_t direction = 0; direction < rnn.directions; ++direction) {
            const int64_t index = layer * rnn.directions + direction;
            RnnOutput<float> target = {made + direction * rnn.projected, 0, width};
            if (last && rnn.batch_first) target = {target.out, width, steps.count() * width};
            layers[static_cast<size_t>(index)]->run(
                steps, direction == 1, rows, h + index * rnn.batch * rnn.projected,
                c ? c + index * rnn.batch * rnn.hidden : nullptr, target);
          }
          rows = made;
        }
      },
      cost));
  return true;
}

bool lower_lstm(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  const TensorList hx = Unbox<TensorList>::get(in[1]);
  return record_rnn(recorder, RnnKind::lstm, in, lstm_states(hx), out);
}

template <RnnKind kKind>
bool lower_rnn(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  const Tensor* const states[] = {&in[1].tensor()};
  return record_rnn(recorder, kKind, in, states, out);
}

INGOT_OP(
    "aten::lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, "
    "int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> "
    "(Tensor, Tensor, Tensor)",
    Structured<lstm_meta, lstm, lower_lstm>);
INGOT_OP(
    "aten::gru.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, "
    "int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> "
    "(Tensor, Tensor)",
    Structured<rnn_meta<RnnKind::gru>, rnn_op<RnnKind::gru>, lower_rnn<RnnKind::gru>>);
INGOT_OP(
    "aten::rnn_tanh.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, "
    "int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> "
    "(Tensor, Tensor)",
    Structured<rnn_meta<RnnKind::tanh>, rnn_op<RnnKind::tanh>, lower_rnn<RnnKind::tanh>>);
INGOT_OP(
    "aten::rnn_relu.input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, "
    "int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> "
    "(Tensor, Tensor)",
    Structured<rnn_meta<RnnKind::relu>, rnn_op<RnnKind::relu>, lower_rnn<RnnKind::relu>>);

// --- packed sequences: rows of all steps, batch_sizes says how many each step has --------------

Rnn packed_rnn(RnnKind kind, const Tensor& data, const Tensor& batch_sizes,
               std::span<const Tensor* const> hx, const TensorList& params, bool has_biases,
               int64_t num_layers, double dropout, bool train, bool bidirectional) {
  INGOT_CHECK(data.rank() == 2, "expected packed data with 2 dimensions, but got ", data);
  INGOT_CHECK(
      batch_sizes.rank() == 1 && batch_sizes.dtype() == DType::i64 && batch_sizes.size(0) > 0,
      "expected batch_sizes as i64 vector, but got ", batch_sizes);
  INGOT_CHECK(hx.front()->rank() == 3, "expected hx with 3 dimensions, but got ", *hx.front());
  return checked_rnn(kind, data.dtype(), hx.front()->size(1), data.size(1), hx, params, has_biases,
                     num_layers, dropout, train, bidirectional, false);
}

RnnSteps packed_steps(const Rnn& rnn, const Tensor& data, const Tensor& batch_sizes) {
  const Tensor dense = batch_sizes.contiguous();
  RnnSteps steps;
  steps.offsets.push_back(0);
  int64_t before = rnn.batch;
  for (int64_t t = 0; t < dense.numel(); ++t) {
    const int64_t rows = dense.data<int64_t>()[t];
    INGOT_CHECK(rows > 0 && rows <= before && (t > 0 || rows == rnn.batch),
                "batch_sizes must begin with the batch of hx, ", rnn.batch,
                ", and never rise, but has ", rows, " at ", t);
    INGOT_CHECK(rows <= data.size(0) - steps.offsets.back(),
                "batch_sizes counts more rows than "
                "the ",
                data.size(0), " of data");
    steps.offsets.push_back(steps.offsets.back() + rows);
    before = rows;
  }
  INGOT_CHECK(steps.rows() == data.size(0), "batch_sizes counts ", steps.rows(),
              " rows, but data has ", data.size(0));
  return steps;
}

TensorInfo packed_output(const Rnn& rnn, const Tensor& data) {
  return {data.dtype(), {data.size(0), rnn.projected * rnn.directions}};
}

std::array<TensorInfo, 3> lstm_packed_meta(const Tensor& data, const Tensor& batch_sizes,
                                           const TensorList& hx, const TensorList& params,
                                           bool has_biases, int64_t num_layers, double dropout,
                                           bool train, bool bidirectional) {
  const Rnn rnn = packed_rnn(RnnKind::lstm, data, batch_sizes, lstm_states(hx), params, has_biases,
                             num_layers, dropout, train, bidirectional);
  return {packed_output(rnn, data), hx[0].info(), hx[1].info()};
}

void lstm_packed(const Tensor& data, const Tensor& batch_sizes, const TensorList& hx,
                 const TensorList& params, bool has_biases, int64_t num_layers, double dropout,
                 bool train, bool bidirectional, Tensor& output, Tensor& h_n, Tensor& c_n) {
  const Rnn rnn = packed_rnn(RnnKind::lstm, data, batch_sizes, lstm_states(hx), params, has_biases,
                             num_layers, dropout, train, bidirectional);
  run(rnn, packed_steps(rnn, data, batch_sizes), step_major(rnn, data), params, hx[0], &hx[1],
      output, h_n, &c_n);
}

template <RnnKind kKind>
std::array<TensorInfo, 2> rnn_packed_meta(const Tensor& data, const Tensor& batch_sizes,
                                          const Tensor& hx, const TensorList& params,
                                          bool has_biases, int64_t num_layers, double dropout,
                                          bool train, bool bidirectional) {
  const Tensor* const states[] = {&hx};
  const Rnn rnn = packed_rnn(kKind, data, batch_sizes, states, params, has_biases, num_layers,
                             dropout, train, bidirectional);
  return {packed_output(rnn, data), hx.info()};
}

template <RnnKind kKind>
void rnn_packed(const Tensor& data, const Tensor& batch_sizes, const Tensor& hx,
                const TensorList& params, bool has_biases, int64_t num_layers, double dropout,
                bool train, bool bidirectional, Tensor& output, Tensor& h_n) {
  const Tensor* const states[] = {&hx};
  const Rnn rnn = packed_rnn(kKind, data, batch_sizes, states, params, has_biases, num_layers,
                             dropout, train, bidirectional);
  run(rnn, packed_steps(rnn, data, batch_sizes), step_major(rnn, data), params, hx, nullptr, output,
      h_n, nullptr);
}

INGOT_OP(
    "aten::lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, Tensor[] params, "
    "bool has_biases, int num_layers, float dropout, bool train, bool bidirectional) -> "
    "(Tensor, Tensor, Tensor)",
    Structured<lstm_packed_meta, lstm_packed>);
INGOT_OP(
    "aten::gru.data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, "
    "bool has_biases, int num_layers, float dropout, bool train, bool bidirectional) -> "
    "(Tensor, Tensor)",
    Structured<rnn_packed_meta<RnnKind::gru>, rnn_packed<RnnKind::gru>>);
INGOT_OP(
    "aten::rnn_tanh.data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, "
    "bool has_biases, int num_layers, float dropout, bool train, bool bidirectional) -> "
    "(Tensor, Tensor)",
    Structured<rnn_packed_meta<RnnKind::tanh>, rnn_packed<RnnKind::tanh>>);
INGOT_OP(
    "aten::rnn_relu.data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, "
    "bool has_biases, int num_layers, float dropout, bool train, bool bidirectional) -> "
    "(Tensor, Tensor)",
    Structured<rnn_packed_meta<RnnKind::relu>, rnn_packed<RnnKind::relu>>);

// --- cells --------------------------------------------------------------------------------------

void check_cell(RnnKind kind, const Tensor& input, const Tensor& hx, const Tensor* cx,
                const Tensor& w_ih, const Tensor& w_hh, const Tensor* b_ih, const Tensor* b_hh) {
  INGOT_CHECK(input.rank() == 2 && hx.rank() == 2,
              "expected input and hx with 2 dimensions, but "
              "got ",
              input, " and ", hx);
  const int64_t rows = gates_of(kind) * hx.size(1);
  check_size(hx, {input.size(0), hx.size(1)}, "hx");
  if (cx) check_size(*cx, {input.size(0), hx.size(1)}, "cx");
  check_size(w_ih, {rows, input.size(1)}, "w_ih");
  check_size(w_hh, {rows, hx.size(1)}, "w_hh");
  INGOT_CHECK((b_ih == nullptr) == (b_hh == nullptr), "b_ih and b_hh must both be given or None");
  INGOT_CHECK(is_floating(input.dtype()), "expected a floating-point input, but got ", input);
  for (const Tensor* bias : {b_ih, b_hh})
    if (bias) check_size(*bias, {rows}, "bias");
  for (const Tensor* tensor : {&hx, cx, &w_ih, &w_hh, b_ih, b_hh})
    INGOT_CHECK(!tensor || tensor->dtype() == input.dtype(), "expected tensors of dtype ",
                input.dtype(), ", as input has, but got ", *tensor);
}

void run_cell(RnnKind kind, const Tensor& input, const Tensor& hx, const Tensor* cx,
              const Tensor& w_ih, const Tensor& w_hh, const Tensor* b_ih, const Tensor* b_hh,
              Tensor& h_next, Tensor* c_next) {
  const DType compute = compute_dtype(input.dtype());
  const int64_t hidden = hx.size(1);
  const RnnSteps steps = {{0, input.size(0)}};
  const Tensor x = as_dense(input, compute), w1 = as_dense(w_ih, compute),
               w2 = as_dense(w_hh, compute), b1 = as_dense(b_ih, compute),
               b2 = as_dense(b_hh, compute);
  Tensor h = Tensor::empty(compute, hx.sizes());
  copy_into(hx, h);
  ComputeOutput out(h_next, compute), c(c_next ? *c_next : h_next, compute);
  if (c_next) copy_into(*cx, c.tensor());
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    run_rnn<T>(kind, steps, false, input.size(1), hidden, hidden, x.data<T>(),
               {w1.data<T>(), w2.data<T>(), data_or_null<T>(b1), data_or_null<T>(b2), nullptr},
               h.data<T>(), c_next ? c.data<T>() : nullptr, {out.data<T>(), 0, hidden});
  });
  out.store();
  if (c_next) c.store();
}

std::array<TensorInfo, 2> lstm_cell_meta(const Tensor& input, const TensorList& hx,
                                         const Tensor& w_ih, const Tensor& w_hh, const Tensor* b_ih,
                                         const Tensor* b_hh) {
  lstm_states(hx);
  check_cell(RnnKind::lstm, input, hx[0], &hx[1], w_ih, w_hh, b_ih, b_hh);
  return {hx[0].info(), hx[1].info()};
}

void lstm_cell(const Tensor& input, const TensorList& hx, const Tensor& w_ih, const Tensor& w_hh,
               const Tensor* b_ih, const Tensor* b_hh, Tensor& h_next, Tensor& c_next) {
  run_cell(RnnKind::lstm, input, hx[0], &hx[1], w_ih, w_hh, b_ih, b_hh, h_next, &c_next);
}

template <RnnKind kKind>
TensorInfo cell_meta(const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh,
                     const Tensor* b_ih, const Tensor* b_hh) {
  check_cell(kKind, input, hx, nullptr, w_ih, w_hh, b_ih, b_hh);
  return hx.info();
}

template <RnnKind kKind>
void cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh,
          const Tensor* b_ih, const Tensor* b_hh, Tensor& h_next) {
  run_cell(kKind, input, hx, nullptr, w_ih, w_hh, b_ih, b_hh, h_next, nullptr);
}

INGOT_OP(
    "aten::lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, "
    "Tensor? b_hh=None) -> (Tensor, Tensor)",
    Structured<lstm_cell_meta, lstm_cell>);
INGOT_OP(
    "aten::gru_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, "
    "Tensor? b_hh=None) -> Tensor",
    Structured<cell_meta<RnnKind::gru>, cell<RnnKind::gru>>);
INGOT_OP(
    "aten::rnn_tanh_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, "
    "Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor",
    Structured<cell_meta<RnnKind::tanh>, cell<RnnKind::tanh>>);
INGOT_OP(
    "aten::rnn_relu_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, "
    "Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor",
    Structured<cell_meta<RnnKind::relu>, cell<RnnKind::relu>>);

}  // namespace

}  // namespace ingot
