// A step of the graph whose backward pass is managed code: what autograd.SingleTensorFunction stands on.
#include "sora_torch.h"

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

using namespace sora;
using torch::autograd::Edge;
using torch::autograd::Node;
using torch::autograd::variable_list;

namespace {

// Takes the gradient, which it then owns, and gives one gradient for each input, 0 for none; on failure returns -1 and
// puts its message, made by malloc, into the first result.
using Backward = int32_t (*)(int64_t state, int64_t gradient, int64_t* results, int32_t count);
using Release = void (*)(int64_t state);

class ManagedNode : public Node {
public:
    ManagedNode(int64_t state, int32_t inputs, Backward backward, Release release)
        : state_(state), inputs_(inputs), backward_(backward), release_(release) {}

    ~ManagedNode() override { release_(state_); }

    std::string name() const override { return "ManagedNode"; }

    variable_list apply(variable_list&& gradients) override {
        at::Tensor gradient = gradients[0].defined() ? gradients[0] : input_metadata(0).zeros_like();
        std::vector<int64_t> results(static_cast<size_t>(inputs_) + 1, 0);
        if (backward_(state_, give(gradient), results.data(), inputs_) < 0) {
            char* text = reinterpret_cast<char*>(results[0]);
            std::string message(text);
            std::free(text);
            throw std::runtime_error(message);
        }
        variable_list owned(static_cast<size_t>(inputs_));
        for (int32_t i = 0; i < inputs_; i++) {
            if (results[i] != 0)
                owned[i] = at::Tensor(c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim(
                    reinterpret_cast<c10::TensorImpl*>(results[i])));
        }
        return owned;
    }

private:
    int64_t state_;
    int32_t inputs_;
    Backward backward_;
    Release release_;
};

}  // namespace

// The same values as `output`, as the result of a function of the inputs whose backward pass is given. The state is
// released with the graph, and also when this fails.
SORA_API int64_t sora_managed_function(int64_t output, const int64_t* inputs, int32_t count, int64_t state,
                                       Backward backward, Release release) {
    return guarded(
        [&]() -> int64_t {
            std::shared_ptr<ManagedNode> node(new ManagedNode(state, count, backward, release), torch::autograd::deleteNode);
            for (int32_t i = 0; i < count; i++) {
                at::Tensor input = borrow(inputs[i]);
                node->add_next_edge(input.requires_grad() ? torch::autograd::impl::gradient_edge(input) : Edge());
            }
            at::Tensor result = borrow(output).detach();
            uint32_t number = node->add_input_metadata(result);
            torch::autograd::impl::set_gradient_edge(result, Edge(node, number));
            return give(result);
        },
        int64_t{0});
}
