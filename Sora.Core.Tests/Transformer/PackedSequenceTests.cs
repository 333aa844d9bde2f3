using Sora.Patches;
using Sora.Tests.Engine;
using Sora.Transformer;
using Xunit;

namespace Sora.Tests.Transformer;

public class PackedSequenceTests
{
    private const float Rounding = 2e-5f;

    [Fact]
    public void PackedClipsOfDifferentSizesEqualTheSameClipsAlone()
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using DiffusionTransformer network = TestTransformer.Load();
        IReadOnlyList<int> patch = network.Config.PatchSize;
        long channels = network.Config.InChannels;
        Tensor[] clips =
        [
            RandomTensor.Create(1, 1, channels, 3, 4, 6),
            RandomTensor.Create(2, 1, channels, 1, 8, 2),
            RandomTensor.Create(3, 1, channels, 1, 4, 4), // As many patches as the one before: they run as one batch.
            RandomTensor.Create(4, 1, channels, 2, 4, 4),
        ];
        float[] times = [900, 437, 0, 250];
        TextContext text = network.Prepare(RandomTensor.Create(4, 4, 6, network.Config.TextDim));
        PatchGrid[] grids = [.. clips.Select(c => Patchify.GridOf(c, patch))];
        using var sequence = new PackedSequence(grids, network.Config.AttentionHeadDim, CPU);
        Assert.Equal([1, 2, 1], sequence.Layout.Runs.Select(run => run.Clips));
        Tensor patches = cat([.. clips.Select(c => Patchify.Cut(c, patch))], 0);
        Tensor packed = network.Forward(patches, TokenTimes.PerClip(sequence.Layout, times), text, sequence);

        for (int i = 0; i < clips.Length; i++)
        {
            var own = new TextContext([.. text.Blocks.Select(b => new TextKeys(b.Keys.narrow(0, i, 1), b.Values.narrow(0, i, 1)))]);
            Tensor alone = network.Forward(clips[i], [times[i]], own);
            Tensor part = packed.narrow(0, sequence.Layout.Offset(i), grids[i].Count);
            Tensor joined = Patchify.Join(part, 1, grids[i], patch, network.Config.OutChannels);
            Assert.InRange(RandomTensor.Distance(alone, joined), 0, Rounding);
        }
    }

    [Fact]
    public void EqualTimesOfAllTokensAreTheTimeOfTheClip()
    {
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using DiffusionTransformer network = TestTransformer.Load();
        Tensor latents = RandomTensor.Create(1, 2, network.Config.InChannels, 2, 4, 6);
        TextContext text = network.Prepare(RandomTensor.Create(4, 2, 6, network.Config.TextDim));
        float[] tokens = [.. Enumerable.Repeat(612.5f, 12), .. Enumerable.Repeat(3f, 12)];
        Tensor perClip = network.Forward(latents, [612.5f, 3], text);
        Assert.Equal(0, RandomTensor.Distance(perClip, network.Forward(latents, tokens, text)));

        // A token with a time of its own scatters the rows; what it changes in the second clip does not reach the first.
        tokens[17] = 999;
        Assert.Equal(0, TokenTimes.PerToken(tokens).Run);
        Tensor scattered = network.Forward(latents, tokens, text);
        Assert.InRange(RandomTensor.Distance(perClip.narrow(0, 0, 1), scattered.narrow(0, 0, 1)), 0, Rounding);
        Assert.True(RandomTensor.Distance(perClip.narrow(0, 1, 1), scattered.narrow(0, 1, 1)) > 1e-3);
    }

    [Fact]
    public void AnotherNumberOfTimesThanTokensIsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        using var sequence = new PackedSequence([new PatchGrid(1, 2, 2)], 20, CPU);
        Assert.Throws<ArgumentException>(() => sequence.Modulation(TokenTimes.PerToken([1, 2, 3])));
        Assert.Throws<ArgumentException>(() => TokenTimes.PerClip(sequence.Layout, [1, 2]));
    }
}
