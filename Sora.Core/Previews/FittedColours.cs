using System.Runtime.InteropServices;
using Sora.Conditioning;
using Sora.Frames;
using Sora.Latents;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Previews;

/// <summary>
/// Fits <see cref="LatentColours"/> to an autoencoder that nobody published such a map for: the encoder is given drawn pictures, and
/// least squares lead from the latents back to the pictures' colours. A point of the latent becomes as many pixels as its channels can
/// tell apart.
/// </summary>
internal static class FittedColours
{
    // Points of the latent along a side of a picture.
    private const int Side = 8;

    // Many times the unknowns of a map from 48 channels.
    private const int Pictures = 16;

    /// <summary>The map of an autoencoder; the same for the same weights.</summary>
    /// <param name="vae">The autoencoder.</param>
    /// <param name="normalizer">Brings latents to the transformer's scale.</param>
    /// <param name="device">Where the autoencoder is.</param>
    public static LatentColours Of(VideoAutoencoder vae, LatentNormalizer normalizer, Device device)
    {
        AutoencoderKLWanConfig config = vae.Config;
        int stride = config.SpatialStride, scale = ScaleOf(config.OwnChannels, stride), frames = 1 + config.TemporalStride;
        // What a linear code has is too fine for a preview, and often not drawn.
        int[] read = [.. Enumerable.Range(0, config.ZDim).Where(channel => !config.IsOfLinearCode(channel))];
        int unknowns = read.Length + 1, values = 3 * scale * scale;
        var fit = new LeastSquares(unknowns, values);
        var encoder = new FrameEncoder(vae, normalizer, device);
        using IDisposable noGradients = no_grad();
        for (int picture = 0; picture < Pictures; picture++)
        {
            using DisposeScope scope = NewDisposeScope();
            VideoFrame drawn = ColourPatches.Draw(picture, Side * stride);
            // A picture that stands still: its first latent frame, and one that stands for several frames.
            Tensor latent = encoder.Encode([.. Enumerable.Repeat(drawn, frames)], drawn.Width, drawn.Height); // 1 C t h w
            float[] colours = Colours(drawn, stride, scale);
            int times = (int)latent.size(2), area = Side * Side;
            float[] x = MemoryMarshal.Cast<byte, float>(latent.cpu().contiguous().bytes).ToArray();
            var row = new double[unknowns];
            row[^1] = 1;
            for (int at = 0; at < times * area; at++)
            {
                for (int i = 0; i < read.Length; i++)
                    row[i] = x[(read[i] * times * area) + at];
                fit.Add(row, colours.AsSpan(at % area * values, values));
            }
        }
        double[] map = fit.Solve();                                                       // C+1, k·k·3
        var factors = new float[config.ZDim * values];
        for (int i = 0; i < read.Length * values; i++)
            factors[(read[i / values] * values) + (i % values)] = (float)map[i];
        return new LatentColours(config.ZDim, scale, factors, Array.ConvertAll(map[^values..], value => (float)value));
    }

    // The largest power of two that divides the stride and whose pixels are no more numbers than the channels.
    private static int ScaleOf(int channels, int stride)
    {
        int scale = 1;
        while (stride % (2 * scale) == 0 && 3 * 4 * scale * scale <= channels)
            scale *= 2;
        return scale;
    }

    // The mean colours, in [−1, 1], of the k×k parts under each point of the latent: [h·w, k, k, 3].
    private static float[] Colours(VideoFrame picture, int stride, int scale)
    {
        int part = stride / scale, points = picture.Width / stride;
        var colours = new float[points * points * 3 * scale * scale];
        ReadOnlySpan<byte> rgb = picture.Rgb.Span;
        for (int y = 0; y < picture.Height; y++)
        {
            for (int x = 0; x < picture.Width; x++)
            {
                int point = (y / stride * points) + (x / stride), place = (y % stride / part * scale) + (x % stride / part);
                for (int c = 0; c < 3; c++)
                    colours[(((point * scale * scale) + place) * 3) + c] += ((rgb[(((y * picture.Width) + x) * 3) + c] / 127.5f) - 1) / (part * part);
            }
        }
        return colours;
    }
}
