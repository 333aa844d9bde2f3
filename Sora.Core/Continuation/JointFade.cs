using Sora.Frames;

namespace Sora.Continuation;

/// <summary>
/// Hides what the autoencoder loses at a joint. The given frame beside the joint and what the autoencoder makes of it differ
/// by a little everywhere; generated frames have the same loss, and the jump would be seen. So the difference is added to
/// the generated frames, the less the farther they are from the joint.
/// </summary>
internal sealed class JointFade
{
    // One second at the pocket model's rate; two latent frames.
    private const int Frames = 8;

    private readonly short[] _difference;
    private readonly int _length;

    /// <summary>The fade of a joint.</summary>
    /// <param name="given">The frame beside the joint as it was given.</param>
    /// <param name="decoded">The same frame as the model shows it.</param>
    /// <param name="generated">How many frames are generated beyond the joint.</param>
    public JointFade(VideoFrame given, VideoFrame decoded, int generated)
    {
        ReadOnlySpan<byte> a = given.Rgb.Span, b = decoded.Rgb.Span;
        _difference = new short[a.Length];
        for (int i = 0; i < a.Length; i++)
            _difference[i] = (short)(a[i] - b[i]);
        _length = Math.Min(Frames, generated);
    }

    /// <summary>A generated frame with its share of the difference.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="distance">How many generated frames are between it and the joint.</param>
    public VideoFrame Apply(VideoFrame frame, int distance)
    {
        if (distance >= _length)
            return frame;
        float share = 1 - ((distance + 1f) / (_length + 1));
        ReadOnlySpan<byte> pixels = frame.Rgb.Span;
        var result = new byte[pixels.Length];
        for (int i = 0; i < result.Length; i++)
            result[i] = (byte)Math.Clamp(MathF.Round(pixels[i] + (share * _difference[i])), 0, 255);
        return new(frame.Index, frame.Width, frame.Height, result, frame.Timestamp);
    }
}
