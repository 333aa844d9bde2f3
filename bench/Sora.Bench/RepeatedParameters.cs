using Sora.Latents;
using Sora.Layers;

namespace Sora.Bench;

/// <summary>
/// Random bfloat16 parameters that take no time to make: one block of normal numbers, repeated. What would start at zero
/// is random too, since products with zeros say nothing about products with numbers.
/// </summary>
/// <param name="weights">The type in which the parameters of products are held.</param>
internal sealed class RepeatedParameters(ScalarType weights = ScalarType.BFloat16) : ParameterSource(weights, bfloat16)
{
    private static readonly float[] s_block = MakeBlock();

    protected override Tensor Create(string name, long[] shape, Initialization initialization, ScalarType type)
    {
        if (initialization.Kind == InitializationKind.Constant && shape.Length == 1)
            return full(shape, initialization.Scale, type, BenchDevice.Current);
        using DisposeScope scope = NewDisposeScope();
        long count = shape.Aggregate(1L, (a, b) => a * b);
        double scale = initialization.Kind == InitializationKind.Constant ? 0.02 : initialization.Scale;
        Tensor block = (tensor(s_block, [s_block.Length]) * scale).to(type);
        Tensor all = block.unsqueeze(0).expand((count + s_block.Length - 1) / s_block.Length, s_block.Length).reshape(-1);
        return scope.MoveToOuter(all.narrow(0, 0, count).clone().view(shape).to(BenchDevice.Current));
    }

    private static float[] MakeBlock()
    {
        // A prime length, so that no row of a matrix equals the one before it.
        var block = new float[65_537];
        new GaussianNoise(1, "parameters").Fill(block);
        return block;
    }
}
