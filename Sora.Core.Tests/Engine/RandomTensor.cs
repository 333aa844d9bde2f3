using Sora.Latents;

namespace Sora.Tests.Engine;

/// <summary>Standard normal tensors, the same in every run.</summary>
internal static class RandomTensor
{
    public static Tensor Create(ulong seed, params long[] shape)
    {
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        new GaussianNoise(seed, "test").Fill(values);
        return tensor(values, shape);
    }

    /// <summary>The greatest absolute difference; NaN where one has a NaN.</summary>
    public static float Distance(Tensor a, Tensor b) => (a.to(float32) - b.to(float32)).abs().max().item<float>();
}
