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
