using Sora.Weights;

namespace Sora.Text;

/// <summary>T5's buckets of relative positions (Raffel et al. 2020, section 2.1), in both directions, and which keys are there.</summary>
public sealed class RelativePositions
{
    /// <summary>The positions of a batch; its tensors belong to the current dispose scope.</summary>
    /// <param name="mask">1 for tokens, 0 for padding [B, L].</param>
    /// <param name="config">The buckets.</param>
    public RelativePositions(Tensor mask, UMT5Config config)
    {
        int length = (int)mask.size(1);
        Tensor present = mask.to(float32);
        long[] buckets = [.. Enumerable.Range(1 - length, (2 * length) - 1)
            .Select(distance => Bucket(distance, config.RelativeAttentionNumBuckets, config.RelativeAttentionMaxDistance))];
        DistanceBuckets = tensor(buckets).to(mask.device);
        PairBuckets = tensor(Pairs(buckets), [length, length]).to(mask.device);
        Blocked = (1 - present).mul(float.MinValue).unsqueeze(1).unsqueeze(1);
        Lengths = LengthsOf(present);
    }

    /// <summary>The bucket of each distance from query to key, from 1 − L to L − 1: [2L − 1], int64.</summary>
    public Tensor DistanceBuckets { get; }

    /// <summary>The bucket of each pair (query, key): [L, L], int64.</summary>
    public Tensor PairBuckets { get; }

    /// <summary>What is added to the scores of padding [B, 1, 1, L].</summary>
    public Tensor Blocked { get; }

    /// <summary>The number of tokens of each text [B], int64; null where padding is not at the end, or a text is empty.</summary>
    public Tensor? Lengths { get; }

    private static Tensor? LengthsOf(Tensor mask)
    {
        Tensor lengths = mask.sum([1]);                                                                            // B
        Tensor atTheEnd = arange(mask.size(1), float32, mask.device).unsqueeze(0).lt(lengths.unsqueeze(1)).to(float32); // B L
        return (atTheEnd - mask).abs().sum().cpu().item<float>() == 0 && lengths.min().cpu().item<float>() >= 1 ? lengths.to(int64) : null;
    }

    private static long[] Pairs(long[] buckets)
    {
        int length = (buckets.Length + 1) / 2;
        var pairs = new long[length * length];
        for (int query = 0; query < length; query++)
            buckets.AsSpan(length - 1 - query, length).CopyTo(pairs.AsSpan(query * length));
        return pairs;
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
