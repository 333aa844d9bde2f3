using Sora.Layers;
using Sora.Patches;
using Sora.Transformer;
using Sora.VideoVae;
using Xunit;

namespace Sora.Tests.Engine;

/// <summary>The engine's own kernels against the same operations composed from ordinary operators.</summary>
public class FusedKernelsTests
{
    private const int Heads = 2;
    private const int Width = 40;

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void NormModulateAndAddGated(bool scattered, bool gradients)
    {
        using DisposeScope scope = NewDisposeScope();
        using var sequence = new PackedSequence([new PatchGrid(2, 3, 2)], Width / Heads, CPU);
        float[] times = [.. Enumerable.Range(0, sequence.Layout.Count).Select(i => scattered ? i % 5 : i / 6)];
        TokenTimes tokens = TokenTimes.PerToken(times);
        Modulation modulation = sequence.Modulation(tokens);
        var norm = new LayerNorm(Width, 1e-6);
        long rows = tokens.Times.Length;
        Equal(gradients, [[12, Width], [rows, Width], [rows, Width]],
            t => FusedKernels.NormModulate(t[0], norm, t[1], t[2], modulation, float32),
            t => ComposedKernels.NormModulate(t[0], norm, t[1], t[2], modulation, float32));
        Equal(gradients, [[12, Width], [12, Width], [rows, Width]],
            t => FusedKernels.AddGated(t[0], t[1], t[2], modulation),
            t => ComposedKernels.AddGated(t[0], t[1], t[2], modulation));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RmsNormAlone(bool gradients)
    {
        using DisposeScope scope = NewDisposeScope();
        RmsNorm norm = Norm();
        Equal(gradients, [[12, Width]], t => FusedKernels.RmsNorm(t[0], norm), t => ComposedKernels.RmsNorm(t[0], norm));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RmsNormWithRotaryPositions(bool gradients)
    {
        using DisposeScope scope = NewDisposeScope();
        using var positions = RotaryPositions.Create(new([new(2, 3, 2)]), Width / Heads, CPU);
        RmsNorm norm = Norm();
        Equal(gradients, [[12, Width]],
            t => FusedKernels.RmsNormRotary(t[0], norm, positions, Heads),
            t => ComposedKernels.RmsNormRotary(t[0], norm, positions, Heads));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ChannelNormWithSilu(bool gradients)
    {
        using DisposeScope scope = NewDisposeScope();
        var norm = new ChannelNorm(new ParameterScope(new FreshParameters(1, float32)), 6);
        norm.Gamma.copy_(RandomTensor.Create(5, 6, 1, 1, 1));
        Equal(gradients, [[2, 3, 4, 5, 6]],
            t => FusedKernels.ChannelNorm(t[0], norm, silu: true),
            t => ComposedKernels.ChannelNorm(t[0], norm, silu: true));
    }

    // Whole blocks of 32 rows and columns and parts of them, depths that are summed at once and in parts, with and without what may be left out.
    [Theory]
    [InlineData(64, 96, 64, true, true)]
    [InlineData(45, 50, 72, true, true)]
    [InlineData(45, 50, 72, false, false)]
    [InlineData(70, 33, 1300, true, true)]
    [InlineData(5, 40, 40, true, true)]
    public void ALinearLayerWithWhatFollowsItEqualsOneAfterTheOther(int rows, long outputs, long inputs, bool withBias, bool gated)
    {
        using DisposeScope scope = NewDisposeScope();
        using var sequence = new PackedSequence([new PatchGrid(rows, 1, 1)], Width / Heads, CPU);
        TokenTimes tokens = TokenTimes.PerToken([.. Enumerable.Range(0, rows).Select(i => (float)(i % 3))]);
        Modulation? modulation = gated ? sequence.Modulation(tokens) : null;
        // Every second row of a table, as a block's six vectors are: its rows lie further apart than they are long.
        Tensor? gate = gated ? RandomTensor.Create(5, tokens.Times.Length, 2, outputs).select(1, 0) : null;
        Tensor x = RandomTensor.Create(1, rows, inputs).to(bfloat16), stream = RandomTensor.Create(2, rows, outputs);
        using var parameters = new FreshParameters(3, bfloat16);
        var layer = new Linear(new ParameterScope(parameters), inputs, outputs, withBias);
        if (withBias)
            parameters.Parameters["bias"].copy_(RandomTensor.Create(4, outputs));
        Tensor weight = parameters.Parameters["weight"].to(bfloat16), y = layer.Forward(x);

        // There is no way back for gradients.
        Assert.False(FusedKernels.CanFuseLinear(x, weight));
        using IDisposable noGradients = no_grad();
        Assert.Equal(SystemEngine.HasTiles && rows >= 16, FusedKernels.CanFuseLinear(x, weight));
        // The engine's own GELU, so that not even a rounding differs.
        Assert.Equal(0, RandomTensor.Distance(FusedKernels.Gelu(y), layer.Gelu(x)));
        Assert.Equal(0, RandomTensor.Distance(FusedKernels.Gelu(y).view(1, rows, outputs), layer.Gelu(x.unsqueeze(0))));
        Tensor sum = gate is null || modulation is null ? stream + y : FusedKernels.AddGated(stream, y, gate, modulation);
        Tensor added = layer.AddTo(stream, x, gate, modulation);
        Assert.Equal(float32, added.dtype);
        Assert.InRange(RandomTensor.Distance(sum, added), 0, 1e-6);
        SystemEngine.WithLibraryProducts(() => Assert.False(FusedKernels.CanFuseLinear(x, weight)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gelu(bool gradients)
    {
        using DisposeScope scope = NewDisposeScope();
        Equal(gradients, [[40, 7]], t => FusedKernels.Gelu(t[0] * 3), t => ComposedKernels.Gelu(t[0] * 3));
    }

    // In bfloat16 the sigmoid inside is computed to 13 bits: a result is the nearest number or the one beside it, at any size.
    [Fact]
    public void GeluInBfloat16IsWithinOneStepOfTheExact()
    {
        using DisposeScope scope = NewDisposeScope();
        float[] values = [.. Enumerable.Range(-4000, 8001).Select(i => i / 200f), -1e30f, -1e5f, -300, 300, 1e5f, 1e30f];
        Tensor x = tensor(values).to(bfloat16);
        float[] given = x.to(float32).data<float>().ToArray(), results = FusedKernels.Gelu(x).to(float32).data<float>().ToArray();
        for (int i = 0; i < given.Length; i++)
        {
            double v = given[i], exact = v / (1 + Math.Exp(-2 * Math.Sqrt(2 / Math.PI) * (v + (0.044715 * v * v * v))));
            Assert.True(Math.Abs(results[i] - exact) <= Math.Max(Math.Abs(exact) / 128, Math.Abs(v) * 1e-30), $"GELU({v}) is {results[i]}, exactly {exact}.");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void NormWithParametersAndSum(bool gradients)
    {
        using DisposeScope scope = NewDisposeScope();
        var norm = new LayerNorm(new ParameterScope(new FreshParameters(1, float32)), 6, 1e-5);
        norm.Weight!.copy_(RandomTensor.Create(5, 6));
        norm.Bias!.copy_(RandomTensor.Create(6, 6));
        Equal(gradients, [[9, 6]], t => FusedKernels.Norm(t[0], norm, float32), t => norm.Forward(t[0]));
        Equal(gradients, [[9, 6], [9, 6]], t => FusedKernels.Add(t[0], t[1]), t => t[0] + t[1]);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    public void TimeWindows(bool gradients, int stride)
    {
        using DisposeScope scope = NewDisposeScope();
        Equal(gradients, [[2, 7, 2, 3, 5]],
            t => FusedKernels.TimeWindows(t[0], 3, stride),
            t => ComposedKernels.TimeWindows(t[0], 3, stride));
    }

    private static RmsNorm Norm()
    {
        var norm = new RmsNorm(new ParameterScope(new FreshParameters(1, float32)), Width, 1e-6);
        norm.Weight.copy_(RandomTensor.Create(5, Width));
        return norm;
    }

    private static void Equal(bool gradients, long[][] shapes, Func<Tensor[], Tensor> fused, Func<Tensor[], Tensor> composed)
    {
        using IDisposable mode = set_grad_enabled(gradients);
        Tensor[] Inputs() => [.. shapes.Select((shape, i) => RandomTensor.Create((ulong)i, shape).requires_grad_(gradients))];
        Tensor[] a = Inputs(), b = Inputs();
        Tensor x = fused(a), y = composed(b);
        Assert.Equal(y.shape, x.shape);
        Assert.InRange(RandomTensor.Distance(x, y), 0, 5e-6f);
        if (!gradients)
            return;
        Tensor weights = RandomTensor.Create(99, x.shape);
        (x * weights).sum().backward();
        (y * weights).sum().backward();
        for (int i = 0; i < shapes.Length; i++)
            Assert.InRange(RandomTensor.Distance(a[i].grad!, b[i].grad!), 0, 5e-5f);
    }
}
