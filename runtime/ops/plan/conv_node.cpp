#include "ops/plan/conv_node.h"

#include "base/check.h"
#include "kernels/conv_nhwc.h"
#include "kernels/simd.h"
#include "ops/plan/matrix_node.h"

namespace ingot::plan {
namespace {

class ConvNode final : public MatrixNode {
 public:
  ConvNode(Weights& weights, const ConvGeometry& geometry, Tensor input, Tensor weight, Tensor bias,
           Tensor out)
      : MatrixNode(weights, geometry.out_channels, std::move(bias), std::move(out)),
        geometry_(geometry),
        method_(choose_conv_method(geometry)),
        input_(std::move(input)),
        weight_(std::move(weight)) {}

  std::unique_ptr<Step> make(Layout& layout) const override;
  size_t workspace() const override { return conv_workspace(geometry_, packed()); }
  std::string describe() const override {
    const ConvGeometry& g = geometry_;
    return concat("conv ", g.kernel[1], "x", g.kernel[2], " ", name_of(method_), " ",
                  input_.sizes(), " ", describe_finish());
  }
  Cost cost() const override {
    Cost cost = Node::cost();
    const ConvGeometry& g = geometry_;
    cost.flops = 2.0 * static_cast<double>(g.batch * volume_of(g.out)) *
                 static_cast<double>(weight_.numel());
    return cost;
  }

 private:
  friend class ConvStep;
  std::vector<Tensor> operands() const override { return {input_, weight_}; }
  const PackedConv& packed() const;

  ConvGeometry geometry_;
  ConvMethod method_;
  Tensor input_;
  Tensor weight_;
  mutable std::shared_ptr<const PackedConv> packed_;  // once fusion is done
};

class ConvStep final : public Step {
 public:
  ConvStep(const ConvNode& node, Layout& layout)
      : geometry_(node.geometry_),
        input_(layout.place(node.input_)),
        out_(layout.place(node.product())),
        workspace_(node.workspace() ? layout.workspace() : Place{}),
        packed_(node.packed_),
        finish_(node, layout) {}

  void run(const Memory& memory) const override {
    MatrixNode::Finish::Context context;
    conv_nhwc(geometry_, *packed_, memory.at<const float>(input_), geometry_.in_channels,
              memory.at<float>(out_), geometry_.out_channels, finish_.epilogue(memory, context),
              memory.at<void>(workspace_));
  }

 private:
  ConvGeometry geometry_;
  Place input_;
  Place out_;
  Place workspace_;
  std::shared_ptr<const PackedConv> packed_;
  MatrixNode::Finish finish_;
};

const PackedConv& ConvNode::packed() const {
  if (packed_) return *packed_;
  std::vector<Tensor> tensors = fold_tensors();
  tensors.push_back(weight_);
  std::vector<int64_t> numbers = fold_numbers();
  for (const int64_t number :
       {static_cast<int64_t>(method_), geometry_.groups, static_cast<int64_t>(simd_level())})
    numbers.push_back(number);
  packed_ = weights().get<PackedConv>(std::move(tensors), std::move(numbers), [&] {
    const std::vector<float> scale = fold_scale();
    const Tensor weight = weight_.contiguous();
    return PackedConv::pack(geometry_, method_, weight.data<float>(),
                            scale.empty() ? nullptr : scale.data());
  });
  return *packed_;
}

std::unique_ptr<Step> ConvNode::make(Layout& layout) const {
  return std::make_unique<ConvStep>(*this, layout);
}

}  // namespace

Tensor record_convolution(Recorder& recorder, const ConvGeometry& geometry, const Tensor& input,
                          const Tensor& weight, const Tensor& bias, const Dims& sizes) {
  if (!recorder.prefers_channels_last() || is_constant(input) || !is_constant(weight) ||
      input.dtype() != DType::f32 || (bias.defined() && !is_constant(bias)) ||
      sizes.size() != weight.rank())
    return {};
  const Tensor pixels = recorder.channels_last(input);
  Tensor out = recorder.fresh(DType::f32, sizes, channels_last_strides(sizes));
  recorder.add(std::make_unique<ConvNode>(recorder.weights(), geometry, pixels, weight, bias, out));
  return out;
}

}  // namespace ingot::plan
