// Normalisation of channels: aten::batch_norm with its native forms, and aten::instance_norm.
#include <bit>
#include <cmath>
#include <vector>

#include "kernels/norm.h"
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/norm.h"
#include "ops/plan/recorder.h"

namespace ingot {

namespace {

// input seen as [images, channels, plane]. One dimension without elements has no channels.
struct ChannelShape {
  int64_t images;
  int64_t channels;
  int64_t plane;
};

ChannelShape channel_shape(const Tensor& input) {
  ChannelShape shape = {input.size(0), input.rank() > 1 ? input.size(1) : 0, 1};
  for (int d = 2; d < input.rank(); ++d) shape.plane *= input.size(d);
  return shape;
}

void check_channels(const Tensor& input, const Tensor* weight, const Tensor* bias,
                    const Tensor* running_mean, const Tensor* running_var,
                    bool use_input_statistics) {
  INGOT_CHECK(input.rank() >= 2 || (input.rank() == 1 && input.numel() == 0),
              "expected input with at least 2 dimensions, but got ", input);
  const int64_t channels = channel_shape(input).channels;
  const auto check_size = [&](const Tensor* parameter, const char* name) {
    INGOT_CHECK(!parameter || (parameter->rank() == 1 && parameter->size(0) == channels),
                "expected ", name, " of size [", channels, "] for input ", input.sizes(),
                ", but got ", parameter->sizes());
  };
  check_size(weight, "weight");
  check_size(bias, "bias");
  check_size(running_mean, "running_mean");
  check_size(running_var, "running_var");
  INGOT_CHECK(use_input_statistics || (running_mean && running_var),
              "running_mean and running_var are needed when the statistics are not the input's");
  check_norm_dtypes(input, weight, bias);
}

std::vector<Moments> given_moments(const Tensor& running_mean, const Tensor& running_var) {
  const Tensor mean = as_dense(running_mean, DType::f64), var = as_dense(running_var, DType::f64);
  std::vector<Moments> moments(static_cast<size_t>(mean.numel()));
  for (size_t i = 0; i < moments.size(); ++i)
    moments[i] = {mean.data<double>()[i], var.data<double>()[i]};
  return moments;
}

// `running`, moved towards `value(channel)` by `momentum`.
template <class Value>
Tensor moved(const Tensor& running, double momentum, Value&& value) {
  Tensor next = running.to(DType::f64).clone();
  double* data = next.data<double>();
  for (int64_t i = 0; i < next.numel(); ++i)
    data[i] = (1 - momentum) * data[i] + momentum * value(static_cast<size_t>(i));
  return next;
}

Tensor moved_mean(const Tensor& running, double momentum, const std::vector<Moments>& moments) {
  return moved(running, momentum, [&](size_t i) { return moments[i].mean; });
}

// Running variances are unbiased: divided by count - 1.
Tensor moved_variance(const Tensor& running, double momentum, const std::vector<Moments>& moments,
                      int64_t count) {
  const double unbias = static_cast<double>(count) / static_cast<double>(count - 1);
  return moved(running, momentum, [&](size_t i) { return moments[i].variance * unbias; });
}

void write_statistics(const Tensor* running, const Tensor& next) {
  if (!running) return;
  INGOT_CHECK(running->writable(), "the running statistics are read-only memory");
  Tensor target = *running;
  copy_into(next, target);
}

void save(const std::vector<Moments>& moments, double eps, Tensor& mean, Tensor& invstd) {
  ComputeOutput means(mean, DType::f64), invstds(invstd, DType::f64);
  for (size_t i = 0; i < moments.size(); ++i) {
    means.data<double>()[i] = moments[i].mean;
    invstds.data<double>()[i] = 1 / std::sqrt(moments[i].variance + eps);
  }
  means.store();
  invstds.store();
}

// Normalises `input`, whose channels may be repeated for every image (instance_norm), and
// returns the moments used.
std::vector<Moments> normalize(const ChannelShape& shape, const Tensor& input, const Tensor& weight,
                               const Tensor& bias, std::vector<Moments> moments, double eps,
                               Tensor& out) {
  ComputeOutput result(out);
  const DType compute = result.tensor().dtype();
  const Tensor x = as_dense(input, compute);
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    if (moments.empty()) {
      moments.resize(static_cast<size_t>(shape.channels));
      channel_moments(shape.images, shape.channels, shape.plane, x.data<T>(), moments.data());
    }
    normalize_channels(shape.images, shape.channels, shape.plane, x.data<T>(), moments.data(),
                       data_or_null<T>(weight), data_or_null<T>(bias), eps, result.data<T>());
  });
  result.store();
  return moments;
}

