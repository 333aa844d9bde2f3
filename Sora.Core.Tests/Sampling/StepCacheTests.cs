using Sora.Patches;
using Sora.Sampling;
using Sora.Tests.Engine;
using Sora.Tests.Transformer;
using Sora.Transformer;
using Xunit;

namespace Sora.Tests.Sampling;

[Collection(LiveTensors.Name)]
public sealed class StepCacheTests : IDisposable
{
    private static readonly PackedLayout OneClip = new([new(1, 1, 4)]);

    private readonly IDisposable _noGradients = no_grad();

    public void Dispose() => _noGradients.Dispose();

    // A block that adds x times a factor, and counts how often it runs.
    private sealed class Blocks(params double[] factors)
    {
        public int[] Runs { get; } = new int[factors.Length];

        public Tensor Run(Tensor x, int i)
        {
            using DisposeScope scope = NewDisposeScope();
            Runs[i]++;
            Tensor y = scope.MoveToOuter(x + (x * factors[i]));
            x.Dispose();
            return y;
        }
    }

    [Fact]
    public void TheChangeIsCountedFromTheLastFullStep()
    {
        using DisposeScope scope = NewDisposeScope();
        var blocks = new Blocks(1, 2, 3);
        var count = new StepCacheCount();
        using var cache = new StepCache(0.1, count);
        // What the first block adds is its input: 4 % and 8 % more are skipped, 12 % more is computed and starts anew.
        var skipped = new List<bool>();
        foreach (float size in (float[])[1, 1.04f, 1.08f, 1.12f, 1.2f, 1.24f])
        {
            using Tensor x = full([4, 8], size), y = cache.Run(x, 3, OneClip, blocks.Run);
            skipped.Add(count.Skipped > skipped.Count(s => s));
            // 1 → 2 → 6 → 24: the other blocks add 22 times the input of the last full step.
            float basis = skipped[^1] ? (skipped.Count < 4 ? 1 : 1.12f) : size;
            Assert.Equal((2 * size) + (22 * basis), y.max().item<float>(), 1e-4);
        }
        Assert.Equal([false, true, true, false, true, false], skipped);
        Assert.Equal([6, 3, 3], blocks.Runs);
        Assert.Equal((6, 3), (count.Evaluations, count.Skipped));
    }

    [Fact]
    public void EachClipIsMeasuredByItself()
    {
        using DisposeScope scope = NewDisposeScope();
        var layout = new PackedLayout([new(1, 1, 100), new(1, 1, 2)]);
        var blocks = new Blocks(1, 1);
        using var cache = new StepCache(0.1);
        Tensor x = ones([102, 4]);
        cache.Run(x, 2, layout, blocks.Run);
        // Half as much again in the short clip alone is 1 % of both together.
        x.narrow(0, 100, 2).mul_(1.5);
        cache.Run(x, 2, layout, blocks.Run);
        Assert.Equal([2, 2], blocks.Runs);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(0)]
    public void WhatCannotBeComparedIsComputed(float value)
    {
        using DisposeScope scope = NewDisposeScope();
        var blocks = new Blocks(1, 1);
        using var cache = new StepCache(1);
        for (int i = 0; i < 3; i++)
            cache.Run(full([4, 4], value), 2, OneClip, blocks.Run);
        Assert.Equal([3, 3], blocks.Runs);
    }

    [Fact]
    public void WithAThresholdOfZeroTheNetworkIsItself()
    {
        using DiffusionTransformer network = TestTransformer.Load();
        using DisposeScope scope = NewDisposeScope();
        (float[] distances, _, StepCacheCount count) = Compare(network, 0);
        Assert.Equal([0, 0, 0, 0], distances);
        Assert.Equal((4, 0), (count.Evaluations, count.Skipped));
    }

    [Fact]
    public void SkippedStepsAreNearAndFullStepsAreEqual()
    {
        using DiffusionTransformer network = TestTransformer.Load();
        using DisposeScope scope = NewDisposeScope();
        (float[] distances, float size, StepCacheCount count) = Compare(network, 0.02);
        Assert.Equal(4, count.Evaluations);
        Assert.InRange(count.Skipped, 1, 3);
        Assert.Equal(4 - count.Skipped, distances.Count(distance => distance == 0));
        Assert.All(distances, distance => Assert.InRange(distance, 0, 0.1f * size));
        // The first step has nothing to go by.
        Assert.Equal(0, distances[0]);
    }

    [Fact]
    public void ACacheLeavesNothingBehindAndRefusesGradients()
    {
        long before = LiveTensors.Count();
        using (DisposeScope scope = NewDisposeScope())
        {
            var blocks = new Blocks(1, 1);
            using var cache = new StepCache(0.5);
            for (int i = 0; i < 3; i++)
                cache.Run(ones([4, 4]), 2, OneClip, blocks.Run);
            using IDisposable gradients = set_grad_enabled(true);
            Assert.Throws<InvalidOperationException>(() => cache.Run(ones([4, 4]), 2, OneClip, blocks.Run));
        }
        Assert.Equal(before, Tensor.TotalCount);
    }

    // Four steps along a flow under guidance, with a cache and without.
    private static (float[] Distances, float Size, StepCacheCount Count) Compare(DiffusionTransformer network, double threshold)
    {
        Tensor text = RandomTensor.Create(1, 1, 7, network.Config.TextDim), negative = RandomTensor.Create(3, 1, 7, network.Config.TextDim);
        Tensor sample = RandomTensor.Create(2, 1, network.Config.InChannels, 2, 4, 6);
        PatchGrid grid = Patchify.GridOf(sample, network.Config.PatchSize);
        var count = new StepCacheCount();
        using var plain = new GuidedVelocity(network, new Guidance(5), text, negative, grid, CPU);
        using var cached = new GuidedVelocity(network, new Guidance(5), text, negative, grid, CPU, cache: () => new StepCache(threshold, count));
        var distances = new List<float>();
        float size = 0;
        for (int i = 0; i < 4; i++)
        {
            // One time: a network of random weights is another at each.
            SamplingStep step = new(i, 1 - (0.001f * i), 1000);
            Tensor expected = plain.Predict(sample, step);
            size = Math.Max(size, expected.abs().max().item<float>());
            distances.Add(RandomTensor.Distance(expected, cached.Predict(sample, step)));
            sample = sample - (expected * 0.001);
        }
        return ([.. distances], size, count);
    }
}
