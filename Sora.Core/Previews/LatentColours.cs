using System.Runtime.InteropServices;
using Sora.Frames;
using Sora.Layers;

namespace Sora.Previews;

/// <summary>
/// A linear map from a latent's channels to colours, which shows a latent without decoding it: each point of the latent becomes
/// k×k pixels.
/// </summary>
internal sealed class LatentColours
{
    private readonly float[] _factors;
    private readonly float[] _bias;

    /// <summary>Creates the map.</summary>
    /// <param name="channels">The channels C of a latent.</param>
    /// <param name="scale">The side k of the pixels that a point becomes.</param>
    /// <param name="factors">[C, k, k, 3]: what a unit of a normalised channel adds to each colour, in [−1, 1].</param>
    /// <param name="bias">[k, k, 3]: the colours of a latent of zeros.</param>
    /// <exception cref="ArgumentException">The numbers of values do not fit together.</exception>
    public LatentColours(int channels, int scale, float[] factors, float[] bias)
    {
        if (bias.Length != 3 * scale * scale || factors.Length != channels * bias.Length)
            throw new ArgumentException($"{factors.Length} factors and {bias.Length} biases are not [{channels}, {scale}, {scale}, 3] and [{scale}, {scale}, 3].", nameof(factors));
        (Channels, Scale, _factors, _bias) = (channels, scale, factors, bias);
    }

    /// <summary>The channels C of a latent.</summary>
    public int Channels { get; }

    /// <summary>The side k of the pixels that a point of the latent becomes.</summary>
    public int Scale { get; }

    /// <summary>Draws a latent frame as k·h rows of k·w pixels.</summary>
    /// <param name="latent">The normalised latent [1, C, t, h, w].</param>
    /// <param name="frame">Which latent frame.</param>
    public VideoFrame Draw(Tensor latent, int frame)
    {
        Shape.Require(latent, $"1 {Channels} t h w");
        using DisposeScope scope = NewDisposeScope();
        int h = (int)latent.size(3), w = (int)latent.size(4), area = h * w, values = _bias.Length;
        Tensor ofFrame = latent.narrow(2, frame, 1).to(float32).cpu().contiguous();           // 1 C 1 h w
        ReadOnlySpan<float> x = MemoryMarshal.Cast<byte, float>(ofFrame.bytes);
        var rgb = new byte[area * values];
        var point = new float[values];
        for (int at = 0; at < area; at++)
        {
            _bias.CopyTo(point, 0);
            for (int c = 0; c < Channels; c++)
            {
                float value = x[(c * area) + at];
                for (int i = 0; i < values; i++)
                    point[i] += value * _factors[(c * values) + i];
            }
            Place(point, rgb, at / w, at % w, w);
        }
        return new VideoFrame(0, w * Scale, h * Scale, rgb, TimeSpan.Zero);
    }

    // The k×k pixels of the point at a row and a column.
    private void Place(float[] point, byte[] rgb, int row, int column, int w)
    {
        for (int y = 0; y < Scale; y++)
        {
            int to = 3 * ((((row * Scale) + y) * w * Scale) + (column * Scale));
            for (int i = 0; i < 3 * Scale; i++)
                rgb[to + i] = (byte)Math.Clamp(MathF.Round((point[(y * 3 * Scale) + i] + 1) * 127.5f), 0, 255);
        }
    }
}
