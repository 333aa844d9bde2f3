using Sora.VideoVae;

namespace Sora.Sampling;

/// <summary>
/// Time as a circle, for loops: at each step the latent is rolled along time before the network sees it, and the velocity
/// is rolled back. The network's first and last frame are other ones at each step, so none is an end, and what the network
/// makes smooth is smooth across the joint.
/// </summary>
public sealed class CircularTime : IVideoTime
{
    // Latent frames that the decoder sees before the first one: what it remembers from further back changes little.
    private const int DecoderMemory = 6;

    /// <summary>One frame less than asked for: the one after the last would be the first again.</summary>
    public int Frames(int frameCount) => frameCount - 1;

    /// <summary>No frame stands alone: each latent frame becomes s frames.</summary>
    public int LatentFrames(int frameCount, int stride) => (frameCount - 1) / stride;

    /// <inheritdoc/>
    public Tensor ToNetwork(Tensor sample, SamplingStep step) => Roll(sample, ShiftOf(step.Index, (int)sample.size(2)));

    /// <inheritdoc/>
    public Tensor FromNetwork(Tensor velocity, SamplingStep step)
    {
        int frames = (int)velocity.size(2);
        return Roll(velocity, frames - ShiftOf(step.Index, frames));
    }

    /// <summary>Decodes a circular latent to s·t frames: the decoder, which looks back, first sees the end of the circle.</summary>
    public IEnumerable<Tensor> DecodeChunks(VideoAutoencoder vae, Tensor latent, SpatialTiles? tiles = null)
    {
        ArgumentNullException.ThrowIfNull(vae);
        ArgumentNullException.ThrowIfNull(latent);
        int frames = (int)latent.size(2), before = DecoderMemory;
        Tensor unrolled = cat([.. Enumerable.Range(0, before).Select(i => latent.narrow(2, Modulo(i - before, frames), 1)), latent], 2);
        return Decode(vae, unrolled, before, tiles);
    }

    private static IEnumerable<Tensor> Decode(VideoAutoencoder vae, Tensor unrolled, int before, SpatialTiles? tiles)
    {
        int index = 0;
        foreach (Tensor chunk in vae.DecodeChunks(unrolled, tiles))
        {
            if (index++ < before)
                chunk.Dispose();
            else
                yield return chunk;
        }
    }

    // The golden section spreads the cuts over the circle whatever the number of steps.
    private static int ShiftOf(int step, int frames) => (int)(step * 0.6180339887498949 % 1 * frames);

    private static Tensor Roll(Tensor x, int shift) => shift == 0 || shift == x.size(2)
        ? x.alias()
        : cat([x.narrow(2, shift, x.size(2) - shift), x.narrow(2, 0, shift)], 2);

    private static int Modulo(int a, int n) => ((a % n) + n) % n;
}
