using Sora.Conditioning;
using Sora.Patches;
using Sora.Sampling;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Conditioning;

/// <summary>What each way of conditioning gives to the network, and what it leaves to decode.</summary>
public sealed class ConditioningTests : IDisposable
{
    private static readonly SamplingStep Step = new(3, 0.25f, 250);
    private static readonly PatchGrid Grid = new(3, 1, 2);

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Tensor _sample = RandomTensor.Create(1, 1, 2, 3, 2, 4);
    private readonly Tensor _latents = RandomTensor.Create(2, 1, 2, 3, 2, 4);
    private readonly Tensor _noise = RandomTensor.Create(3, 1, 2, 3, 2, 4);

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void KnownTokensHaveTimeZeroAndTheirOwnLatents()
    {
        using var conditioning = new TimeConditioning(new(_latents, [true, false, true]));
        Assert.Equal([0, 0, 250, 250, 0, 0], conditioning.Times(Grid, Step));
        RequireFrames(conditioning.Input(_sample, Step), _latents, _sample, _latents);
        RequireFrames(conditioning.Finish(_sample), _latents, _sample, _latents);
    }

    [Fact]
    public void LatentsThatAWindowTakesOverComeWithoutTheMapThatWasDrawnBesideThem()
    {
        ModelFolder plain = ModelFolder.Open(TinyModel.Folder);
        ModelFolder model = plain with { Defaults = plain.Defaults with { PerTokenTime = true, SemanticMap = true } };
        int own = model.Vae.ZDim, map = model.MapChannels;
        Tensor noise = RandomTensor.Create(4, 1, own + map, 3, 2, 4), carried = RandomTensor.Create(5, 1, own + map, 2, 2, 4);
        // No frames are encoded.
        var encoder = new FrameEncoder(null!, null!, CPU);
        using IConditioning conditioning = Conditionings.Create(model, [], noise, encoder, null, null, carried, 1);
        Tensor input = conditioning.Input(noise, Step);
        Assert.Equal(0, RandomTensor.Distance(noise.narrow(2, 0, 1), input.narrow(2, 0, 1)));
        Assert.Equal(0, RandomTensor.Distance(carried.narrow(1, 0, own), input.narrow(2, 1, 2).narrow(1, 0, own)));
        Assert.Equal(0, input.narrow(2, 1, 2).narrow(1, own, map).abs().max().item<float>());
    }

    [Fact]
    public void ReplacedFramesHaveTheNoiseOfTheStep()
    {
        using var conditioning = new ReplacementConditioning(new(_latents, [false, true, false]), _noise);
        Assert.Equal([250, 250, 250, 250, 250, 250], conditioning.Times(Grid, Step));
        RequireFrames(conditioning.Input(_sample, Step), _sample, (_latents * 0.75) + (_noise * 0.25), _sample);
        RequireFrames(conditioning.Finish(_sample), _sample, _latents, _sample);
    }

    [Fact]
    public void ChannelsStandBesideTheSample()
    {
        Tensor channels = RandomTensor.Create(4, 1, 6, 3, 2, 4);
        using var conditioning = new ChannelConditioning(channels, null);
        Tensor input = conditioning.Input(_sample, Step);
        RequireEqual(_sample, input.narrow(1, 0, 2));
        RequireEqual(channels, input.narrow(1, 2, 6));
        RequireEqual(_sample, conditioning.Finish(_sample));
        Assert.All(conditioning.Times(Grid, Step), time => Assert.Equal(250, time));
    }

    private static void RequireFrames(Tensor actual, params Tensor[] frames)
    {
        for (int t = 0; t < frames.Length; t++)
            RequireEqual(frames[t].narrow(2, t, 1), actual.narrow(2, t, 1));
    }

    private static void RequireEqual(Tensor expected, Tensor actual) =>
        Assert.InRange((expected - actual).abs().max().item<float>(), 0, 1e-6f);
}