// Batch normalisation. With `training` the input's moments, else the running ones.
std::vector<Moments> batch_normalize(const Tensor& input, const Tensor* weight, const Tensor* bias,
                                     const Tensor* running_mean, const Tensor* running_var,
                                     bool training, double eps, Tensor& out) {
  const DType compute = compute_dtype(input.dtype());
  return normalize(channel_shape(input), input, as_dense(weight, compute), as_dense(bias, compute),
                   training ? std::vector<Moments>() : given_moments(*running_mean, *running_var),
                   eps, out);
}

void update_running(const Tensor& input, const Tensor* running_mean, const Tensor* running_var,
                    double momentum, const std::vector<Moments>& moments) {
  const ChannelShape shape = channel_shape(input);
  if (running_mean) write_statistics(running_mean, moved_mean(*running_mean, momentum, moments));
  if (running_var)
    write_statistics(running_var,
                     moved_variance(*running_var, momentum, moments, shape.images * shape.plane));
}

// --- batch_norm -----------------------------------------------------------------------------

TensorInfo batch_norm_meta(const Tensor& input, const Tensor* weight, const Tensor* bias,
                           const Tensor* running_mean, const Tensor* running_var, bool training,
                           double, double, bool) {
  check_channels(input, weight, bias, running_mean, running_var, training);
  return input.info();
}

void batch_norm(const Tensor& input, const Tensor* weight, const Tensor* bias,
                const Tensor* running_mean, const Tensor* running_var, bool training,
                double momentum, double eps, bool, Tensor& out) {
  const std::vector<Moments> moments =
      batch_normalize(input, weight, bias, running_mean, running_var, training, eps, out);
  if (training) update_running(input, running_mean, running_var, momentum, moments);
}

// The fixed statistics and parameters as one factor and one addend per channel, [C, 1, ...].
Tensor channel_vector(plan::Recorder& recorder, const Arguments& in, double eps, bool addend) {
  const Tensor& input = in[0].tensor();
  const auto constant = [&](size_t k) { return in[k].is_none() ? Tensor() : in[k].tensor(); };
  const Tensor weight = constant(1), bias = constant(2), mean = constant(3), var = constant(4);
  const auto vector = recorder.weights().get<Tensor>(
      {weight, bias, mean, var}, {std::bit_cast<int64_t>(eps), addend}, [&] {
        const Tensor means = as_dense(mean, DType::f64), variances = as_dense(var, DType::f64);
        const Tensor factors = as_dense(weight.defined() ? &weight : nullptr, DType::f64);
        const Tensor addends = as_dense(bias.defined() ? &bias : nullptr, DType::f64);
        auto result = std::make_shared<Tensor>(Tensor::empty(DType::f32, mean.sizes()));
        for (int64_t c = 0; c < mean.numel(); ++c) {
          const double factor = (weight.defined() ? factors.data<double>()[c] : 1) /
                                std::sqrt(variances.data<double>()[c] + eps);
          const double shift = bias.defined() ? addends.data<double>()[c] : 0;
          result->data<float>()[c] =
              static_cast<float>(addend ? shift - means.data<double>()[c] * factor : factor);
        }
        return result;
      });
  Dims sizes = Dims::filled(input.rank() - 1, 1);
  sizes[0] = vector->numel();
  Dims strides = Dims::filled(input.rank() - 1, 1);
  return vector->as_strided(sizes, strides, 0);
}

// With fixed statistics: a product and a sum per channel, which fuse with what is around them.
bool lower_fixed_statistics(plan::Recorder& recorder, const Arguments& in, double eps,
                            Tensor* out) {
  for (size_t k = 1; k <= 4; ++k)
    if (!in[k].is_none() && !plan::is_constant(in[k].tensor())) return false;
  if (in[0].tensor().dtype() != DType::f32) return false;
  const Tensor scaled = recorder.elementwise("aten::mul.Tensor", in[0].tensor(),
                                             channel_vector(recorder, in, eps, false));
  *out = recorder.elementwise("aten::add.Tensor", scaled, channel_vector(recorder, in, eps, true));
  return true;
}

bool lower_batch_norm(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  // Training also writes the running statistics: the interpreter's work.
  if (in[5].to_bool()) throw DataDependent();
  return lower_fixed_statistics(recorder, in, in[7].to_double(), out);
}

