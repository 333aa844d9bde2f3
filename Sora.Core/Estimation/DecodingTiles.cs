using Sora.Latents;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Estimation;

/// <summary>Chooses the tiles in which the autoencoder works on a picture.</summary>
/// <param name="vae">The autoencoder.</param>
/// <param name="tileSize">What the options say: the largest side in pixels, 0 for none, null for what fits.</param>
/// <param name="activations">Counts the memory.</param>
internal sealed class DecodingTiles(AutoencoderKLWanConfig vae, int? tileSize, ActivationMemory activations)
{
    private volatile Choice? _last;

    /// <summary>Requires that the size of the options can be had with this autoencoder.</summary>
    /// <exception cref="SoraException">It is too small; the message names the least.</exception>
    public static void RequireSize(AutoencoderKLWanConfig vae, int? tileSize)
    {
        int least = SpatialTiles.LeastSide(vae) * vae.SpatialStride;
        if (tileSize is > 0 && tileSize < least)
            throw new SoraException($"VaeTileSize {tileSize} is too small for this model; allowed: 0 (no tiles), or {least} and more, nearest: {least}.");
    }

    /// <summary>The tiles for a video, where so many bytes can be spared for what is computed; null: any number.</summary>
    public SpatialTiles Choose(LatentShape latent, int frames, long? spare)
    {
        if (_last is { } last && last.Latent == latent && last.Frames == frames && last.Spare == spare)
            return last.Tiles;
        SpatialTiles tiles = Find(latent, frames, spare);
        _last = new(latent, frames, spare, tiles);
        return tiles;
    }

    private SpatialTiles Find(LatentShape latent, int frames, long? spare)
    {
        var whole = SpatialTiles.Whole(latent.H, latent.W);
        if (tileSize is { } given)
            return given == 0 ? whole : SpatialTiles.Of(vae, latent.H, latent.W, given / vae.SpatialStride);
        bool Fits(SpatialTiles tiles) => spare is not { } bytes || activations.Decoding(vae, latent, frames, tiles) <= bytes;
        if (Fits(whole))
            return whole;
        for (int side = Math.Max(latent.H, latent.W) - 1; side >= SpatialTiles.LeastSide(vae); side--)
        {
            var tiles = SpatialTiles.Of(vae, latent.H, latent.W, side);
            if (Fits(tiles))
                return tiles;
        }
        return whole;
    }

    private sealed record Choice(LatentShape Latent, int Frames, long? Spare, SpatialTiles Tiles);
}
