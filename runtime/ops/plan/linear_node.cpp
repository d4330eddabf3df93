#include "ops/plan/linear_node.h"

#include <ingot/check.h>
#include "kernels/packed_gemm.h"
#include "ops/plan/matrix_node.h"

namespace ingot::plan {
namespace {

class LinearNode final : public MatrixNode {
 public:
  LinearNode(Recorder& recorder, Tensor input, Tensor weight, Tensor bias, Tensor out)
      : MatrixNode(recorder.weights(), weight.size(1), std::move(bias), std::move(out)),
        precision_(recorder.precision()),
        input_(std::move(input)),
        weight_(std::move(weight)) {}

  std::unique_ptr<Step> make(Layout& layout) const override;
  std::string describe() const override {
    return concat("linear ", precision_ == Precision::f32 ? "" : "bf16 ", "[", rows(), ", ",
                  weight_.size(0), "] x [", weight_.size(0), ", ", columns(), "] ",
                  describe_finish());
  }
  Cost cost() const override {
    Cost cost = Node::cost();
    cost.flops = 2.0 * static_cast<double>(rows()) * static_cast<double>(weight_.numel());
    return cost;
  }

 private:
  friend class LinearStep;
  std::vector<Tensor> operands() const override { return {input_, weight_}; }
  int64_t rows() const { return columns() ? product().numel() / columns() : 0; }
  std::shared_ptr<const PackedMatrix> packed() const;

  Precision precision_;
  Tensor input_;
  Tensor weight_;
};

class LinearStep final : public Step {
 public:
  LinearStep(const LinearNode& node, Layout& layout)
      : rows_(node.rows()),
        columns_(node.columns()),
        row_stride_(*row_stride(node.input_)),
        input_(layout.place(node.input_)),
        out_(layout.place(node.product())),
        packed_(node.packed()),
        finish_(node, layout) {}

  void run(const Memory& memory) const override {
    MatrixNode::Finish::Context context;
    gemm_packed(rows_, memory.at<const float>(input_), row_stride_, *packed_,
                memory.at<float>(out_), columns_, finish_.epilogue(memory, context));
  }

 private:
  int64_t rows_;
  int64_t columns_;
  int64_t row_stride_;
  Place input_;
  Place out_;
  std::shared_ptr<const PackedMatrix> packed_;
  MatrixNode::Finish finish_;
};

std::shared_ptr<const PackedMatrix> LinearNode::packed() const {
  std::vector<Tensor> tensors = fold_tensors();
  tensors.push_back(weight_);
  std::vector<int64_t> numbers = fold_numbers();
  numbers.push_back(static_cast<int64_t>(simd_level()));
  numbers.push_back(static_cast<int64_t>(precision_));
  return weights().get<PackedMatrix>(std::move(tensors), std::move(numbers), [&] {
    const std::vector<float> scale = fold_scale();
    return PackedMatrix::pack(weight_.size(0), weight_.size(1),
                              {weight_.data<float>(), weight_.stride(0), weight_.stride(1)},
                              scale.empty() ? nullptr : scale.data(), precision_);
  });
}

std::unique_ptr<Step> LinearNode::make(Layout& layout) const {
  return std::make_unique<LinearStep>(*this, layout);
}

}  // namespace

Tensor record_product(Recorder& recorder, const Tensor& input, const Tensor& weight,
                      const Tensor& bias) {
  if (is_constant(input) || !is_constant(weight) || weight.rank() != 2 || input.rank() < 1 ||
      input.dtype() != DType::f32 || weight.dtype() != DType::f32)
    return {};
  const bool plain_bias = !bias.defined() || (is_constant(bias) && bias.dtype() == DType::f32 &&
                                              bias.rank() == 1 && bias.size(0) == weight.size(1));
  if (!plain_bias) return {};
  Dims sizes = input.sizes();
  sizes.back() = weight.size(1);
  const Tensor rows = recorder.rows(input);
  Tensor out = recorder.fresh(DType::f32, sizes);
  recorder.add(std::make_unique<LinearNode>(recorder, rows, weight, bias, out));
  return out;
}

}  // namespace ingot::plan