bool lower_no_training(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  if (!lower_fixed_statistics(recorder, in, in[6].to_double(), out)) return false;
  // The statistics that training would save are empty.
  for (size_t k = 1; k < 3; ++k) out[k] = recorder.fresh(DType::f32, Dims{0});
  return true;
}

bool refuse_training(plan::Recorder&, const Arguments& in, Tensor*) {
  if (in[5].to_bool()) throw DataDependent();
  return false;
}

INGOT_OP(
    "aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
    "Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> "
    "Tensor",
    Structured<batch_norm_meta, batch_norm, lower_batch_norm>);

// Sizes of the saved statistics: none unless they were computed.
std::array<TensorInfo, 3> native_batch_norm_meta(const Tensor& input, const Tensor* weight,
                                                 const Tensor* bias, const Tensor* running_mean,
                                                 const Tensor* running_var, bool training, double,
                                                 double) {
  check_channels(input, weight, bias, running_mean, running_var, training);
  const TensorInfo statistics =
      training ? TensorInfo{statistics_dtype(input, weight, bias), {channel_shape(input).channels}}
               : TensorInfo{input.dtype(), {0}};
  return {input.info(), statistics, statistics};
}

void native_batch_norm(const Tensor& input, const Tensor* weight, const Tensor* bias,
                       const Tensor* running_mean, const Tensor* running_var, bool training,
                       double momentum, double eps, Tensor& out, Tensor& save_mean,
                       Tensor& save_invstd) {
  const std::vector<Moments> moments =
      batch_normalize(input, weight, bias, running_mean, running_var, training, eps, out);
  if (!training) return;
  save(moments, eps, save_mean, save_invstd);
  update_running(input, running_mean, running_var, momentum, moments);
}

INGOT_OP(
    "aten::native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, "
    "Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps) -> "
    "(Tensor, Tensor, Tensor)",
    Structured<native_batch_norm_meta, native_batch_norm, refuse_training>);

std::array<TensorInfo, 3> legit_meta(const Tensor& input, const Tensor* weight, const Tensor* bias,
                                     const Tensor& running_mean, const Tensor& running_var,
                                     bool training, double momentum, double eps) {
  return native_batch_norm_meta(input, weight, bias, &running_mean, &running_var, training,
                                momentum, eps);
}

void legit(const Tensor& input, const Tensor* weight, const Tensor* bias,
           const Tensor& running_mean, const Tensor& running_var, bool training, double momentum,
           double eps, Tensor& out, Tensor& save_mean, Tensor& save_invstd) {
  native_batch_norm(input, weight, bias, &running_mean, &running_var, training, momentum, eps, out,
                    save_mean, save_invstd);
}

std::array<TensorInfo, 3> legit_no_training_meta(const Tensor& input, const Tensor* weight,
                                                 const Tensor* bias, const Tensor& running_mean,
                                                 const Tensor& running_var, double momentum,
                                                 double eps) {
  return legit_meta(input, weight, bias, running_mean, running_var, false, momentum, eps);
}

void legit_no_training(const Tensor& input, const Tensor* weight, const Tensor* bias,
                       const Tensor& running_mean, const Tensor& running_var, double momentum,
                       double eps, Tensor& out, Tensor& save_mean, Tensor& save_invstd) {
  legit(input, weight, bias, running_mean, running_var, false, momentum, eps, out, save_mean,
        save_invstd);
}

std::array<TensorInfo, 3> legit_no_stats_meta(const Tensor& input, const Tensor* weight,
                                              const Tensor* bias, bool training, double momentum,
                                              double eps) {
  return native_batch_norm_meta(input, weight, bias, nullptr, nullptr, training, momentum, eps);
}

void legit_no_stats(const Tensor& input, const Tensor* weight, const Tensor* bias, bool training,
                    double momentum, double eps, Tensor& out, Tensor& save_mean,
                    Tensor& save_invstd) {
  native_batch_norm(input, weight, bias, nullptr, nullptr, training, momentum, eps, out, save_mean,
                    save_invstd);
}

std::array<TensorInfo, 5> legit_functional_meta(const Tensor& input, const Tensor* weight,
                                                const Tensor* bias, const Tensor& running_mean,
                                                const Tensor& running_var, bool training,
                                                double momentum, double eps) {
  const std::array<TensorInfo, 3> infos =
      legit_meta(input, weight, bias, running_mean, running_var, training, momentum, eps);
  return {infos[0], infos[1], infos[2], running_mean.info(), running_var.info()};
}

