using Sora.Layers;

namespace Sora.Training;

/// <summary>
/// AdamW (Loshchilov and Hutter 2019): Adam with the weight decay apart from the gradient. Its state is plain tensors, so
/// that a checkpoint holds it bit for bit.
/// </summary>
public sealed class AdamW : IDisposable
{
    private readonly Dictionary<string, (Parameter Parameter, Tensor Mean, Tensor Square)> _state = [];
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;
    private readonly double _decay;

    /// <summary>Makes the state of every parameter.</summary>
    /// <param name="parameters">What is trained, by name.</param>
    /// <param name="beta1">The memory of the gradient's mean.</param>
    /// <param name="beta2">The memory of its square.</param>
    /// <param name="epsilon">Added to the root of the square.</param>
    /// <param name="decay">The weight decay of matrices and kernels; vectors are not decayed.</param>
    public AdamW(IEnumerable<KeyValuePair<string, Parameter>> parameters, double beta1 = 0.9, double beta2 = 0.99, double epsilon = 1e-8, double decay = 0)
    {
        (_beta1, _beta2, _epsilon, _decay) = (beta1, beta2, epsilon, decay);
        foreach ((string name, Parameter parameter) in parameters)
            _state.Add(name, (parameter, zeros_like(parameter).DetachFromDisposeScope(), zeros_like(parameter).DetachFromDisposeScope()));
    }

    /// <summary>The number of steps taken.</summary>
    public long Steps { get; private set; }

    /// <summary>Moves every parameter that has a gradient.</summary>
    /// <param name="learningRate">The length of the step.</param>
    public void Step(double learningRate)
    {
        Steps++;
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        double correction1 = 1 - Math.Pow(_beta1, Steps), correction2 = 1 - Math.Pow(_beta2, Steps);
        foreach ((Parameter parameter, Tensor mean, Tensor square) in _state.Values)
        {
            if (parameter.grad is not { } gradient)
                continue;
            double kept = parameter.ndim > 1 ? 1 - (learningRate * _decay) : 1, length = learningRate / correction1;
            FusedKernels.AdamW(parameter, gradient, mean, square, _beta1, _beta2, _epsilon, kept, length, correction2);
        }
    }

    /// <summary>The state by name: <c>NAME.mean</c> and <c>NAME.square</c>.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State()
    {
        foreach ((string name, (_, Tensor mean, Tensor square)) in _state)
        {
            yield return ($"{name}.mean", mean);
            yield return ($"{name}.square", square);
        }
    }

    /// <summary>Goes on from a saved count of steps; the tensors of <see cref="State"/> are filled by the caller.</summary>
    public void Resume(long steps) => Steps = steps;

    /// <summary>Frees the state.</summary>
    public void Dispose()
    {
        foreach ((_, Tensor mean, Tensor square) in _state.Values)
        {
            mean.Dispose();
            square.Dispose();
        }
    }
}
