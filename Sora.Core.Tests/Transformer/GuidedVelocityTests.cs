using Sora.Patches;
using Sora.Sampling;
using Sora.Tests.Engine;
using Sora.Transformer;
using Xunit;

namespace Sora.Tests.Transformer;

[Collection(LiveTensors.Name)]
public sealed class GuidedVelocityTests : IDisposable
{
    private readonly DiffusionTransformer _network = TestTransformer.Load();

    public void Dispose() => _network.Dispose();

    [Fact]
    public void OutsideTheIntervalTheVelocityIsThePromptsAndTheNegativeTextIsNotRead()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor text = RandomTensor.Create(1, 1, 7, _network.Config.TextDim);
        Tensor unreadable = full([1, 7, _network.Config.TextDim], float.NaN);
        Tensor sample = RandomTensor.Create(2, 1, _network.Config.InChannels, 2, 4, 6);
        PatchGrid grid = Patchify.GridOf(sample, _network.Config.PatchSize);
        using var plain = new GuidedVelocity(_network, new Guidance(1), text, text, grid, CPU);
        using var guided = new GuidedVelocity(_network, new Guidance(5, new SigmaInterval(0.3f, 0.6f)), text, unreadable, grid, CPU);

        foreach (float sigma in (float[])[1, 0.61f, 0.29f])
            Assert.Equal(0, RandomTensor.Distance(plain.Predict(sample, new(0, sigma, sigma * 1000)), guided.Predict(sample, new(0, sigma, sigma * 1000))));
        Assert.False(guided.Predict(sample, new(0, 0.5f, 500)).isfinite().all().item<bool>());
    }

    [Fact]
    public void InsideTheIntervalTheVelocityIsThatOfGuidanceAtEveryLevel()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor text = RandomTensor.Create(1, 1, 7, _network.Config.TextDim), negative = RandomTensor.Create(3, 1, 7, _network.Config.TextDim);
        Tensor sample = RandomTensor.Create(2, 1, _network.Config.InChannels, 2, 4, 6);
        PatchGrid grid = Patchify.GridOf(sample, _network.Config.PatchSize);
        using var always = new GuidedVelocity(_network, new Guidance(5), text, negative, grid, CPU);
        using var within = new GuidedVelocity(_network, new Guidance(5, new SigmaInterval(0.3f, 0.6f)), text, negative, grid, CPU);
        Assert.Equal(0, RandomTensor.Distance(always.Predict(sample, new(0, 0.5f, 500)), within.Predict(sample, new(0, 0.5f, 500))));
    }

    [Fact]
    public void LeadingChannelsAreNotGuided()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor text = RandomTensor.Create(1, 1, 7, _network.Config.TextDim), negative = RandomTensor.Create(3, 1, 7, _network.Config.TextDim);
        int channels = _network.Config.OutChannels;
        Tensor sample = RandomTensor.Create(2, 1, channels, 2, 4, 6);
        PatchGrid grid = Patchify.GridOf(sample, _network.Config.PatchSize);
        var prediction = new SamplePrediction(FlowPrediction.Velocity, new(2, 8));
        using var plain = new GuidedVelocity(_network, new Guidance(1), text, negative, grid, CPU, prediction: prediction);
        using var guided = new GuidedVelocity(_network, new Guidance(5), text, negative, grid, CPU, prediction: prediction);

        Tensor own = plain.Predict(sample, new(0, 0.5f, 500)), both = guided.Predict(sample, new(0, 0.5f, 500));
        // As near as products of other numbers of rows are.
        Assert.InRange(RandomTensor.Distance(own.narrow(1, channels - 2, 2), both.narrow(1, channels - 2, 2)), 0, 1e-4);
        Assert.InRange(RandomTensor.Distance(own.narrow(1, 0, channels - 2), both.narrow(1, 0, channels - 2)), 0.1, 1000);
    }

    [Fact]
    public void BesideTheGuidedVelocityIsThePromptsOwn()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor text = RandomTensor.Create(1, 1, 7, _network.Config.TextDim), negative = RandomTensor.Create(3, 1, 7, _network.Config.TextDim);
        Tensor sample = RandomTensor.Create(2, 1, _network.Config.InChannels, 2, 4, 6);
        PatchGrid grid = Patchify.GridOf(sample, _network.Config.PatchSize);
        SamplingStep step = new(0, 0.5f, 500);
        using var plain = new GuidedVelocity(_network, new Guidance(1), text, negative, grid, CPU);
        using var guided = new GuidedVelocity(_network, new Guidance(5), text, negative, grid, CPU);

        (Tensor both, Tensor own) = guided.PredictBoth([sample], step)[0];
        Assert.Equal(0, RandomTensor.Distance(guided.Predict(sample, step), both));
        // As near as products of other numbers of rows are.
        Assert.InRange(RandomTensor.Distance(plain.Predict(sample, step), own), 0, 1e-4);
        Assert.InRange(RandomTensor.Distance(own, both), 0.1, 1000);
        (both, own) = plain.PredictBoth([sample], step)[0];
        Assert.Equal(0, RandomTensor.Distance(both, own));
    }

    [Fact]
    public void DisposingItFreesWhatBothPassesPrepared()
    {
        long before = LiveTensors.Count();
        using (DisposeScope scope = NewDisposeScope())
        {
            Tensor text = RandomTensor.Create(1, 1, 7, _network.Config.TextDim);
            new GuidedVelocity(_network, new Guidance(5, new SigmaInterval(0.3f, 0.6f)), text, text, new(2, 2, 3), CPU).Dispose();
        }
        Assert.Equal(before, LiveTensors.Count());
    }
}
