namespace Sora.Layers;

/// <summary>
/// A linear layer's weight in 8-bit whole numbers with a scale for each output. Its products round each row of the input to 8 bits too, by a
/// scale of the row's own (dynamic quantisation of weights and activations, as in Dettmers et al. 2022, arXiv 2208.07339, without its
/// decomposition).
/// </summary>
internal sealed class Int8Weight
{
    private readonly Tensor _values;
    private readonly Tensor _steps;
    private readonly Tensor _sums;

    private Int8Weight(ParameterScope scope, (Tensor Values, Tensor Steps, Tensor Sums) made) =>
        (_values, _steps, _sums) = (scope.Own(made.Values), scope.Own(made.Steps), scope.Own(made.Sums));

    /// <summary>Takes <c>weight</c> [outputs, inputs]; the original is let go.</summary>
    /// <exception cref="SoraException">The weight is not finite.</exception>
    public static Int8Weight Take(ParameterScope scope, long[] shape, Initialization initialization)
    {
        using Tensor weight = scope.WeightOnce("weight", shape, initialization);
        if (!Finite.Is(weight))
            throw new SoraException($"{scope.NameOf("weight")} holds NaN or infinity: the weights are damaged.");
        return new(scope, FusedKernels.Int8Weight(weight));
    }

    /// <summary>x·Wᵀ + b of [N, inputs], in x's type: [N, outputs]. A row that is not finite gives NaN.</summary>
    public Tensor Product(Tensor x, Tensor? bias) => FusedKernels.Int8Linear(x, (_values, _steps, _sums), bias);
}
