using System.Globalization;
using Sora.Layers;
using Sora.Tests.Engine;
using Sora.Transformer;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Transformer;

[Collection(LiveTensors.Name)]
public class ActivationCheckpointsTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void GradientsAreThoseOfTheWholeGraph(bool frozenEnds)
    {
        Dictionary<string, float[]> plain = Gradients(null, frozenEnds), checkpointed = Gradients(new(), frozenEnds);
        Assert.Equal(plain.Keys.Order(), checkpointed.Keys.Order());
        Assert.Contains(plain, p => p.Key.StartsWith("blocks.0.", StringComparison.Ordinal) && p.Value.Any(v => Math.Abs(v) > 1e-4));
        Assert.Equal(!frozenEnds, plain["text"].Any(v => Math.Abs(v) > 1e-5));
        foreach ((string name, float[] gradient) in plain)
        {
            double scale = gradient.Max(Math.Abs) + 1e-7;
            Assert.All(gradient.Zip(checkpointed[name]), pair => Assert.InRange(Math.Abs(pair.First - pair.Second) / scale, 0, 1e-4));
        }
    }

    [Fact]
    public void NothingIsLeftBehind()
    {
        Gradients(new(), false);
        long before = LiveTensors.Count();
        Gradients(new(), false);
        Assert.Equal(before, LiveTensors.Count());
    }

    [Fact]
    public void TheInsideOfOneBlockIsHeldAtATime()
    {
        const int Layers = 24;
        WanTransformerConfig config = TestTransformer.Config with { NumLayers = Layers };
        using var network = new DiffusionTransformer(config, new FreshParameters(1, float32));
        foreach (Parameter parameter in network.Parameters.Values)
            parameter.requires_grad = true;
        Peak(new()); // the first use of an operator takes memory of its own
        long checkpointed = Peak(new()), plain = Peak(null);
        // Four times as much; what is resident wobbles by a quarter.
        Assert.True(plain > 2.5 * checkpointed, $"{plain} kB and {checkpointed} kB");

        long Peak(ActivationCheckpoints? checkpoints)
        {
            network.Checkpoints = checkpoints;
            EngineMemory.ReleaseUnused();
            // Linux's way to forget the highest memory so far, proc(5).
            File.WriteAllText("/proc/self/clear_refs", "5");
            long before = Kilobytes("VmRSS:");
            using (DisposeScope scope = NewDisposeScope())
            {
                Tensor latents = RandomTensor.Create(1, 8, config.InChannels, 4, 16, 16);
                TextContext text = network.Prepare(RandomTensor.Create(2, 8, 4, config.TextDim));
                network.Forward(latents, [.. Enumerable.Repeat(500f, 8)], text).square().mean().backward();
                checkpoints?.Backward();
            }
            foreach (Parameter parameter in network.Parameters.Values)
                parameter.grad = null;
            return Kilobytes("VmHWM:") - before;
        }
    }

    private static long Kilobytes(string field)
    {
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line[field.Length..^2].Trim(), CultureInfo.InvariantCulture);
    }

    // Of every parameter, and of the text.
    private static Dictionary<string, float[]> Gradients(ActivationCheckpoints? checkpoints, bool frozenEnds)
    {
        using DisposeScope scope = NewDisposeScope();
        using DiffusionTransformer network = TestTransformer.Load();
        network.Checkpoints = checkpoints;
        // As when an adapter is trained: only what is inside the blocks.
        foreach ((string name, Parameter parameter) in network.Parameters)
            parameter.requires_grad = !frozenEnds || name.Contains("ffn", StringComparison.Ordinal);
        Tensor text = RandomTensor.Create(1, 2, 5, network.Config.TextDim);
        text.requires_grad = !frozenEnds;
        Tensor latents = RandomTensor.Create(2, 2, network.Config.InChannels, 2, 4, 6);
        Tensor velocity = network.Forward(latents, [200, 800], network.Prepare(text));
        (velocity - RandomTensor.Create(3, velocity.shape)).square().sum().backward();
        checkpoints?.Backward();
        var gradients = network.Parameters.ToDictionary(p => p.Key, p => Values(p.Value));
        gradients["text"] = Values(text);
        return gradients;
    }

    private static float[] Values(Tensor tensor) => tensor.grad?.data<float>().ToArray() ?? [0];
}
