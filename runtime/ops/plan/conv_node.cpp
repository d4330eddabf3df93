#include "ops/plan/conv_node.h"

#include <algorithm>

#include <ingot/check.h>
#include "kernels/conv_nhwc.h"
#include "kernels/conv_transpose_nhwc.h"
#include "kernels/simd.h"
#include "ops/plan/matrix_node.h"

namespace ingot::plan {
namespace {

// The two kinds of packed weights behind one interface.
struct Convolution {
  using Packed = PackedConv;
  static constexpr const char* kName = "conv";
  static std::shared_ptr<const Packed> pack(const ConvGeometry& g, Precision precision,
                                            const float* weight, const float* scale) {
    return Packed::pack(g, choose_conv_method(g, precision), weight, scale, precision);
  }
  static int64_t variant(const ConvGeometry& g, Precision precision) {
    return static_cast<int64_t>(choose_conv_method(g, precision));
  }
  static std::string describe(const ConvGeometry& g, Precision precision) {
    const ConvMethod method = choose_conv_method(g, precision);
    const bool f32 = precision_of(method, precision) == Precision::f32;
    return concat(name_of(method), f32 ? "" : " bf16");
  }
  static size_t workspace(const ConvGeometry& g, const Packed& packed) {
    return conv_workspace(g, packed);
  }
  static constexpr auto run = conv_nhwc;
};

struct Transposed {
  using Packed = PackedConvTranspose;
  static constexpr const char* kName = "conv_transpose";
  static std::shared_ptr<const Packed> pack(const ConvGeometry& g, Precision, const float* weight,
                                            const float* scale) {
    return Packed::pack(g, weight, scale);
  }
  static int64_t variant(const ConvGeometry&, Precision) { return 0; }
  static std::string describe(const ConvGeometry&, Precision) { return "phases"; }
  static size_t workspace(const ConvGeometry& g, const Packed& packed) {
    return conv_transpose_workspace(g, packed);
  }
  static constexpr auto run = conv_transpose_nhwc;
};

template <class Kind>
class ConvStep;

template <class Kind>
class ConvNode final : public MatrixNode {
 public:
  ConvNode(Recorder& recorder, const ConvGeometry& geometry, Tensor input, Tensor weight,
           Tensor bias, Tensor out)
      : MatrixNode(recorder.weights(), geometry.out_channels, std::move(bias), std::move(out)),
        precision_(recorder.precision()),
        geometry_(geometry),
        input_(std::move(input)),
        weight_(std::move(weight)) {}

  std::unique_ptr<Step> make(Layout& layout) const override {
    return std::make_unique<ConvStep<Kind>>(*this, layout);
  }
  size_t workspace() const override { return Kind::workspace(geometry_, packed()); }
  std::string describe() const override {
    const ConvGeometry& g = geometry_;
    const int64_t stride = std::max(g.stride[1], g.stride[2]);
    return concat(Kind::kName, " ", g.kernel[1], "x", g.kernel[2],
                  stride == 1 ? "" : concat("/", stride), " ", Kind::describe(g, precision_), " ",
                  input_.sizes(), " -> ", g.out_channels, " ", describe_finish());
  }
  // A product per element of the weights and, without the stride's, of the smaller image.
  Cost cost() const override {
    Cost cost = Node::cost();
    const int64_t pixels = std::min(volume_of(geometry_.in), volume_of(geometry_.out));
    cost.flops =
        2.0 * static_cast<double>(geometry_.batch * pixels) * static_cast<double>(weight_.numel());
    return cost;
  }

 private:
  friend class ConvStep<Kind>;
  std::vector<Tensor> operands() const override { return {input_, weight_}; }

  const typename Kind::Packed& packed() const {
    if (packed_) return *packed_;
    std::vector<Tensor> tensors = fold_tensors();
    tensors.push_back(weight_);
    std::vector<int64_t> numbers = fold_numbers();
    const ConvGeometry& g = geometry_;
    for (const int64_t number :
         {Kind::variant(g, precision_), g.groups, g.stride[0], g.stride[1], g.stride[2],
          static_cast<int64_t>(simd_level()), static_cast<int64_t>(precision_)})
      numbers.push_back(number);
    packed_ =
        weights().template get<typename Kind::Packed>(std::move(tensors), std::move(numbers), [&] {
          const std::vector<float> scale = fold_scale();
          const Tensor weight = weight_.contiguous();
          return Kind::pack(g, precision_, weight.data<float>(),
                            scale.empty() ? nullptr : scale.data());
        });
    return *packed_;
  }

  Precision precision_;
  ConvGeometry geometry_;
  Tensor input_;
  Tensor weight_;
  mutable std::shared_ptr<const typename Kind::Packed> packed_;  // once fusion is done
};

template <class Kind>
class ConvStep final : public Step {
 public:
  ConvStep(const ConvNode<Kind>& node, Layout& layout)
      : geometry_(node.geometry_),
        input_(layout.place(node.input_)),
        out_(layout.place(node.product())),
        workspace_(node.workspace() ? layout.workspace() : Place{}),
        packed_(node.packed_),
        finish_(node, layout) {}

  void run(const Memory& memory) const override {
    MatrixNode::Finish::Context context;
    Kind::run(geometry_, *packed_, memory.at<const float>(input_), geometry_.in_channels,
              memory.at<float>(out_), geometry_.out_channels, finish_.epilogue(memory, context),
              memory.at<void>(workspace_));
  }

 private:
  ConvGeometry geometry_;
  Place input_;
  Place out_;
  Place workspace_;
  std::shared_ptr<const typename Kind::Packed> packed_;
  MatrixNode::Finish finish_;
};

}  // namespace

Tensor record_convolution(Recorder& recorder, const ConvGeometry& geometry, bool transposed,
                          const Tensor& input, const Tensor& weight, const Tensor& bias,
                          const Dims& sizes) {
  if (!recorder.prefers_channels_last() || is_constant(input) || !is_constant(weight) ||
      input.dtype() != DType::f32 || (bias.defined() && !is_constant(bias)) ||
      sizes.size() != weight.rank())
    return {};
  const Tensor pixels = recorder.channels_last(input);
  Tensor out = recorder.fresh(DType::f32, sizes, channels_last_strides(sizes));
  if (transposed)
    recorder.add(
        std::make_unique<ConvNode<Transposed>>(recorder, geometry, pixels, weight, bias, out));
  else
    recorder.add(
        std::make_unique<ConvNode<Convolution>>(recorder, geometry, pixels, weight, bias, out));
  return out;
}

}  // namespace ingot::plan
