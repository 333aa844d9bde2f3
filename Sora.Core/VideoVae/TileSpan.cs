namespace Sora.VideoVae;

/// <summary>Where a tile lies along one side of the picture, in latents.</summary>
/// <param name="Start">The first latent that it is computed from.</param>
/// <param name="Length">How many there are.</param>
/// <param name="First">The first latent whose place in the result it gives.</param>
/// <param name="Count">How many it gives.</param>
public readonly record struct TileSpan(long Start, long Length, long First, long Count);
