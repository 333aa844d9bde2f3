using Sora.Frames;
using Sora.Weights;

namespace Sora.Regions;

/// <summary>
/// Lays what was made over the source where a mask says so, in pixels: kept pixels are the source's, bit for bit. So that the
/// joint does not show, changed pixels beside it are drawn to the kept ones: the difference between the source and what was
/// made there, which the autoencoder's loss and another drawing leave at the edge, is added to them, the less the farther they
/// are from the edge.
/// </summary>
/// <remarks>
/// A fade from source to result would do the same for the colours, but show what stood there before in the fading part, and
/// beside a grown canvas there is no source to fade from.
/// </remarks>
/// <param name="source">The source's frames.</param>
/// <param name="mask">One mask for all frames, or one for each.</param>
/// <param name="feather">Over how many pixels the difference fades.</param>
internal sealed class MaskComposite(ValueList<VideoFrame> source, ValueList<FrameMask> mask, int feather)
{
    private (FrameMask Mask, EdgeDifference Edge)? _prepared;

    /// <summary>The composite of a resolved request; null where it has no mask.</summary>
    public static MaskComposite? Of(VideoRequest request) =>
        request.Mask is { } mask ? new(request.Source!, mask, request.Feather!.Value) : null;

    /// <summary>A frame as it was made, of the source's size, laid over the source's frame of its index.</summary>
    public VideoFrame Apply(VideoFrame made)
    {
        FrameMask own = mask[mask.Count == 1 ? 0 : made.Index];
        ReadOnlySpan<byte> before = source[made.Index].Rgb.Span, after = made.Rgb.Span, shares = own.Values.Span;
        float[] correction = feather == 0 ? new float[before.Length] : EdgeOf(own).Between(before, after);
        var pixels = new byte[before.Length];
        for (int i = 0; i < pixels.Length; i++)
        {
            int share = shares[i / 3];
            float changed = Math.Clamp(after[i] + correction[i], 0, 255);
            pixels[i] = share == 0 ? before[i] : (byte)MathF.Round(before[i] + (share / 255f * (changed - before[i])));
        }
        return new(made.Index, made.Width, made.Height, pixels, made.Timestamp);
    }

    // Neighbouring frames mostly share a mask.
    private EdgeDifference EdgeOf(FrameMask own)
    {
        if (_prepared is not { } known || known.Mask != own)
            _prepared = known = (own, new(own, feather));
        return known.Edge;
    }
}
