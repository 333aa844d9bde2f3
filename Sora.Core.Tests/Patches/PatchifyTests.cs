using Sora.Patches;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Patches;

public class PatchifyTests
{
    [Fact]
    public void CuttingEqualsAConvolutionWhoseStrideIsItsKernel()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor latents = RandomTensor.Create(1, 2, 3, 4, 6, 4), kernel = RandomTensor.Create(2, 5, 3, 2, 2, 2);
        Tensor convolved = nn.functional.conv3d(latents, kernel, strides: [2, 2, 2]);                  // B D T H W
        Tensor patches = nn.functional.linear(Patchify.Cut(latents, [2, 2, 2]), kernel.flatten(1));    // B·N D
        Assert.InRange(RandomTensor.Distance(convolved.flatten(2).transpose(1, 2).reshape(patches.shape), patches), 0, 1e-5f);
    }

    [Fact]
    public void JoiningPutsEveryValueInItsPlace()
    {
        using DisposeScope scope = NewDisposeScope();
        var grid = new PatchGrid(2, 3, 2);
        Tensor patches = RandomTensor.Create(1, 2 * grid.Count, 8 * 3);
        Tensor latents = Patchify.Join(patches, 2, grid, [2, 2, 2], 3);
        Assert.Equal([2, 3, 4, 6, 4], latents.shape);
        // Clip 1, channel 2, latent position (3, 4, 1): patch (1, 2, 0), offset (1, 0, 1) in it.
        float expected = patches.select(0, grid.Count + (1 * 6) + (2 * 2) + 0).select(0, (((1 * 2) + 0) * 2 + 1) * 3 + 2).item<float>();
        Assert.Equal(expected, latents.select(0, 1).select(0, 2).select(0, 3).select(0, 4).select(0, 1).item<float>());
    }

    [Fact]
    public void ChannelsFirstIsJoiningAndCutting()
    {
        using DisposeScope scope = NewDisposeScope();
        var grid = new PatchGrid(2, 3, 2);
        Tensor patches = RandomTensor.Create(1, 2 * grid.Count, 8 * 3);
        Tensor expected = Patchify.Cut(Patchify.Join(patches, 2, grid, [2, 2, 2], 3), [2, 2, 2]);
        Assert.Equal(0, RandomTensor.Distance(expected, Patchify.ChannelsFirst(patches, 3)));
    }

    [Fact]
    public void WhatDoesNotDivideIsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        var error = Assert.Throws<ArgumentException>(() => Patchify.GridOf(zeros([1, 3, 1, 5, 4]), [1, 2, 2]));
        Assert.Contains("1×5×4", error.Message, StringComparison.Ordinal);
    }
}
