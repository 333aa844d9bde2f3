using Sora.Weights;

namespace Sora.Text;

/// <summary>T5's buckets of relative positions (Raffel et al. 2020, section 2.1), in both directions.</summary>
internal static class RelativePositions
{
    /// <summary>The bucket of each pair (query, key): [L, L], int64.</summary>
    public static Tensor Buckets(long length, UMT5Config config)
    {
        var buckets = new long[length * length];
        for (long query = 0; query < length; query++)
        {
            for (long key = 0; key < length; key++)
                buckets[(query * length) + key] = Bucket(key - query, config.RelativeAttentionNumBuckets, config.RelativeAttentionMaxDistance);
        }
        return tensor(buckets, [length, length]);
    }

    // Half of the buckets for keys after the query; of each half, half for exact distances and half for logarithmic ones.
    private static long Bucket(long relative, int count, int maximum)
    {
        int half = count / 2, exact = half / 2;
        long side = relative > 0 ? half : 0, distance = Math.Abs(relative);
        if (distance < exact)
            return side + distance;
        float logarithm = MathF.Log((float)distance / exact) / (float)Math.Log((double)maximum / exact) * (half - exact);
        return side + Math.Min(half - 1, exact + (long)logarithm);
    }
}
