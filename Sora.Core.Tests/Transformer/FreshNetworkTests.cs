using Sora.Layers;
using Sora.Patches;
using Sora.Tests.Engine;
using Sora.Transformer;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Transformer;

public class FreshNetworkTests
{
    [Fact]
    public void AFreshBlockIsTheIdentity()
    {
        using DisposeScope scope = NewDisposeScope();
        WanTransformerConfig config = TestTransformer.Config;
        long width = config.NumAttentionHeads * config.AttentionHeadDim;
        using var source = new FreshParameters(7, float32);
        var root = new ParameterScope(source);
        var block = new TransformerBlock(root["blocks"][0], config);
        using var sequence = new PackedSequence([new PatchGrid(2, 2, 3)], config.AttentionHeadDim, CPU);
        TokenTimes times = TokenTimes.PerClip(sequence.Layout, [700]);
        (_, Tensor time) = new TimeEmbedding(root["condition_embedder"], config.FreqDim, width).Forward(times.Times, CPU);

        Tensor x = RandomTensor.Create(1, sequence.Layout.Count, width);
        TextKeys text = block.Keys(RandomTensor.Create(2, 1, 5, width));
        Tensor y = block.Forward(x, time, sequence.Modulation(times), text, sequence.Layout, sequence.Positions);
        Assert.Equal(0, RandomTensor.Distance(x, y));
    }

    [Fact]
    public void AFreshNetworkPredictsZeroVelocity()
    {
        using DisposeScope scope = NewDisposeScope();
        WanTransformerConfig config = TestTransformer.Config;
        using var network = new DiffusionTransformer(config, new FreshParameters(7, float32));
        TextContext text = network.Prepare(RandomTensor.Create(1, 1, 4, config.TextDim));
        Tensor velocity = network.Forward(RandomTensor.Create(2, 1, config.InChannels, 2, 4, 6), [500], text);
        Assert.Equal([1, config.OutChannels, 2, 4, 6], velocity.shape);
        Assert.Equal(0, velocity.abs().max().item<float>());
    }

    [Fact]
    public void ParametersStartFromTheirSeedAndName()
    {
        WanTransformerConfig config = TestTransformer.Config;
        using var one = new DiffusionTransformer(config, new FreshParameters(7, float32));
        using var deeper = new DiffusionTransformer(config with { NumLayers = config.NumLayers + 1 }, new FreshParameters(7, float32));
        using var other = new DiffusionTransformer(config, new FreshParameters(8, float32));
        using DisposeScope scope = NewDisposeScope();
        foreach ((string name, Parameter parameter) in one.Parameters)
            Assert.Equal(0, RandomTensor.Distance(parameter, deeper.Parameters[name]));
        const string Name = "blocks.0.attn1.to_q.weight";
        Assert.True(RandomTensor.Distance(one.Parameters[Name], other.Parameters[Name]) > 0.1);
    }
}
