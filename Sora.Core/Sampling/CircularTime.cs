using Sora.VideoVae;

namespace Sora.Sampling;

/// <summary>
/// Time as a circle, for loops: at each step the latent is rolled along time before the network sees it, and the velocity
/// is rolled back. The network's first and last frame are other ones at each step, so none is an end, and what the network
/// makes smooth is smooth across the joint.
/// </summary>
internal static class CircularTime
{
    // Latent frames that the decoder sees before the first one: what it remembers from further back changes little.
    private const int DecoderMemory = 6;

    /// <summary>The velocity on the circle.</summary>
    /// <param name="velocity">The velocity of a video with two ends.</param>
    public static Velocity Around(Velocity velocity) => (sample, step) =>
    {
        int frames = (int)sample.size(2), shift = ShiftOf(step.Index, frames);
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(Roll(velocity(Roll(sample, shift), step), frames - shift));
    };

    /// <summary>
    /// Decodes a circular latent [1, z, t, h, w] to s·t frames: the decoder, which looks back, first sees the end of the
    /// circle. The caller disposes each chunk.
    /// </summary>
    public static IEnumerable<Tensor> DecodeChunks(VideoAutoencoder vae, Tensor latent)
    {
        int frames = (int)latent.size(2), before = DecoderMemory;
        Tensor unrolled = cat([.. Enumerable.Range(0, before).Select(i => latent.narrow(2, Modulo(i - before, frames), 1)), latent], 2);
        int index = 0;
        foreach (Tensor chunk in vae.DecodeChunks(unrolled))
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
