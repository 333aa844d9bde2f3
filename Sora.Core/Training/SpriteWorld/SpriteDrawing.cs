using System.Numerics;

namespace Sora.Training.SpriteWorld;

/// <summary>
/// Draws a sprite over a picture at any size and subpixel position. Each target pixel is the mean of the sprite under
/// it with tent weights, first along rows and then along columns, so nothing flickers as the sprite moves.
/// </summary>
internal static class SpriteDrawing
{
    /// <summary>Blends the sprite over the frame.</summary>
    /// <param name="frame">[height, width] of (red, green, blue), 0..1.</param>
    /// <param name="width">The frame's width in pixels.</param>
    /// <param name="height">The frame's height in pixels.</param>
    /// <param name="sprite">The sprite.</param>
    /// <param name="centreX">Where the sprite's centre goes, in pixels from the left edge of the frame.</param>
    /// <param name="centreY">Where the sprite's centre goes, in pixels from the top edge of the frame.</param>
    /// <param name="scale">Frame pixels per sprite pixel.</param>
    public static void Draw(
        Span<Vector3> frame, int width, int height, Sprite sprite, float centreX, float centreY, float scale)
    {
        Taps columns = new(width, sprite.Width, centreX, scale), rows = new(height, sprite.Height, centreY, scale);
        if (columns.Count <= 0 || rows.Count <= 0)
            return;

        var narrowed = new Vector4[sprite.Height * columns.Count];
        for (int y = 0; y < sprite.Height; y++)
        {
            ReadOnlySpan<Vector4> line = sprite.Pixels.AsSpan(y * sprite.Width, sprite.Width);
            for (int column = 0; column < columns.Count; column++)
            {
                ReadOnlySpan<float> weights = columns.Of(column, out int from);
                Vector4 sum = Vector4.Zero;
                for (int i = 0; i < weights.Length; i++)
                    sum += line[from + i] * weights[i];
                narrowed[(y * columns.Count) + column] = sum;
            }
        }

        for (int row = 0; row < rows.Count; row++)
        {
            ReadOnlySpan<float> weights = rows.Of(row, out int from);
            Span<Vector3> line = frame.Slice(((rows.First + row) * width) + columns.First, columns.Count);
            for (int column = 0; column < columns.Count; column++)
            {
                Vector4 over = Vector4.Zero;
                for (int i = 0; i < weights.Length; i++)
                    over += narrowed[((from + i) * columns.Count) + column] * weights[i];
                line[column] = (line[column] * (1f - over.W)) + new Vector3(over.X, over.Y, over.Z);
            }
        }
    }

    /// <summary>The weights of one axis: which sprite pixels each frame pixel under the sprite averages.</summary>
    private readonly struct Taps
    {
        private readonly (int From, int Start, int Length)[] _spans;
        private readonly float[] _weights;

        public Taps(int frameSize, int spriteSize, float centre, float scale)
        {
            float radius = MathF.Max(1f, 1f / scale);
            float half = (spriteSize * scale / 2f) + MathF.Max(scale, 1f);
            First = Math.Max((int)MathF.Floor(centre - half), 0);
            Count = Math.Min((int)MathF.Ceiling(centre + half), frameSize) - First;
            int most = (int)(2f * radius) + 2;
            _spans = new (int, int, int)[Math.Max(Count, 0)];
            _weights = new float[_spans.Length * most];
            for (int i = 0; i < _spans.Length; i++)
            {
                float at = ((First + i + 0.5f - centre) / scale) + (spriteSize / 2f) - 0.5f;
                int from = (int)MathF.Ceiling(at - radius), to = (int)MathF.Floor(at + radius);
                float all = 0f; // of the pixels outside the sprite too: there it is transparent
                for (int j = from; j <= to; j++)
                    all += radius - MathF.Abs(j - at);

                int first = Math.Clamp(from, 0, spriteSize), start = i * most, length = 0;
                for (int j = first; j <= to && j < spriteSize; j++)
                    _weights[start + length++] = (radius - MathF.Abs(j - at)) / all;
                _spans[i] = (first, start, length);
            }
        }

        public int First { get; }

        public int Count { get; }

        /// <summary>The weights of the sprite pixels from <paramref name="first"/> on.</summary>
        public ReadOnlySpan<float> Of(int i, out int first)
        {
            (first, int start, int length) = _spans[i];
            return _weights.AsSpan(start, length);
        }
    }
}
