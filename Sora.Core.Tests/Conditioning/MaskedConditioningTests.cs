using Sora.Conditioning;
using Sora.Frames;
using Sora.Latents;
using Sora.Patches;
using Sora.Sampling;
using Sora.Tests.Engine;
using Sora.Tests.Regions;
using Xunit;

namespace Sora.Tests.Conditioning;

/// <summary>Which cells of a latent a mask keeps, and what each way of conditioning makes of them.</summary>
public sealed class MaskedConditioningTests : IDisposable
{
    private static readonly SamplingStep Step = new(3, 0.25f, 250);

    // Two latent frames of 2x4 cells, tokens of 1x2x2: two a frame.
    private static readonly PatchGrid Grid = new(2, 1, 2);
    private static readonly bool[] Cells = [true, true, true, false, true, true, false, false, .. Enumerable.Repeat(false, 8)];

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Tensor _sample = RandomTensor.Create(1, 1, 3, 2, 2, 4);
    private readonly Tensor _latents = RandomTensor.Create(2, 1, 3, 2, 2, 4);
    private readonly Tensor _noise = RandomTensor.Create(3, 1, 3, 2, 2, 4);

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void ACellIsKeptWhereNoneOfItsPixelsIsChangedInAnyFrame()
    {
        // Cells of 8x8 pixels, four frames each after the first.
        var shape = new LatentShape(3, 2, 2, 4);
        FrameMask none = new(32, 16, new byte[32 * 16]);
        FrameMask Dot(int x, int y) => TestMasks.Rectangle(x, y, x + 1, y + 1, 32, 16, value: 1);
        Assert.Equal(Kept(0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14), KeptCells.Of([Dot(31, 15)], shape, 4));
        Assert.Equal(Kept(0, 1, 2, 3, 4, 6, 7, 9, 10, 11, 12, 13, 14), KeptCells.Of([Dot(8, 8), Dot(7, 7), none, none, Dot(24, 8)], shape, 4));
        Assert.Equal(new bool[16], KeptCells.Of([TestMasks.Rectangle(0, 0, 32, 16, 32, 16)], shape, 4));
    }

    [Fact]
    public void TokensWhollyKeptHaveTimeZeroAndCellsOfOthersTheNoiseOfTheStep()
    {
        using var conditioning = new MaskedTimeConditioning(new(_latents, Cells), [1, 2, 2], _noise);
        Assert.Equal([0, 250, 250, 250], conditioning.Times(Grid, Step));
        Tensor input = conditioning.Input(_sample, Step), noised = (_latents * 0.75) + (_noise * 0.25);
        RequireEqual(_latents, input, 0, 0, 1, 4, 5);
        RequireEqual(noised, input, 0, 2);
        RequireEqual(_sample, input, 0, 3, 6, 7);
        RequireEqual(_sample, input, 1, 0, 1, 2, 3, 4, 5, 6, 7);
        Tensor finished = conditioning.Finish(_sample);
        RequireEqual(_latents, finished, 0, 0, 1, 2, 4, 5);
        RequireEqual(_sample, finished, 0, 3, 6, 7);
    }

    [Fact]
    public void ReplacedCellsHaveTheNoiseOfTheStepUnderAnyConditioning()
    {
        Tensor channels = RandomTensor.Create(4, 1, 5, 2, 2, 4);
        using var conditioning = new MaskedReplacementConditioning(new(_latents, Cells), _noise, new ChannelConditioning(channels, null));
        Assert.Equal([250, 250, 250, 250], conditioning.Times(Grid, Step));
        Tensor input = conditioning.Input(_sample, Step);
        RequireEqual((_latents * 0.75) + (_noise * 0.25), input.narrow(1, 0, 3), 0, 0, 1, 2, 4, 5);
        RequireEqual(_sample, input.narrow(1, 0, 3), 0, 3, 6, 7);
        RequireEqual(channels, input.narrow(1, 3, 5), 0, 0, 7);
        RequireEqual(_latents, conditioning.Finish(_sample), 0, 0, 1, 2, 4, 5);
    }

    [Fact]
    public void KnownFramesStandOverTheRegion()
    {
        Tensor frames = RandomTensor.Create(5, 1, 3, 2, 2, 4);
        using var kept = new KnownRegion(_latents, Cells);
        using var known = new KnownLatents(frames, [false, true]);
        using KnownRegion both = kept.With(known);
        Assert.Equal([true, false, true, true], both.WholePatches(Grid));
        RequireEqual(_latents, both.Over(_sample), 0, 0, 1, 2, 4, 5);
        RequireEqual(_sample, both.Over(_sample), 0, 3, 6, 7);
        RequireEqual(frames, both.Over(_sample), 1, 0, 1, 2, 3, 4, 5, 6, 7);
    }

    private static bool[] Kept(params int[] cells) => [.. Enumerable.Range(0, 16).Select(cells.Contains)];

    private static void RequireEqual(Tensor expected, Tensor actual, int frame, params int[] cells)
    {
        foreach (int cell in cells)
        {
            Tensor difference = expected.narrow(2, frame, 1).narrow(3, cell / 4, 1).narrow(4, cell % 4, 1) - actual.narrow(2, frame, 1).narrow(3, cell / 4, 1).narrow(4, cell % 4, 1);
            Assert.InRange(difference.abs().max().item<float>(), 0, 1e-6f);
        }
    }
}
