using Sora.Layers;
using Sora.Text;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Engine;

/// <summary>Attention in bfloat16 against the float32 formula; on processors with AMX it runs on matrix tiles.</summary>
public class TileAttentionTests
{
    [Theory]
    [InlineData(1, 1, 1, 1, 32)]
    [InlineData(2, 3, 80, 80, 64)]
    [InlineData(1, 4, 33, 300, 64)]
    [InlineData(1, 2, 257, 128, 128)]
    [InlineData(1, 1, 40, 129, 256)]
    public void EqualsTheFormula(long clips, long heads, long queries, long keys, long width)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        // The memory order of the transformer: tokens, then heads.
        Tensor q = (RandomTensor.Create(1, clips, queries, heads, width) * 2).to(bfloat16).transpose(1, 2);
        Tensor k = (RandomTensor.Create(2, clips, keys, heads, width) * 2).to(bfloat16).transpose(1, 2);
        Tensor v = RandomTensor.Create(3, clips, keys, heads, width).to(bfloat16).transpose(1, 2);

        Tensor given = nn.functional.scaled_dot_product_attention(q, k, v);

        Tensor scores = q.to(float32).matmul(k.to(float32).transpose(-2, -1)) * (1 / Math.Sqrt(width));
        Tensor expected = scores.softmax(-1).matmul(v.to(float32));
        Assert.Equal(expected.shape, given.shape);
        float error = (given.to(float32) - expected).abs().max().item<float>();
        Assert.InRange(error, 0, 0.03f); // two roundings to 8 bits of values up to about 3
    }

    [Theory]
    [InlineData(1, 1, 1, 1, 32)]
    [InlineData(2, 3, 80, 80, 64)]
    [InlineData(1, 4, 33, 300, 64)]
    [InlineData(3, 2, 257, 40, 128)]
    [InlineData(1, 1, 64, 129, 256)]
    public void GradientsEqualTheFormula(long clips, long heads, long queries, long keys, long width)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] values = [RandomTensor.Create(1, clips, queries, heads, width), RandomTensor.Create(2, clips, keys, heads, width), RandomTensor.Create(3, clips, keys, heads, width)];
        Tensor slope = RandomTensor.Create(4, clips, heads, queries, width);

        Tensor[] given = Gradients(bfloat16, (q, k, v) => nn.functional.scaled_dot_product_attention(q, k, v));
        Tensor[] expected = Gradients(float32, (q, k, v) => (q.matmul(k.transpose(-2, -1)) / Math.Sqrt(width)).softmax(-1).matmul(v));

        for (int i = 0; i < given.Length; i++)
        {
            Assert.Equal(expected[i].shape, given[i].shape);
            float largest = expected[i].abs().max().item<float>();
            // A gradient of zero, as that of the queries of one key, is rounding alone.
            Assert.InRange((given[i].to(float32) - expected[i]).abs().max().item<float>(), 0, Math.Max(0.02f * largest, 0.02f));
        }

        Tensor[] Gradients(ScalarType type, Func<Tensor, Tensor, Tensor, Tensor> attention)
        {
            // The same numbers for both: those that 8 bits hold.
            Tensor[] leaves = [.. values.Select(value => value.to(bfloat16).to(type).requires_grad_(true))];
            Tensor result = attention(leaves[0].transpose(1, 2), leaves[1].transpose(1, 2), leaves[2].transpose(1, 2));
            (result.to(float32) * slope).sum().backward();
            return [.. leaves.Select(leaf => leaf.grad!)];
        }
    }

    [Theory]
    [InlineData(1, 2, 32, 1)]
    [InlineData(2, 3, 64, 40)]
    [InlineData(3, 2, 64, 300)]
    public void RelativePositionsEqualTheFormula(long texts, int heads, long width, int length)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        var config = new UMT5Config { VocabSize = 8, DModel = 8, DKv = (int)width, NumHeads = heads, DFf = 8, NumLayers = 1 };
        long[] lengths = [.. Enumerable.Range(0, (int)texts).Select(text => Math.Max(1L, length - (17 * text)))];
        Tensor mask = arange(length, float32).unsqueeze(0).lt(tensor(lengths).unsqueeze(1)).to(float32);
        var positions = new RelativePositions(mask, config);
        Tensor table = RandomTensor.Create(5, config.RelativeAttentionNumBuckets, heads) * 2;
        Tensor[] qkv = [.. new ulong[] { 1, 2, 3 }.Select(seed => (RandomTensor.Create(seed, texts, length, heads, width) * 0.5).to(bfloat16).transpose(1, 2))];

        Tensor given = FusedKernels.RelativeAttention(qkv[0], qkv[1], qkv[2], table, positions);
        Tensor expected = ComposedKernels.RelativeAttention(qkv[0].to(float32), qkv[1].to(float32), qkv[2].to(float32), table, positions);

        Assert.Equal(lengths, positions.Lengths!);
        Assert.Equal(expected.shape, given.shape);
        Tensor rows = mask.unsqueeze(1).unsqueeze(-1);
        Assert.InRange(((given.to(float32) - expected) * rows).abs().max().item<float>(), 0, 0.02f);
    }

    [Fact]
    public void PaddingBeforeTheEndHasNoLengths()
    {
        using DisposeScope scope = NewDisposeScope();
        var config = new UMT5Config { VocabSize = 8, DModel = 8, DKv = 32, NumHeads = 1, DFf = 8, NumLayers = 1 };
        Assert.Null(new RelativePositions(tensor(new float[] { 0, 1, 1 }, [1, 3]), config).Lengths);
        Assert.Null(new RelativePositions(tensor(new float[] { 0, 0, 0 }, [1, 3]), config).Lengths);
    }

    [Fact]
    public void LargeScoresDoNotOverflow()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        Tensor q = (RandomTensor.Create(1, 1, 2, 64, 64) * 100).to(bfloat16);
        Tensor v = RandomTensor.Create(3, 1, 2, 64, 64).to(bfloat16);
        Tensor given = nn.functional.scaled_dot_product_attention(q, q, v);
        // Every query sees itself alone.
        Assert.InRange((given.to(float32) - v.to(float32)).abs().max().item<float>(), 0, 0.02f);
    }
}