void legit_functional(const Tensor& input, const Tensor* weight, const Tensor* bias,
                      const Tensor& running_mean, const Tensor& running_var, bool training,
                      double momentum, double eps, Tensor& out, Tensor& save_mean,
                      Tensor& save_invstd, Tensor& running_mean_out, Tensor& running_var_out) {
  const std::vector<Moments> moments =
      batch_normalize(input, weight, bias, &running_mean, &running_var, training, eps, out);
  if (training) {
    const ChannelShape shape = channel_shape(input);
    save(moments, eps, save_mean, save_invstd);
    copy_into(moved_mean(running_mean, momentum, moments), running_mean_out);
    copy_into(moved_variance(running_var, momentum, moments, shape.images * shape.plane),
              running_var_out);
  } else {
    copy_into(running_mean, running_mean_out);
    copy_into(running_var, running_var_out);
  }
}

INGOT_OP(
    "aten::_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, "
    "Tensor(a!) running_mean, Tensor(b!) running_var, bool training, float momentum, "
    "float eps) -> (Tensor, Tensor, Tensor)",
    Structured<legit_meta, legit>);
INGOT_OP(
    "aten::_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, "
    "bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
    Structured<legit_no_stats_meta, legit_no_stats>);
INGOT_OP(
    "aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, "
    "Tensor running_mean, Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, "
    "Tensor)",
    Structured<legit_no_training_meta, legit_no_training, lower_no_training>);
INGOT_OP(
    "aten::_native_batch_norm_legit_functional(Tensor input, Tensor? weight, Tensor? bias, "
    "Tensor running_mean, Tensor running_var, bool training, float momentum, float eps) -> "
    "(Tensor, Tensor, Tensor, Tensor running_mean_out, Tensor running_var_out)",
    Structured<legit_functional_meta, legit_functional>);

// --- instance_norm ----------------------------------------------------------------------------

TensorInfo instance_norm_meta(const Tensor& input, const Tensor* weight, const Tensor* bias,
                              const Tensor* running_mean, const Tensor* running_var,
                              bool use_input_stats, double, double, bool) {
  check_channels(input, weight, bias, running_mean, running_var, use_input_stats);
  return input.info();
}

// One parameter per channel, repeated for every image.
Tensor repeated(const Tensor* parameter, int64_t images, DType compute) {
  if (!parameter) return Tensor();
  const int64_t channels = parameter->size(0);
  Tensor result = Tensor::empty(compute, {images, channels});
  copy_into(*parameter, result);
  return result;
}

// The mean over all images of every channel's moments.
std::vector<Moments> mean_moments(const ChannelShape& shape, const std::vector<Moments>& moments) {
  std::vector<Moments> means(static_cast<size_t>(shape.channels), Moments{0, 0});
  const double images = static_cast<double>(shape.images);
  for (size_t i = 0; i < moments.size(); ++i) {
    means[i % means.size()].mean += moments[i].mean / images;
    means[i % means.size()].variance += moments[i].variance / images;
  }
  return means;
}

void instance_norm(const Tensor& input, const Tensor* weight, const Tensor* bias,
                   const Tensor* running_mean, const Tensor* running_var, bool use_input_stats,
                   double momentum, double eps, bool, Tensor& out) {
  if (input.numel() == 0) return;
  const ChannelShape shape = channel_shape(input);
  const DType compute = compute_dtype(input.dtype());
  std::vector<Moments> given;
  if (!use_input_stats) {
    const std::vector<Moments> once = given_moments(*running_mean, *running_var);
    for (int64_t i = 0; i < shape.images; ++i) given.insert(given.end(), once.begin(), once.end());
  }
  const ChannelShape flat = {1, shape.images * shape.channels, shape.plane};
  const std::vector<Moments> moments =
      normalize(flat, input, repeated(weight, shape.images, compute),
                repeated(bias, shape.images, compute), std::move(given), eps, out);
  if (!use_input_stats) return;
  const std::vector<Moments> means = mean_moments(shape, moments);
  if (running_mean) write_statistics(running_mean, moved_mean(*running_mean, momentum, means));
  if (running_var)
    write_statistics(running_var, moved_variance(*running_var, momentum, means, shape.plane));
}

INGOT_OP(
    "aten::instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
    "Tensor? running_var, bool use_input_stats, float momentum, float eps, "
    "bool cudnn_enabled) -> Tensor",
    Structured<instance_norm_meta, instance_norm, refuse_training>);

}  // namespace

}  // namespace ingot
