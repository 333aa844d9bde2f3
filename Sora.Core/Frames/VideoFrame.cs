namespace Sora.Frames;

/// <summary>
/// One picture of a clip in plain memory. The bytes are RGB24: rows from top to bottom, pixels from left to right, and
/// per pixel red, green and blue in sRGB, 0 to 255, without padding.
/// </summary>
/// <remarks>
/// Immutable as long as the memory it was made from is left alone: the constructor does not copy.
/// </remarks>
public sealed class VideoFrame
{
    /// <summary>Wraps the pixels of a frame, without a copy.</summary>
    /// <param name="index">Position in the clip, from 0.</param>
    /// <param name="width">Width in pixels, at least 1.</param>
    /// <param name="height">Height in pixels, at least 1.</param>
    /// <param name="rgb">Exactly <c>width * height * 3</c> bytes.</param>
    /// <param name="timestamp">When the frame is shown, from the start of the clip.</param>
    /// <exception cref="ArgumentOutOfRangeException">A negative index or an empty size.</exception>
    /// <exception cref="ArgumentException"><paramref name="rgb"/> does not have the size's length.</exception>
    public VideoFrame(int index, int width, int height, ReadOnlyMemory<byte> rgb, TimeSpan timestamp)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        long expected = 3L * width * height;
        if (rgb.Length != expected)
        {
            throw new ArgumentException(
                $"A frame of {width}x{height} has {expected} bytes of RGB24, not {rgb.Length}.", nameof(rgb));
        }

        Index = index;
        Width = width;
        Height = height;
        Rgb = rgb;
        Timestamp = timestamp;
    }

    /// <summary>Position in the clip, from 0.</summary>
    public int Index { get; }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>The pixels: <c>Width * Height * 3</c> bytes of RGB24, row by row.</summary>
    public ReadOnlyMemory<byte> Rgb { get; }

    /// <summary>When the frame is shown, from the start of the clip.</summary>
    public TimeSpan Timestamp { get; }
}
