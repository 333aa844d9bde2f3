namespace Sora.Layers;

/// <summary>What a LoRA in training adds to a linear layer: (alpha / rank)·x·Aᵀ·Bᵀ (Hu et al. 2021, "LoRA", section 4.1).</summary>
/// <param name="Down">A, [rank, inputs], float32.</param>
/// <param name="Up">B, [outputs, rank], float32; zero at first, so that training begins at the model as it is.</param>
/// <param name="Factor">alpha / rank.</param>
internal sealed record LowRankPair(Parameter Down, Parameter Up, double Factor)
{
    /// <summary>Maps [..., inputs] to [..., outputs], computed in a type.</summary>
    public Tensor Forward(Tensor x, ScalarType type) =>
        nn.functional.linear(nn.functional.linear(x.to(type), Down.to(type)) * Factor, Up.to(type));
}
