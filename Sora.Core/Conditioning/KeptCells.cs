using Sora.Frames;
using Sora.Latents;
using Sora.Weights;

namespace Sora.Conditioning;

/// <summary>The cells of a latent that a mask keeps: those in whose pixels nothing is changed, in any of their frames.</summary>
internal static class KeptCells
{
    /// <summary>For each of the t·h·w cells whether it is kept.</summary>
    /// <param name="mask">One mask for all frames, or one for each.</param>
    /// <param name="shape">The latent's shape; it divides the masks' size.</param>
    /// <param name="stride">Frames that a latent frame stands for.</param>
    public static bool[] Of(ValueList<FrameMask> mask, LatentShape shape, int stride)
    {
        bool[][] frames = [.. mask.Select(frame => OfFrame(frame, shape))];
        int area = shape.H * shape.W;
        var cells = new bool[shape.T * area];
        for (int t = 0; t < shape.T; t++)
        {
            // The first latent frame is one frame, the others s each.
            int first = t == 0 ? 0 : ((t - 1) * stride) + 1, last = t * stride;
            bool[][] own = frames.Length == 1 ? frames : frames[first..(last + 1)];
            for (int i = 0; i < area; i++)
                cells[(t * area) + i] = own.All(frame => frame[i]);
        }
        return cells;
    }

    private static bool[] OfFrame(FrameMask mask, LatentShape shape)
    {
        ReadOnlySpan<byte> values = mask.Values.Span;
        int high = mask.Height / shape.H, wide = mask.Width / shape.W;
        var kept = new bool[shape.H * shape.W];
        for (int i = 0; i < kept.Length; i++)
        {
            bool all = true;
            for (int y = 0; y < high && all; y++)
                all = !values.Slice((((i / shape.W * high) + y) * mask.Width) + (i % shape.W * wide), wide).ContainsAnyExcept((byte)0);
            kept[i] = all;
        }
        return kept;
    }
}
