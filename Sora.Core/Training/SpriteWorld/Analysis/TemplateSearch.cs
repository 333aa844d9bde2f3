using System.Numerics;

namespace Sora.Training.SpriteWorld.Analysis;

/// <summary>
/// Masked template matching. With the background B, a frame I and a template (premultiplied colour P, alpha a) at
/// some place, the gain is how much better background plus template explain the frame than the background alone: Σ |I
/// − B|² − |I − (P + (1 − a) B)|² = Σ 2 (I − B)·R − |R|² with R = P − a B. The largest gain is the likeliest place,
/// size and look of the subject under Gaussian noise, so templates of different sizes compare fairly.
/// </summary>
internal sealed class TemplateSearch
{
    private readonly FrameStack _stack;
    private readonly Vector3[] _background;
    private readonly int _margin;
    private readonly int _stride;
    private readonly float[][][] _difference; // [T][4][H · stride]: 2 (I - B) in red, green, blue; 1 inside the frame

    /// <param name="stack">The frames.</param>
    /// <param name="background">[H · W].</param>
    /// <param name="largestRadius">Of the templates that will be searched.</param>
    public TemplateSearch(FrameStack stack, Vector3[] background, int largestRadius)
    {
        _stack = stack;
        _background = background;
        _margin = largestRadius;
        _stride = stack.Width + (2 * largestRadius) + Vector<float>.Count;
        _difference = [.. stack.Frames.Select(Difference)];
    }

    /// <summary>The best place of a template in a frame. The background has to be the same along each row.</summary>
    public Sighting Everywhere(Template template, int t)
    {
        float[][] planes = _difference[t];
        var residuals = new Vector4[template.Pixels.Length];
        var offsets = new int[template.Pixels.Length];
        Span<float> gains = stackalloc float[Vector<float>.Count];
        float best = float.NegativeInfinity;
        int bestX = 0, bestY = 0;
        for (int y = 0; y < _stack.Height; y++)
        {
            int count = 0;
            foreach ((int dx, int dy, Vector3 colour, float alpha) in template.Pixels)
            {
                if ((uint)(y + dy) >= (uint)_stack.Height)
                    continue;
                Vector3 residual = colour - (alpha * _background[(y + dy) * _stack.Width]);
                residuals[count] = new Vector4(residual, -residual.LengthSquared());
                offsets[count++] = ((y + dy) * _stride) + _margin + dx;
            }

            for (int x = 0; x < _stack.Width; x += Vector<float>.Count)
            {
                Vector<float> sum = Vector<float>.Zero;
                for (int i = 0; i < count; i++)
                {
                    Vector4 residual = residuals[i];
                    int at = offsets[i] + x;
                    sum += (new Vector<float>(planes[0], at) * residual.X)
                        + (new Vector<float>(planes[1], at) * residual.Y)
                        + (new Vector<float>(planes[2], at) * residual.Z)
                        + (new Vector<float>(planes[3], at) * residual.W);
                }

                sum.CopyTo(gains);
                for (int i = 0; i < Math.Min(gains.Length, _stack.Width - x); i++)
                {
                    if (gains[i] > best)
                        (best, bestX, bestY) = (gains[i], x + i, y);
                }
            }
        }

        return SightingAt(template, bestX, bestY, best);
    }

    /// <summary>The best place of a template within some pixels of an earlier sighting; any background.</summary>
    public Sighting Near(Template template, int t, Sighting around, int reach)
    {
        int middleX = (int)(around.X * _stack.Width), middleY = (int)(around.Y * _stack.Height);
        float best = float.NegativeInfinity;
        int bestX = middleX, bestY = middleY;
        for (int y = middleY - reach; y <= middleY + reach; y++)
        {
            for (int x = middleX - reach; x <= middleX + reach; x++)
            {
                float gain = GainAt(template, t, x, y);
                if (gain > best)
                    (best, bestX, bestY) = (gain, x, y);
            }
        }

        return SightingAt(template, bestX, bestY, best);
    }

    private float GainAt(Template template, int t, int x, int y)
    {
        Vector3[] frame = _stack.Frames[t];
        float gain = 0f;
        foreach ((int dx, int dy, Vector3 colour, float alpha) in template.Pixels)
        {
            int px = x + dx, py = y + dy;
            if ((uint)px >= (uint)_stack.Width || (uint)py >= (uint)_stack.Height)
                continue;
            Vector3 background = _background[(py * _stack.Width) + px];
            Vector3 residual = colour - (alpha * background);
            gain += Vector3.Dot((2f * (frame[(py * _stack.Width) + px] - background)) - residual, residual);
        }

        return gain;
    }

    private Sighting SightingAt(Template template, int x, int y, float gain) =>
        new((x + 0.5f) / _stack.Width, (y + 0.5f) / _stack.Height, template.Extent, gain);

    private float[][] Difference(Vector3[] frame)
    {
        int size = (_stack.Height * _stride) + Vector<float>.Count;
        float[][] planes = [new float[size], new float[size], new float[size], new float[size]];
        for (int i = 0; i < frame.Length; i++)
        {
            int at = (i / _stack.Width * _stride) + _margin + (i % _stack.Width);
            Vector3 difference = 2f * (frame[i] - _background[i]);
            (planes[0][at], planes[1][at], planes[2][at]) = (difference.X, difference.Y, difference.Z);
            planes[3][at] = 1f;
        }

        return planes;
    }
}
