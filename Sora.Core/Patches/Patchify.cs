using Sora.Layers;

namespace Sora.Patches;

/// <summary>Latents to flattened patches and back.</summary>
public static class Patchify
{
    /// <summary>The grid of a latent [C, t, h, w] (or [B, C, t, h, w]) under a patch extent.</summary>
    /// <exception cref="ArgumentException">The patch does not divide the latent.</exception>
    public static PatchGrid GridOf(Tensor latent, IReadOnlyList<int> patch)
    {
        long t = latent.size(-3), h = latent.size(-2), w = latent.size(-1);
        if (t % patch[0] != 0 || h % patch[1] != 0 || w % patch[2] != 0)
            throw new ArgumentException($"A latent of {t}×{h}×{w} does not divide into patches of {patch[0]}×{patch[1]}×{patch[2]}.", nameof(latent));
        return new((int)t / patch[0], (int)h / patch[1], (int)w / patch[2]);
    }

    /// <summary>Cuts [B, C, t, h, w] into patches [B·N, C·pt·ph·pw], the element order of a convolution's kernel.</summary>
    public static Tensor Cut(Tensor latents, IReadOnlyList<int> patch)
    {
        Shape.Require(latents, "B C t h w");
        PatchGrid grid = GridOf(latents, patch);
        long b = latents.size(0), c = latents.size(1);
        return latents
            .reshape(b, c, grid.T, patch[0], grid.H, patch[1], grid.W, patch[2])   // B C T pt H ph W pw
            .permute(0, 2, 4, 6, 1, 3, 5, 7)                                       // B T H W C pt ph pw
            .reshape(b * grid.Count, c * patch[0] * patch[1] * patch[2]);          // B·N, C·pt·ph·pw
    }

    /// <summary>
    /// Joins predicted patches [B·N, pt·ph·pw·C], in which the channel runs fastest, to latents [B, C, t, h, w].
    /// </summary>
    public static Tensor Join(Tensor patches, long clips, PatchGrid grid, IReadOnlyList<int> patch, long channels)
    {
        Shape.Require(patches, "BN P");
        return patches
            .reshape(clips, grid.T, grid.H, grid.W, patch[0], patch[1], patch[2], channels)   // B T H W pt ph pw C
            .permute(0, 7, 1, 4, 2, 5, 3, 6)                                                  // B C T pt H ph W pw
            .reshape(clips, channels, grid.T * patch[0], grid.H * patch[1], grid.W * patch[2]); // B C t h w
    }

    /// <summary>
    /// Predicted patches [N, pt·ph·pw·C], in which the channel runs fastest, in the order of <see cref="Cut"/>, in which it
    /// runs slowest: [N, C·pt·ph·pw].
    /// </summary>
    public static Tensor ChannelsFirst(Tensor patches, long channels)
    {
        Shape.Require(patches, "N P");
        return patches.reshape(patches.size(0), -1, channels).transpose(1, 2).reshape(patches.shape);
    }
}
